"""What the fields of Kubernetes objects are made of, beyond JSON's own types."""

from datetime import datetime
from typing import Any

#: ``resource.Quantity`` in its canonical text form (``500m``, ``128Mi``); ``podium.api.quantity``
#: does arithmetic on it. The decoder accepts numbers too and canonicalises.
Quantity = str

#: ``intstr.IntOrString``: a number, or a name or percentage.
IntOrString = int | str

#: ``metav1.Time``: an aware datetime in UTC with whole seconds.
Time = datetime

#: ``metav1.MicroTime``: RFC 3339 text with exactly six digits of fraction, in UTC.
MicroTime = str

#: Free-form JSON (``runtime.RawExtension``, ``metav1.FieldsV1``).
RawObject = dict[str, Any]


def required_list() -> list[Any]:
    """Default of list fields that Go writes even when empty (msgspec leaves out plain ``list``)."""
    return []

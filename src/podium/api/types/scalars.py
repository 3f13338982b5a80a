"""What the fields of Kubernetes objects are made of, beyond JSON's own types."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta

#: Go's ``int32`` and ``int64``: numbers out of their range are refused when decoding.
Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]

#: ``resource.Quantity`` in its canonical text form (``500m``, ``128Mi``); ``podium.api.quantity``
#: does arithmetic on it. The decoder accepts numbers too and canonicalises.
Quantity = Annotated[str, "Quantity"]

#: ``intstr.IntOrString``: a number, or a name or percentage.
IntOrString = Int32 | str

#: ``metav1.Time``: an aware datetime in UTC with whole seconds.
Time = Annotated[datetime, Meta(tz=True)]

#: ``metav1.MicroTime``: RFC 3339 text with exactly six digits of fraction, in UTC.
MicroTime = Annotated[str, "MicroTime"]

#: Bytes, as base64 text.
Base64 = Annotated[str, "Base64"]

#: Free-form JSON (``runtime.RawExtension``, ``metav1.FieldsV1``).
RawObject = dict[str, Any]


def required_list() -> list[Any]:
    """Default of list fields that Go writes even when empty (msgspec leaves out plain ``list``)."""
    return []


def unset() -> None:
    """Default of fields that Go writes as ``null`` when they are not set."""

"""Validation of Events, as core/v1 has them."""

from __future__ import annotations

from podium.api import names
from podium.api.field import FieldError, Path, invalid, required
from podium.api.types.core_v1 import Event
from podium.api.validation.common import Errors, dns1123_subdomain, invalid_each

_LIMITS = (
    ("reportingInstance", "reporting_instance", 128),
    ("action", "action", 128),
    ("reason", "reason", 128),
)
MESSAGE_LIMIT = 1024
_MISMATCH = "does not match event.namespace"


def validate_event(event: Event) -> list[FieldError]:
    """Return the offences of an Event, beyond those of the metadata.

    An Event lies in its object's namespace, in ``default`` where that has none. One with an
    ``eventTime`` is of the newer style and has to say who reports, and what was done.
    """
    newer = event.event_time is not None
    errors = list(_validate_newer(event) if newer else _validate_older(event))
    errors.extend(dns1123_subdomain(Path("namespace"), event.metadata.namespace))
    return errors


def _validate_older(event: Event) -> Errors:
    wanted = event.involved_object.namespace or "default"
    if event.metadata.namespace not in ("", wanted):
        yield invalid(Path("involvedObject.namespace"), event.involved_object.namespace, _MISMATCH)


def _validate_newer(event: Event) -> Errors:
    wanted, own = event.involved_object.namespace, event.metadata.namespace
    if not wanted and own not in ("default", "kube-system"):
        yield invalid(Path("involvedObject.namespace"), wanted, _MISMATCH)
    component, at = event.reporting_component, Path("reportingComponent")
    if not component:
        yield required(at)
    yield from invalid_each(at, component, names.qualified_name(component))
    for name, attribute, limit in _LIMITS:
        value = getattr(event, attribute)
        if not value:
            yield required(Path(name))
        if len(value) > limit:
            yield invalid(Path(name), "", f"can have at most {limit} characters")
    if len(event.message) > MESSAGE_LIMIT:
        yield invalid(Path("message"), "", f"can have at most {MESSAGE_LIMIT} characters")

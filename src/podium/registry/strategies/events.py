"""Events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from podium.api.field import FieldError
from podium.api.types.core_v1 import Event, ObjectReference
from podium.api.validation.events import validate_event
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import Cell, Column, age

_REFERENCE = {
    "involvedObject.kind": "kind",
    "involvedObject.namespace": "namespace",
    "involvedObject.name": "name",
    "involvedObject.uid": "uid",
    "involvedObject.apiVersion": "api_version",
    "involvedObject.resourceVersion": "resource_version",
    "involvedObject.fieldPath": "field_path",
}


class EventStrategy(Strategy[Event]):
    """What happened to an object; expires by itself (the registry sees to that)."""

    allow_create_on_update = True
    field_labels = frozenset({*_REFERENCE, "reason", "reportingComponent", "source", "type"})
    columns = (
        Column("Last Seen"),
        Column("Type"),
        Column("Reason"),
        Column("Object"),
        Column("Subobject", priority=1),
        Column("Source", priority=1),
        Column("Message"),
        Column("First Seen", priority=1),
        Column("Count", priority=1),
        Column("Name", format="name", priority=1),
    )

    def validate(self, obj: Event) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_event(obj)

    def validate_update(self, new: Event, old: Event) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_event(new)

    def fields(self, obj: Event) -> Mapping[str, str]:
        values = {
            label: getattr(obj.involved_object, attribute)
            for label, attribute in _REFERENCE.items()
        }
        source = obj.source.component or obj.reporting_component
        return {
            **super().fields(obj),
            **values,
            "reason": obj.reason,
            "reportingComponent": obj.reporting_component,
            "source": source,
            "type": obj.type,
        }

    def row(self, obj: Event, now: datetime) -> list[Cell]:
        first, last = _seen(obj, now)
        return [
            last,
            obj.type,
            obj.reason,
            _object(obj.involved_object),
            obj.involved_object.field_path,
            _source(obj),
            obj.message.strip(),
            first,
            _count(obj),
            obj.metadata.name,
        ]


def _seen(event: Event, now: datetime) -> tuple[str, str]:
    """Return how long ago the Event was seen first and last."""
    event_time = _micro(event.event_time)
    first = age(event.first_timestamp, now)
    if event.first_timestamp is None:
        first = age(event_time, now)
    last = age(event.last_timestamp, now)
    if event.last_timestamp is None:
        last = first
    if event.series is not None:
        last = age(_micro(event.series.last_observed_time), now)
    return first, last


def _micro(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _count(event: Event) -> int:
    if event.series is not None:
        return event.series.count
    return event.count or 1


def _object(reference: ObjectReference) -> str:
    kind = reference.kind.lower()
    return f"{kind}/{reference.name}" if reference.name else kind


def _source(event: Event) -> str:
    component = event.source.component or event.reporting_component
    host = event.source.host or event.reporting_instance
    return f"{component}, {host}" if host else component


STRATEGY = EventStrategy

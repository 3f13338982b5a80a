"""Events of ``events.k8s.io/v1``: the rules are those of the core kind that they are stored as."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from podium.api.field import FieldError, Path, invalid, required
from podium.api.scheme import Resource
from podium.api.types.events_v1 import Event
from podium.api.validation.events import validate_event
from podium.api.views.events_v1 import to_hub
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.events import EventStrategy
from podium.registry.strategies.table import Cell

_TYPES = ("Normal", "Warning")
_LABELS = {
    "involvedObject": "regarding",
    "reportingComponent": "reportingController",
}


class EventV1Strategy(Strategy[Event]):
    """Older Events are shown as they are; new ones have to be complete."""

    allow_create_on_update = True
    columns = EventStrategy.columns

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource)
        self._core = EventStrategy(self.resource)
        self.field_labels = frozenset(map(_label, self._core.field_labels))

    def validate(self, obj: Event) -> list[FieldError]:
        found: list[FieldError] = []
        if obj.event_time is None:
            found.append(required(Path("eventTime")))
        if obj.type not in _TYPES:
            found.append(invalid(Path("type"), "", f"has invalid value: {obj.type}"))
        return self.validate_metadata(obj) + found + validate_event(to_hub(obj))

    def validate_update(self, new: Event, old: Event) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_event(to_hub(new))

    def fields(self, obj: Event) -> Mapping[str, str]:
        return {_label(key): value for key, value in self._core.fields(to_hub(obj)).items()}

    def row(self, obj: Event, now: datetime) -> list[Cell]:
        return self._core.row(to_hub(obj), now)


def _label(label: str) -> str:
    first, dot, rest = label.partition(".")
    return f"{_LABELS.get(first, first)}{dot}{rest}"


STRATEGY = EventV1Strategy

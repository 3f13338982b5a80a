"""LimitRanges."""

from __future__ import annotations

from datetime import datetime

from podium.api.defaults.limits import set_defaults_limit_range
from podium.api.field import FieldError
from podium.api.go_time import format_time
from podium.api.types.core_v1 import LimitRange
from podium.api.validation.limits import validate_limit_range
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import Cell, Column


class LimitRangeStrategy(Strategy[LimitRange]):
    allow_create_on_update = True
    columns = (Column("Name", format="name"), Column("Created At", type="date"))

    def default(self, obj: LimitRange) -> None:
        set_defaults_limit_range(obj)

    def prepare_for_create(self, obj: LimitRange, now: datetime) -> None:
        super().prepare_for_create(obj, now)
        obj.metadata.name = obj.metadata.name or obj.metadata.uid

    def validate(self, obj: LimitRange) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_limit_range(obj)

    def validate_update(self, new: LimitRange, old: LimitRange) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_limit_range(new)

    def row(self, obj: LimitRange, now: datetime) -> list[Cell]:
        created = obj.metadata.creation_timestamp
        return [obj.metadata.name, format_time(created) if created else None]


STRATEGY = LimitRangeStrategy

"""PriorityClasses."""

from __future__ import annotations

from datetime import datetime

from podium.api.field import FieldError
from podium.api.types.scheduling_v1 import PriorityClass
from podium.api.validation.priority_classes import (
    validate_priority_class,
    validate_priority_class_update,
)
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age


class PriorityClassStrategy(Strategy[PriorityClass]):
    columns = (
        NAME,
        Column("Value", type="integer"),
        Column("Global-Default", type="boolean"),
        AGE,
        Column("PreemptionPolicy"),
    )

    def default(self, obj: PriorityClass) -> None:
        if obj.preemption_policy is None:
            obj.preemption_policy = "PreemptLowerPriority"

    def prepare_for_create(self, obj: PriorityClass, now: datetime) -> None:
        super().prepare_for_create(obj, now)
        obj.metadata.generation = 1

    def validate(self, obj: PriorityClass) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_priority_class(obj)

    def validate_update(self, new: PriorityClass, old: PriorityClass) -> list[FieldError]:
        found = validate_priority_class_update(new, old)
        return self.validate_metadata_update(new, old) + found

    def row(self, obj: PriorityClass, now: datetime) -> list[Cell]:
        return [
            obj.metadata.name,
            obj.value,
            obj.global_default,
            age(obj.metadata.creation_timestamp, now),
            obj.preemption_policy or "",
        ]


STRATEGY = PriorityClassStrategy

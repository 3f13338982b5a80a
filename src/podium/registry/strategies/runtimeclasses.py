"""RuntimeClasses."""

from __future__ import annotations

from datetime import datetime

from podium.api.field import FieldError
from podium.api.types.node_v1 import RuntimeClass
from podium.api.validation.runtime_classes import (
    validate_runtime_class,
    validate_runtime_class_update,
)
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age


class RuntimeClassStrategy(Strategy[RuntimeClass]):
    allow_create_on_update = True
    allow_unconditional_update = False
    columns = (NAME, Column("Handler"), AGE)

    def validate(self, obj: RuntimeClass) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_runtime_class(obj)

    def validate_update(self, new: RuntimeClass, old: RuntimeClass) -> list[FieldError]:
        found = validate_runtime_class_update(new, old)
        return self.validate_metadata_update(new, old) + found

    def row(self, obj: RuntimeClass, now: datetime) -> list[Cell]:
        return [obj.metadata.name, obj.handler, age(obj.metadata.creation_timestamp, now)]


STRATEGY = RuntimeClassStrategy

"""RuntimeClasses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from podium.api.defaults.resources import rounded
from podium.api.field import FieldError
from podium.api.types.node_v1 import RuntimeClass
from podium.api.validation.runtime_classes import (
    validate_runtime_class,
    validate_runtime_class_update,
)
from podium.registry.strategies import node_labels
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age


class RuntimeClassStrategy(Strategy[RuntimeClass]):
    allow_create_on_update = True
    allow_unconditional_update = False
    columns = (NAME, Column("Handler"), AGE)

    def default(self, obj: RuntimeClass) -> None:
        if obj.overhead is not None:
            obj.overhead.pod_fixed = rounded(obj.overhead.pod_fixed)

    def validate(self, obj: RuntimeClass) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_runtime_class(obj)

    def validate_update(self, new: RuntimeClass, old: RuntimeClass) -> list[FieldError]:
        found = validate_runtime_class_update(new, old)
        return self.validate_metadata_update(new, old) + found

    def warnings(self, obj: RuntimeClass) -> Iterator[str]:
        for key in sorted(obj.scheduling.node_selector) if obj.scheduling is not None else ():
            if key in node_labels.OLD:
                yield f"scheduling.nodeSelector: {node_labels.OLD[key]}"

    def row(self, obj: RuntimeClass, now: datetime) -> list[Cell]:
        return [obj.metadata.name, obj.handler, age(obj.metadata.creation_timestamp, now)]


STRATEGY = RuntimeClassStrategy

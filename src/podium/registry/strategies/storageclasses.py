"""StorageClasses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from podium.api.defaults.storage import set_defaults_storage_class
from podium.api.field import FieldError, Path
from podium.api.types.storage_v1 import StorageClass
from podium.api.validation.storage import validate_storage_class, validate_storage_class_update
from podium.domain.default_classes import STORAGE, is_default
from podium.registry.strategies import node_labels
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age


class StorageClassStrategy(Strategy[StorageClass]):
    columns = (
        NAME,
        Column("Provisioner"),
        Column("ReclaimPolicy"),
        Column("VolumeBindingMode"),
        Column("AllowVolumeExpansion"),
        AGE,
    )

    def default(self, obj: StorageClass) -> None:
        set_defaults_storage_class(obj)

    def validate(self, obj: StorageClass) -> list[FieldError]:
        return [*self.validate_metadata(obj), *validate_storage_class(obj)]

    def validate_update(self, new: StorageClass, old: StorageClass) -> list[FieldError]:
        found = validate_storage_class_update(new, old)
        return [*self.validate_metadata_update(new, old), *found]

    def warnings(self, obj: StorageClass) -> Iterator[str]:
        for i, term in enumerate(obj.allowed_topologies):
            at = Path("allowedTopologies").index(i).child("matchLabelExpressions")
            for j, expression in enumerate(term.match_label_expressions):
                if expression.key in node_labels.OLD:
                    yield f"{at.index(j).child('key')}: {node_labels.OLD[expression.key]}"

    def row(self, obj: StorageClass, now: datetime) -> list[Cell]:
        name = obj.metadata.name
        if is_default(obj, STORAGE):
            name += " (default)"
        return [
            name,
            obj.provisioner,
            obj.reclaim_policy or "Delete",
            obj.volume_binding_mode or "Immediate",
            bool(obj.allow_volume_expansion),
            age(obj.metadata.creation_timestamp, now),
        ]


STRATEGY = StorageClassStrategy

"""CSIStorageCapacities."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from podium.api.field import FieldError, Path
from podium.api.types.storage_v1 import CSIStorageCapacity
from podium.api.validation.storage import (
    validate_csi_storage_capacity,
    validate_csi_storage_capacity_update,
)
from podium.registry.strategies import node_labels
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import NAME, UNSET, Cell, Column


class CSIStorageCapacityStrategy(Strategy[CSIStorageCapacity]):
    allow_unconditional_update = False
    columns = (NAME, Column("StorageClassName"), Column("Capacity"))

    def validate(self, obj: CSIStorageCapacity) -> list[FieldError]:
        return [*self.validate_metadata(obj), *validate_csi_storage_capacity(obj)]

    def validate_update(self, new: CSIStorageCapacity, old: CSIStorageCapacity) -> list[FieldError]:
        found = validate_csi_storage_capacity_update(new, old)
        return [*self.validate_metadata_update(new, old), *found]

    def warnings(self, obj: CSIStorageCapacity) -> Iterable[str]:
        if obj.node_topology is None:
            return ()
        return node_labels.selector_labels(Path("nodeTopology"), obj.node_topology)

    def row(self, obj: CSIStorageCapacity, now: datetime) -> list[Cell]:
        capacity = UNSET if obj.capacity is None else str(obj.capacity)
        return [obj.metadata.name, obj.storage_class_name, capacity]


STRATEGY = CSIStorageCapacityStrategy

"""CSIStorageCapacities."""

from __future__ import annotations

from datetime import datetime

from podium.api.types.storage_v1 import CSIStorageCapacity
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import NAME, Cell, Column


class CSIStorageCapacityStrategy(Strategy[CSIStorageCapacity]):
    columns = (NAME, Column("StorageClassName"), Column("Capacity"))

    def row(self, obj: CSIStorageCapacity, now: datetime) -> list[Cell]:
        capacity = "<unset>" if obj.capacity is None else str(obj.capacity)
        return [obj.metadata.name, obj.storage_class_name, capacity]


STRATEGY = CSIStorageCapacityStrategy

"""CSINodes."""

from __future__ import annotations

from datetime import datetime

from podium.api.types.storage_v1 import CSINode
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age


class CSINodeStrategy(Strategy[CSINode]):
    columns = (NAME, Column("Drivers", type="integer"), AGE)

    def default(self, obj: CSINode) -> None:
        obj.spec.drivers = obj.spec.drivers or None

    def row(self, obj: CSINode, now: datetime) -> list[Cell]:
        created = obj.metadata.creation_timestamp
        return [obj.metadata.name, len(obj.spec.drivers or ()), age(created, now)]


STRATEGY = CSINodeStrategy

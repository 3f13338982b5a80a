"""CSINodes."""

from __future__ import annotations

from datetime import datetime

from podium.api.field import FieldError
from podium.api.types.storage_v1 import CSINode
from podium.api.validation.storage import validate_csi_node, validate_csi_node_update
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age


class CSINodeStrategy(Strategy[CSINode]):
    columns = (NAME, Column("Drivers", type="integer"), AGE)

    def default(self, obj: CSINode) -> None:
        obj.spec.drivers = obj.spec.drivers or None

    def validate(self, obj: CSINode) -> list[FieldError]:
        return [*self.validate_metadata(obj), *validate_csi_node(obj)]

    def validate_update(self, new: CSINode, old: CSINode) -> list[FieldError]:
        found = validate_csi_node_update(new, old)
        return [*self.validate_metadata_update(new, old), *found]

    def row(self, obj: CSINode, now: datetime) -> list[Cell]:
        created = obj.metadata.creation_timestamp
        return [obj.metadata.name, len(obj.spec.drivers or ()), age(created, now)]


STRATEGY = CSINodeStrategy

"""CSINodes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from podium.api.field import FieldError
from podium.api.types.storage_v1 import CSINode
from podium.api.validation.storage import validate_csi_node, validate_csi_node_update
from podium.registry.strategies.base import Strategy, copy_field
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age


class CSINodeStrategy(Strategy[CSINode]):
    allow_unconditional_update = False
    columns = (NAME, Column("Drivers", type="integer"), AGE)

    def default(self, obj: CSINode) -> None:
        obj.spec.drivers = obj.spec.drivers or None

    def validate(self, obj: CSINode) -> list[FieldError]:
        return [*self.validate_metadata(obj), *validate_csi_node(obj)]

    def validate_update(self, new: CSINode, old: CSINode) -> list[FieldError]:
        found = validate_csi_node_update(new, old)
        return [*self.validate_metadata_update(new, old), *found]

    # The status belongs to an alpha feature and has no door of its own: nobody can set it.

    def prepare_for_update(self, new: CSINode, old: CSINode, now: datetime) -> None:
        super().prepare_for_update(new, old, now)
        copy_field(new, old, "status")

    def reset_fields(self, subresource: str = "") -> Sequence[tuple[str, ...]]:
        return (("status",),)

    def row(self, obj: CSINode, now: datetime) -> list[Cell]:
        created = obj.metadata.creation_timestamp
        return [obj.metadata.name, len(obj.spec.drivers or ()), age(created, now)]


STRATEGY = CSINodeStrategy

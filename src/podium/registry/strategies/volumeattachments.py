"""VolumeAttachments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from podium.api.field import FieldError
from podium.api.types.storage_v1 import VolumeAttachment
from podium.api.validation.storage import (
    validate_new_volume_attachment,
    validate_volume_attachment_update,
)
from podium.registry.strategies.base import Strategy, copy_field
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age


class VolumeAttachmentStrategy(Strategy[VolumeAttachment]):
    allow_unconditional_update = False
    columns = (
        NAME,
        Column("Attacher", format="name"),
        Column("PV"),
        Column("Node"),
        Column("Attached", type="boolean"),
        AGE,
    )

    def validate(self, obj: VolumeAttachment) -> list[FieldError]:
        return [*self.validate_metadata(obj), *validate_new_volume_attachment(obj)]

    def validate_update(self, new: VolumeAttachment, old: VolumeAttachment) -> list[FieldError]:
        found = validate_volume_attachment_update(new, old)
        return self.validate_metadata_update(new, old) + found

    def prepare_for_status_update(
        self, new: VolumeAttachment, old: VolumeAttachment, now: datetime
    ) -> None:
        super().prepare_for_status_update(new, old, now)
        for name in ("labels", "annotations", "finalizers", "owner_references"):
            copy_field(new.metadata, old.metadata, name)

    def reset_fields(self, subresource: str = "") -> Sequence[tuple[str, ...]]:
        if subresource == "status":
            return (("metadata",), ("spec",))
        return super().reset_fields(subresource)

    def row(self, obj: VolumeAttachment, now: datetime) -> list[Cell]:
        return [
            obj.metadata.name,
            obj.spec.attacher,
            obj.spec.source.persistent_volume_name or "",
            obj.spec.node_name,
            obj.status.attached,
            age(obj.metadata.creation_timestamp, now),
        ]


STRATEGY = VolumeAttachmentStrategy

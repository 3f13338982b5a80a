"""CSIDrivers."""

from __future__ import annotations

from datetime import datetime

from podium.api.defaults.storage import set_defaults_csi_driver
from podium.api.field import FieldError
from podium.api.types.storage_v1 import CSIDriver
from podium.api.validation.storage import validate_csi_driver, validate_csi_driver_update
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, UNSET, Cell, Column, age


class CSIDriverStrategy(Strategy[CSIDriver]):
    allow_unconditional_update = False
    columns = (
        NAME,
        Column("AttachRequired", type="boolean"),
        Column("PodInfoOnMount", type="boolean"),
        Column("StorageCapacity", type="boolean"),
        Column("TokenRequests"),
        Column("RequiresRepublish", type="boolean"),
        Column("Modes"),
        AGE,
    )

    def default(self, obj: CSIDriver) -> None:
        set_defaults_csi_driver(obj)

    def prepare_for_update(self, new: CSIDriver, old: CSIDriver, now: datetime) -> None:
        """Generations count from the first change on, and only what may change."""
        super().prepare_for_update(new, old, now)
        new.metadata.generation = old.metadata.generation + (new.spec != old.spec)

    def validate(self, obj: CSIDriver) -> list[FieldError]:
        return [*self.validate_metadata(obj), *validate_csi_driver(obj)]

    def validate_update(self, new: CSIDriver, old: CSIDriver) -> list[FieldError]:
        found = validate_csi_driver_update(new, old)
        return [*self.validate_metadata_update(new, old), *found]

    def row(self, obj: CSIDriver, now: datetime) -> list[Cell]:
        spec = obj.spec
        return [
            obj.metadata.name,
            spec.attach_required is not False,
            bool(spec.pod_info_on_mount),
            bool(spec.storage_capacity),
            ",".join(request.audience for request in spec.token_requests) or UNSET,
            bool(spec.requires_republish),
            ",".join(spec.volume_lifecycle_modes) or "<none>",
            age(obj.metadata.creation_timestamp, now),
        ]


STRATEGY = CSIDriverStrategy

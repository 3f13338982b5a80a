"""PersistentVolumeClaims."""

from __future__ import annotations

from datetime import datetime

from podium.api.defaults.storage import set_defaults_claim
from podium.api.field import FieldError
from podium.api.types.core_v1 import (
    PersistentVolumeClaim,
    PersistentVolumeClaimSpec,
    PersistentVolumeClaimStatus,
    TypedLocalObjectReference,
    TypedObjectReference,
)
from podium.api.validation.claims import (
    validate_claim,
    validate_claim_status,
    validate_claim_update,
)
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.persistentvolumes import access_modes, storage_class
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age

PROTECTION = "kubernetes.io/pvc-protection"
_UNSET = "<unset>"


class PersistentVolumeClaimStrategy(Strategy[PersistentVolumeClaim]):
    returns_deleted_object = True
    columns = (
        NAME,
        Column("Status"),
        Column("Volume"),
        Column("Capacity"),
        Column("Access Modes"),
        Column("StorageClass"),
        Column("VolumeAttributesClass"),
        AGE,
        Column("VolumeMode", priority=1),
    )

    def default(self, obj: PersistentVolumeClaim) -> None:
        set_defaults_claim(obj)

    def prepare_for_create(self, obj: PersistentVolumeClaim, now: datetime) -> None:
        super().prepare_for_create(obj, now)
        obj.status = PersistentVolumeClaimStatus(phase="Pending")
        _agree_on_source(obj.spec)

    def prepare_for_update(
        self, new: PersistentVolumeClaim, old: PersistentVolumeClaim, now: datetime
    ) -> None:
        super().prepare_for_update(new, old, now)
        _agree_on_source(new.spec)

    def validate(self, obj: PersistentVolumeClaim) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_claim(obj)

    def validate_update(
        self, new: PersistentVolumeClaim, old: PersistentVolumeClaim
    ) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_claim_update(new, old)

    def validate_status_update(
        self, new: PersistentVolumeClaim, old: PersistentVolumeClaim
    ) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_claim_status(new)

    def row(self, obj: PersistentVolumeClaim, now: datetime) -> list[Cell]:
        spec, phase = obj.spec, obj.status.phase
        if obj.metadata.deletion_timestamp is not None:
            phase = "Terminating"
        bound = bool(spec.volume_name)
        return [
            obj.metadata.name,
            phase,
            spec.volume_name,
            obj.status.capacity.get("storage", "0") if bound else "",
            access_modes(obj.status.access_modes) if bound else "",
            storage_class(obj.metadata.annotations, spec.storage_class_name),
            _UNSET
            if spec.volume_attributes_class_name is None
            else (spec.volume_attributes_class_name),
            age(obj.metadata.creation_timestamp, now),
            "<unset>" if spec.volume_mode is None else spec.volume_mode,
        ]


def _agree_on_source(spec: PersistentVolumeClaimSpec) -> None:
    """``dataSourceRef`` replaced ``dataSource``; each follows from the other, if it is alone."""
    source, reference = spec.data_source, spec.data_source_ref
    if source is not None and reference is None:
        spec.data_source_ref = TypedObjectReference(
            api_group=source.api_group, kind=source.kind, name=source.name
        )
    elif reference is not None and source is None and not reference.namespace:
        volume_like = (reference.api_group or "", reference.kind) in (
            ("", "PersistentVolumeClaim"),
            ("snapshot.storage.k8s.io", "VolumeSnapshot"),
        )
        if volume_like:
            spec.data_source = TypedLocalObjectReference(
                kind=reference.kind, name=reference.name, api_group=reference.api_group
            )


STRATEGY = PersistentVolumeClaimStrategy

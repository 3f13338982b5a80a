"""PersistentVolumeClaims."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from podium.api.defaults.storage import set_defaults_claim
from podium.api.field import FieldError, Path
from podium.api.quantity import canonical, to_milli
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
from podium.domain.storage.names import BETA_CLASS
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.persistentvolumes import access_modes, storage_class
from podium.registry.strategies.table import AGE, NAME, UNSET, Cell, Column, age

#: By group and kind, what a claim's volume could always be made from.
_VOLUMES = (("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot"))
_CLASS_IS_OLD = 'deprecated since v1.8; use "storageClassName" attribute instead'


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
        _settle_source(obj.spec)

    def prepare_for_update(
        self, new: PersistentVolumeClaim, old: PersistentVolumeClaim, now: datetime
    ) -> None:
        super().prepare_for_update(new, old, now)
        _settle_source(new.spec, old.spec)

    def validate(self, obj: PersistentVolumeClaim) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_claim(obj)

    def warnings(self, obj: PersistentVolumeClaim) -> Iterator[str]:
        if BETA_CLASS in obj.metadata.annotations:
            yield f"metadata.annotations[{BETA_CLASS}]: {_CLASS_IS_OLD}"
        yield from size_warnings(Path("spec"), obj.spec)

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
            UNSET
            if spec.volume_attributes_class_name is None
            else (spec.volume_attributes_class_name),
            age(obj.metadata.creation_timestamp, now),
            UNSET if spec.volume_mode is None else spec.volume_mode,
        ]


def _settle_source(
    spec: PersistentVolumeClaimSpec, old: PersistentVolumeClaimSpec | None = None
) -> None:
    """``dataSourceRef`` replaced ``dataSource``; each follows from the other, if it is alone.

    What no server took before there were references is passed over, as it was then: references to
    other namespaces, whose gate is closed, and sources that are no volumes.
    """
    before = old.data_source_ref if old is not None else None
    if before is None and spec.data_source_ref is not None and spec.data_source_ref.namespace:
        spec.data_source_ref = None
    has_had = old is not None and not (old.data_source is None and before is None)
    source, reference = spec.data_source, spec.data_source_ref
    if source is not None and reference is None:
        if not has_had and (source.api_group or "", source.kind) not in _VOLUMES:
            spec.data_source = None
            return
        spec.data_source_ref = TypedObjectReference(
            api_group=source.api_group, kind=source.kind, name=source.name
        )
    elif reference is not None and source is None and not reference.namespace:
        spec.data_source = TypedLocalObjectReference(
            kind=reference.kind, name=reference.name, api_group=reference.api_group
        )


def size_warnings(path: Path, spec: PersistentVolumeClaimSpec) -> Iterator[str]:
    """Fractions of bytes, in the *spec* of a claim or of a template of claims."""
    for part, amounts in (("requests", spec.resources.requests), ("limits", spec.resources.limits)):
        size = amounts.get("storage", "0")
        if to_milli(size) % 1000:
            at = path.child("resources", part).key("storage")
            yield f'{at}: fractional byte value "{canonical(size)}" is invalid, must be an integer'


STRATEGY = PersistentVolumeClaimStrategy

"""PersistentVolumes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from podium.api.defaults.storage import set_defaults_volume
from podium.api.field import FieldError, Path
from podium.api.types.core_v1 import PersistentVolume, PersistentVolumeStatus
from podium.api.validation.persistent_volumes import (
    validate_persistent_volume,
    validate_persistent_volume_update,
)
from podium.domain.storage.names import BETA_CLASS
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.node_labels import term_labels
from podium.registry.strategies.pod_warnings import old_sources
from podium.registry.strategies.table import AGE, NAME, UNSET, Cell, Column, age

#: How the modes are abbreviated, in the order that they are shown in.
ACCESS_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
_OLD_ANNOTATIONS = {
    BETA_CLASS: 'deprecated since v1.8; use "storageClassName" attribute instead',
    "volume.beta.kubernetes.io/mount-options": (
        'deprecated since v1.31; use "mountOptions" attribute instead'
    ),
}


class PersistentVolumeStrategy(Strategy[PersistentVolume]):
    returns_deleted_object = True
    columns = (
        NAME,
        Column("Capacity"),
        Column("Access Modes"),
        Column("Reclaim Policy"),
        Column("Status"),
        Column("Claim"),
        Column("StorageClass"),
        Column("VolumeAttributesClass"),
        Column("Reason"),
        AGE,
        Column("VolumeMode", priority=1),
    )

    def default(self, obj: PersistentVolume) -> None:
        set_defaults_volume(obj)

    def prepare_for_create(self, obj: PersistentVolume, now: datetime) -> None:
        super().prepare_for_create(obj, now)
        obj.status = PersistentVolumeStatus(
            phase="Pending", last_phase_transition_time=now.replace(microsecond=0)
        )

    def validate(self, obj: PersistentVolume) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_persistent_volume(obj)

    def warnings(self, obj: PersistentVolume) -> Iterator[str]:
        return _warnings(obj)

    def validate_update(self, new: PersistentVolume, old: PersistentVolume) -> list[FieldError]:
        found = validate_persistent_volume_update(new, old)
        return self.validate_metadata_update(new, old) + found

    def row(self, obj: PersistentVolume, now: datetime) -> list[Cell]:
        spec, phase = obj.spec, obj.status.phase
        claim = spec.claim_ref
        if obj.metadata.deletion_timestamp is not None:
            phase = "Terminating"
        return [
            obj.metadata.name,
            spec.capacity.get("storage", "0"),
            access_modes(spec.access_modes),
            spec.persistent_volume_reclaim_policy,
            phase,
            f"{claim.namespace}/{claim.name}" if claim is not None else "",
            storage_class(obj.metadata.annotations, spec.storage_class_name),
            UNSET
            if spec.volume_attributes_class_name is None
            else (spec.volume_attributes_class_name),
            obj.status.reason,
            age(obj.metadata.creation_timestamp, now),
            UNSET if spec.volume_mode is None else spec.volume_mode,
        ]


def _warnings(volume: PersistentVolume) -> Iterator[str]:
    spec, annotations = volume.spec, volume.metadata.annotations
    for key, text in _OLD_ANNOTATIONS.items():
        if key in annotations:
            yield f"metadata.annotations[{key}]: {text}"
    if spec.persistent_volume_reclaim_policy == "Recycle":
        yield (
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. "
            "Instead, the recommended approach is to use dynamic provisioning."
        )
    required = spec.node_affinity.required if spec.node_affinity is not None else None
    at = Path("spec.nodeAffinity.required.nodeSelectorTerms")
    for i, term in enumerate(required.node_selector_terms if required is not None else ()):
        yield from term_labels(at.index(i), term)
    yield from old_sources(Path("spec"), spec)


def access_modes(modes: list[str]) -> str:
    return ",".join(short for mode, short in ACCESS_MODES.items() if mode in modes)


def storage_class(annotations: dict[str, str], name: str | None) -> str:
    """Return the storage class, which an annotation told before there was a field."""
    return annotations.get(BETA_CLASS) or name or ""


STRATEGY = PersistentVolumeStrategy

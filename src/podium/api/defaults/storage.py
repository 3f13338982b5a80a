"""Defaults of persistent volumes, claims and the kinds of ``storage.k8s.io``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podium.api.defaults.resources import round_requirements, rounded
from podium.api.defaults.volumes import set_defaults_azure_disk
from podium.api.types.core_v1 import (
    PersistentVolume,
    PersistentVolumeClaim,
    PersistentVolumeClaimSpec,
)

if TYPE_CHECKING:
    from podium.api.types.storage_v1 import CSIDriver, StorageClass


def set_defaults_volume(obj: PersistentVolume) -> None:
    spec = obj.spec
    obj.status.phase = obj.status.phase or "Pending"
    spec.capacity = rounded(spec.capacity)
    spec.persistent_volume_reclaim_policy = spec.persistent_volume_reclaim_policy or "Retain"
    spec.volume_mode = "Filesystem" if spec.volume_mode is None else spec.volume_mode
    if spec.host_path is not None and spec.host_path.type is None:
        spec.host_path.type = ""
    if spec.iscsi is not None:
        spec.iscsi.iscsi_interface = spec.iscsi.iscsi_interface or "default"
    if spec.rbd is not None:
        spec.rbd.pool = spec.rbd.pool or "rbd"
        spec.rbd.user = spec.rbd.user or "admin"
        spec.rbd.keyring = spec.rbd.keyring or "/etc/ceph/keyring"
    if spec.scale_io is not None:
        spec.scale_io.storage_mode = spec.scale_io.storage_mode or "ThinProvisioned"
        spec.scale_io.fs_type = spec.scale_io.fs_type or "xfs"
    if spec.azure_disk is not None:
        set_defaults_azure_disk(spec.azure_disk)


def set_defaults_claim(obj: PersistentVolumeClaim) -> None:
    obj.status.phase = obj.status.phase or "Pending"
    obj.status.capacity = rounded(obj.status.capacity)
    obj.status.allocated_resources = rounded(obj.status.allocated_resources)
    set_defaults_claim_spec(obj.spec)


def set_defaults_claim_spec(spec: PersistentVolumeClaimSpec) -> None:
    if spec.volume_mode is None:
        spec.volume_mode = "Filesystem"
    round_requirements(spec.resources)


def set_defaults_storage_class(obj: StorageClass) -> None:
    obj.reclaim_policy = "Delete" if obj.reclaim_policy is None else obj.reclaim_policy
    if obj.volume_binding_mode is None:
        obj.volume_binding_mode = "Immediate"


def set_defaults_csi_driver(obj: CSIDriver) -> None:
    spec = obj.spec
    spec.attach_required = True if spec.attach_required is None else spec.attach_required
    spec.pod_info_on_mount = bool(spec.pod_info_on_mount)
    spec.storage_capacity = bool(spec.storage_capacity)
    spec.fs_group_policy = spec.fs_group_policy or "ReadWriteOnceWithFSType"
    spec.volume_lifecycle_modes = spec.volume_lifecycle_modes or ["Persistent"]
    spec.requires_republish = bool(spec.requires_republish)
    spec.se_linux_mount = bool(spec.se_linux_mount)

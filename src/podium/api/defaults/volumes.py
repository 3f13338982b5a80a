"""Defaults of volumes."""

from __future__ import annotations

from podium.api.defaults.containers import default_pull_policy, set_defaults_field_ref
from podium.api.defaults.resources import round_requirements
from podium.api.types.core_v1 import (
    AzureDiskVolumeSource,
    DownwardAPIVolumeFile,
    EmptyDirVolumeSource,
    ProjectedVolumeSource,
    Volume,
)

FILE_MODE = 0o644
TOKEN_EXPIRATION_SECONDS = 3600


def set_defaults_volume(volume: Volume) -> None:
    """Fill in a volume's source; one without any becomes an emptyDir."""
    if not has_source(volume):
        volume.empty_dir = EmptyDirVolumeSource()
    for source in (volume.secret, volume.config_map, volume.downward_api, volume.projected):
        if source is not None and source.default_mode is None:
            source.default_mode = FILE_MODE
    if volume.downward_api is not None:
        _set_defaults_files(volume.downward_api.items)
    if volume.projected is not None:
        _set_defaults_projected(volume.projected)
    if volume.host_path is not None and volume.host_path.type is None:
        volume.host_path.type = ""
    if volume.image is not None:
        image = volume.image
        image.pull_policy = image.pull_policy or default_pull_policy(image.reference)
    if volume.ephemeral is not None and volume.ephemeral.volume_claim_template is not None:
        claim = volume.ephemeral.volume_claim_template.spec
        claim.volume_mode = claim.volume_mode or "Filesystem"
        round_requirements(claim.resources)
    _set_defaults_remote(volume)


def has_source(volume: Volume) -> bool:
    return volume != Volume(name=volume.name)


def _set_defaults_files(files: list[DownwardAPIVolumeFile]) -> None:
    for file in files:
        if file.field_ref is not None:
            set_defaults_field_ref(file.field_ref)


def _set_defaults_projected(projected: ProjectedVolumeSource) -> None:
    for source in projected.sources:
        token = source.service_account_token
        if token is not None and token.expiration_seconds is None:
            token.expiration_seconds = TOKEN_EXPIRATION_SECONDS
        if source.downward_api is not None:
            _set_defaults_files(source.downward_api.items)


def _set_defaults_remote(volume: Volume) -> None:
    if volume.iscsi is not None:
        volume.iscsi.iscsi_interface = volume.iscsi.iscsi_interface or "default"
    if volume.rbd is not None:
        volume.rbd.pool = volume.rbd.pool or "rbd"
        volume.rbd.user = volume.rbd.user or "admin"
        volume.rbd.keyring = volume.rbd.keyring or "/etc/ceph/keyring"
    if volume.scale_io is not None:
        volume.scale_io.storage_mode = volume.scale_io.storage_mode or "ThinProvisioned"
        volume.scale_io.fs_type = volume.scale_io.fs_type or "xfs"
    if volume.azure_disk is not None:
        set_defaults_azure_disk(volume.azure_disk)


def set_defaults_azure_disk(disk: AzureDiskVolumeSource) -> None:
    if disk.caching_mode is None:
        disk.caching_mode = "ReadWrite"
    if disk.kind is None:
        disk.kind = "Shared"
    if disk.fs_type is None:
        disk.fs_type = "ext4"
    if disk.read_only is None:
        disk.read_only = False

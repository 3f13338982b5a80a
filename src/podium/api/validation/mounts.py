"""Validation of volume mounts and block devices of a container."""

from __future__ import annotations

from collections.abc import Mapping

from podium.api.field import Path, forbidden, invalid, not_found, not_supported, required
from podium.api.types.core_v1 import (
    Container,
    EphemeralContainer,
    SecurityContext,
    Volume,
    VolumeMount,
)
from podium.api.validation.common import Errors, descending_path, no_backsteps

AnyContainer = Container | EphemeralContainer

PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
RECURSIVE_READ_ONLY = ("Disabled", "Enabled", "IfPossible")


def validate_volume_mounts(
    path: Path, container: AnyContainer, volumes: Mapping[str, Volume]
) -> Errors:
    """Check the mounts against the Pod's valid *volumes* and against the container's devices."""
    devices = {device.name: device.device_path for device in container.volume_devices}
    device_paths = set(devices.values())
    seen: set[str] = set()
    for i, mount in enumerate(container.volume_mounts):
        at = path.index(i)
        if not mount.name:
            yield required(at.child("name"))
        if mount.name not in volumes:
            yield not_found(at.child("name"), mount.name)
        if not mount.mount_path:
            yield required(at.child("mountPath"))
        if mount.mount_path in seen:
            yield invalid(at.child("mountPath"), mount.mount_path, "must be unique")
        seen.add(mount.mount_path)
        if mount.name in devices:
            text = "must not already exist in volumeDevices"
            yield invalid(at.child("name"), mount.name, text)
        if mount.mount_path in device_paths:
            text = "must not already exist as a path in volumeDevices"
            yield invalid(at.child("mountPath"), mount.mount_path, text)
        yield from _validate_sub_path(path, at, mount)
        yield from _validate_mode(path, mount, container.security_context)


def _validate_sub_path(path: Path, at: Path, mount: VolumeMount) -> Errors:
    """Some offences stand at *path*, without the index, as upstream reports them."""
    if mount.sub_path:
        yield from descending_path(path.child("subPath"), mount.sub_path)
    if mount.sub_path_expr:
        if mount.sub_path:
            text = "subPathExpr and subPath are mutually exclusive"
            yield invalid(at.child("subPathExpr"), mount.sub_path_expr, text)
        yield from descending_path(path.child("subPathExpr"), mount.sub_path_expr)


def _validate_mode(path: Path, mount: VolumeMount, context: SecurityContext | None) -> Errors:
    propagation = mount.mount_propagation
    at = path.child("mountPropagation")
    if propagation is not None and propagation not in PROPAGATIONS:
        yield not_supported(at, propagation, PROPAGATIONS)
    privileged = context is not None and bool(context.privileged)
    if propagation == "Bidirectional" and not privileged:
        text = "Bidirectional mount propagation is available only to privileged containers"
        yield forbidden(at, text)

    recursive = mount.recursive_read_only
    at = path.child("recursiveReadOnly")
    if recursive is not None and recursive not in RECURSIVE_READ_ONLY:
        yield not_supported(at, recursive, RECURSIVE_READ_ONLY)
    elif recursive not in (None, "Disabled"):
        if not mount.read_only:
            yield forbidden(at, "may only be specified when readOnly is true")
        if propagation not in (None, "None"):
            text = "may only be specified when mountPropagation is None or not specified"
            yield forbidden(at, text)


def validate_volume_devices(
    path: Path, container: AnyContainer, volumes: Mapping[str, Volume]
) -> Errors:
    mounts = {mount.name: mount.mount_path for mount in container.volume_mounts}
    mount_paths = set(mounts.values())
    paths: set[str] = set()
    names: set[str] = set()
    for i, device in enumerate(container.volume_devices):
        at = path.index(i)
        name, device_path = device.name, device.device_path
        volume = volumes.get(name)
        if not name:
            yield required(at.child("name"))
        if name in names:
            yield invalid(at.child("name"), name, "must be unique")
        if volume is None:
            yield not_found(at.child("name"), name)
        elif volume.persistent_volume_claim is None and volume.ephemeral is None:
            text = (
                "can only use volume source type of PersistentVolumeClaim or Ephemeral "
                "for block mode"
            )
            yield invalid(at.child("name"), name, text)
        if not device_path:
            yield required(at.child("devicePath"))
        if device_path in paths:
            yield invalid(at.child("devicePath"), device_path, "must be unique")
        if any(no_backsteps(at, device_path)):
            text = "can not contain backsteps ('..')"
            yield invalid(at.child("devicePath"), device_path, text)
        else:
            paths.add(device_path)
        if name in mounts:
            yield invalid(at.child("name"), name, "must not already exist in volumeMounts")
        if device_path in mount_paths:
            text = "must not already exist as a path in volumeMounts"
            yield invalid(at.child("devicePath"), device_path, text)
        if name:
            names.add(name)

"""Checks of ``storage.k8s.io``. Follows ``pkg/apis/storage/validation`` of Kubernetes."""

from __future__ import annotations

from podium.api import names
from podium.api.field import FieldError, Path, forbidden, invalid, not_supported, required
from podium.api.types.storage_v1 import CSIDriver, StorageClass, VolumeAttachment
from podium.api.validation.common import Errors, immutable, invalid_each

_RECLAIM = ("Delete", "Retain")
_BINDING = ("Immediate", "WaitForFirstConsumer")
_LIFECYCLES = ("Ephemeral", "Persistent")
_FS_GROUP = ("File", "None", "ReadWriteOnceWithFSType")
_NO_PARAMETERS = "updates to parameters are forbidden."
_ONE_SOURCE = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
_MAX_PARAMETERS, _MAX_PARAMETERS_BYTES = 512, 256 * 1024


def validate_storage_class(obj: StorageClass) -> list[FieldError]:
    errors: list[FieldError] = []
    if not obj.provisioner:
        errors.append(required(Path("provisioner")))
    else:
        found = names.qualified_name(obj.provisioner.lower())
        errors.extend(invalid_each(Path("provisioner"), obj.provisioner, found))
    size = sum(len(key) + len(value) for key, value in obj.parameters.items())
    if len(obj.parameters) > _MAX_PARAMETERS or size > _MAX_PARAMETERS_BYTES:
        text = f"must have at most {_MAX_PARAMETERS_BYTES} bytes"
        errors.append(invalid(Path("parameters"), "Provisioner Parameters", text))
    for path, value, known in (
        ("reclaimPolicy", obj.reclaim_policy, _RECLAIM),
        ("volumeBindingMode", obj.volume_binding_mode, _BINDING),
    ):
        if not value:
            errors.append(required(Path(path)))
        elif value not in known:
            errors.append(not_supported(Path(path), value, known))
    return errors


def validate_storage_class_update(new: StorageClass, old: StorageClass) -> list[FieldError]:
    errors: list[FieldError] = []
    if new.parameters != old.parameters:
        errors.append(forbidden(Path("parameters"), _NO_PARAMETERS))
    if new.provisioner != old.provisioner:
        errors.append(forbidden(Path("provisioner"), "updates to provisioner are forbidden."))
    if new.reclaim_policy != old.reclaim_policy:
        errors.append(forbidden(Path("reclaimPolicy"), "updates to reclaimPolicy are forbidden."))
    errors.extend(
        immutable(Path("volumeBindingMode"), new.volume_binding_mode, old.volume_binding_mode)
    )
    return errors


def validate_csi_driver(obj: CSIDriver) -> list[FieldError]:
    spec, at = obj.spec, Path("spec")
    errors = [
        not_supported(at.child("volumeLifecycleModes"), mode, _LIFECYCLES)
        for mode in spec.volume_lifecycle_modes
        if mode not in _LIFECYCLES
    ]
    if spec.fs_group_policy is not None and spec.fs_group_policy not in _FS_GROUP:
        errors.append(not_supported(at.child("fsGroupPolicy"), spec.fs_group_policy, _FS_GROUP))
    return errors


def validate_csi_driver_update(new: CSIDriver, old: CSIDriver) -> list[FieldError]:
    at = Path("spec")
    errors = validate_csi_driver(new)
    errors.extend(
        immutable(at.child("attachedRequired"), new.spec.attach_required, old.spec.attach_required)
    )
    errors.extend(
        immutable(
            at.child("volumeLifecycleModes"),
            new.spec.volume_lifecycle_modes,
            old.spec.volume_lifecycle_modes,
        )
    )
    return errors


def validate_volume_attachment(obj: VolumeAttachment) -> Errors:
    at, source = Path("spec"), obj.spec.source
    if not obj.spec.attacher:
        yield required(at.child("attacher"))
    if source.inline_volume_spec is None and not source.persistent_volume_name:
        yield required(at.child("source"), _ONE_SOURCE)
    elif source.inline_volume_spec is not None and source.persistent_volume_name:
        yield forbidden(at.child("source"), _ONE_SOURCE)
    if not obj.spec.node_name:
        yield required(at.child("nodeName"))

"""Checks of PersistentVolumes and claims for them."""

from __future__ import annotations

from typing import Any

from podium.api.field import FieldError, Path, forbidden, not_supported, required
from podium.api.types.core_v1 import PersistentVolume, PersistentVolumeClaim
from podium.api.validation.claims import ACCESS_MODES, VOLUME_MODES, validate_claim_spec
from podium.api.validation.common import Errors, dns1123_subdomain, immutable, non_negative_quantity

SPEC = Path("spec")
_RECLAIM = ("Delete", "Recycle", "Retain")
_NO_SOURCE = {
    "access_modes", "capacity", "claim_ref", "mount_options", "node_affinity",
    "persistent_volume_reclaim_policy", "storage_class_name", "volume_mode",
    "volume_attributes_class_name",
}  # fmt: skip
_CLAIM_KEPT = (
    "spec is immutable after creation except resources.requests and "
    "volumeAttributesClassName for bound claims"
)


def validate_persistent_volume(obj: PersistentVolume) -> list[FieldError]:
    spec, errors = obj.spec, list[FieldError]()
    if not spec.access_modes:
        errors.append(required(SPEC.child("accessModes")))
    for mode in spec.access_modes:
        if mode not in ACCESS_MODES:
            errors.append(not_supported(SPEC.child("accessModes"), mode, ACCESS_MODES))
    if not spec.capacity:
        errors.append(required(SPEC.child("capacity")))
    elif set(spec.capacity) != {"storage"}:
        at = SPEC.child("capacity")
        errors.append(not_supported(at, sorted(spec.capacity), ["storage"]))
    for name, amount in spec.capacity.items():
        errors.extend(non_negative_quantity(SPEC.child("capacity").key(name), amount))
    policy = spec.persistent_volume_reclaim_policy
    if policy and policy not in _RECLAIM:
        errors.append(not_supported(SPEC.child("persistentVolumeReclaimPolicy"), policy, _RECLAIM))
    sources = _sources(spec)
    if not sources:
        errors.append(required(SPEC, "must specify a volume type"))
    for name in sorted(sources)[1:]:
        errors.append(forbidden(SPEC.child(name), "may not specify more than 1 volume type"))
    if spec.storage_class_name:
        errors.extend(dns1123_subdomain(SPEC.child("storageClassName"), spec.storage_class_name))
    if spec.volume_mode is not None and spec.volume_mode not in VOLUME_MODES:
        errors.append(not_supported(SPEC.child("volumeMode"), spec.volume_mode, VOLUME_MODES))
    return errors


def validate_persistent_volume_update(
    new: PersistentVolume, old: PersistentVolume
) -> list[FieldError]:
    errors = validate_persistent_volume(new)
    if _sources(new.spec) != _sources(old.spec):
        text = "spec.persistentvolumesource is immutable after creation"
        errors.append(forbidden(SPEC.child("persistentvolumesource"), text))
    errors.extend(immutable(SPEC.child("volumeMode"), new.spec.volume_mode, old.spec.volume_mode))
    return errors


def _sources(spec: Any) -> dict[str, Any]:
    return {
        name: getattr(spec, name)
        for name in spec.__struct_fields__
        if name not in _NO_SOURCE and getattr(spec, name) is not None
    }


def validate_persistent_volume_claim(obj: PersistentVolumeClaim) -> list[FieldError]:
    return list(validate_claim_spec(SPEC, obj.spec))


def validate_claim_update(
    new: PersistentVolumeClaim, old: PersistentVolumeClaim
) -> list[FieldError]:
    errors = validate_persistent_volume_claim(new)
    errors.extend(_kept(new, old))
    return errors


def _kept(new: PersistentVolumeClaim, old: PersistentVolumeClaim) -> Errors:
    free = {"resources", "volume_attributes_class_name"}
    if not old.spec.volume_name:
        free.add("volume_name")  # the binder's to fill in
    if not old.spec.storage_class_name:
        free.add("storage_class_name")  # a default class that came later
    for name in new.spec.__struct_fields__:
        if name not in free and getattr(new.spec, name) != getattr(old.spec, name):
            yield forbidden(SPEC, _CLAIM_KEPT)
            return

"""Checks of claims to volumes, and of their templates in Pods.

Follows ``pkg/apis/core/validation`` of Kubernetes.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import floor

from msgspec.structs import replace

from podium.api import meta, names
from podium.api.field import FieldError, Path, Verbatim, forbidden, invalid, not_supported, required
from podium.api.quantity import parse
from podium.api.types.core_v1 import (
    EphemeralVolumeSource,
    PersistentVolumeClaim,
    PersistentVolumeClaimSpec,
    TypedLocalObjectReference,
    TypedObjectReference,
)
from podium.api.types.meta_v1 import ObjectMeta
from podium.api.validation.common import (
    Errors,
    dns1123_subdomain,
    forbid_set,
    immutable,
    invalid_each,
    labels,
)
from podium.api.validation.differences import differences
from podium.api.validation.resources import is_native
from podium.api.validation.scheduling import validate_label_selector

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")
_SPEC, _STATUS = Path("spec"), Path("status")
_RESIZES = (
    "ControllerResizeInProgress",
    "ControllerResizeInfeasible",
    "NodeResizeInProgress",
    "NodeResizeInfeasible",
    "NodeResizePending",
)
_KEPT = (
    "spec is immutable after creation except resources.requests and "
    "volumeAttributesClassName for bound claims"
)
#: All of a template's metadata but labels and annotations; names as Go's fields begin.
_METADATA = (
    ("name", "name"),
    ("generate_name", "generateName"),
    ("namespace", "namespace"),
    ("self_link", "selfLink"),
    ("uid", "uID"),
    ("resource_version", "resourceVersion"),
    ("generation", "generation"),
    ("creation_timestamp", "creationTimestamp"),
    ("deletion_timestamp", "deletionTimestamp"),
    ("deletion_grace_period_seconds", "deletionGracePeriodSeconds"),
    ("owner_references", "ownerReferences"),
    ("finalizers", "finalizers"),
    ("managed_fields", "managedFields"),
)


def validate_ephemeral(
    path: Path, source: EphemeralVolumeSource, volume_name: str, pod_name: str
) -> Errors:
    """Check a volume's template for a claim; *path* is the volume's."""
    at = path.child("ephemeral", "volumeClaimTemplate")
    if source.volume_claim_template is None:
        yield required(at)
    else:
        if source.volume_claim_template.metadata is not None:
            yield from _validate_metadata(
                at.child("metadata"), source.volume_claim_template.metadata
            )
        yield from validate_claim_spec(at.child("spec"), source.volume_claim_template.spec)
    if pod_name and volume_name:
        claim = f"{pod_name}-{volume_name}"
        for message in names.dns1123_subdomain(claim):
            yield invalid(path.child("name"), volume_name, f'PVC name "{claim}": {message}')


def _validate_metadata(path: Path, metadata: ObjectMeta) -> Errors:
    yield from meta.validate_annotations(metadata.annotations, path.child("annotations"))
    yield from labels(path.child("labels"), metadata.labels)
    yield from forbid_set(path, metadata, _METADATA, "cannot be set for an ephemeral volume")


def validate_claim_spec(path: Path, claim: PersistentVolumeClaimSpec) -> Errors:
    if not claim.access_modes:
        yield required(path.child("accessModes"), "at least 1 access mode is required")
    yield from validate_label_selector(path.child("selector"), claim.selector)
    yield from access_modes(path.child("accessModes"), claim.access_modes)
    storage = path.child("resources").key("storage")
    if "storage" not in claim.resources.requests:
        yield required(storage)
    elif parse(claim.resources.requests["storage"]).value <= 0:
        yield invalid(storage, claim.resources.requests["storage"], "must be greater than zero")
    if claim.storage_class_name:
        yield from invalid_each(
            path.child("storageClassName"),
            claim.storage_class_name,
            names.dns1123_subdomain(claim.storage_class_name),
        )
    if claim.volume_mode is not None and claim.volume_mode not in VOLUME_MODES:
        yield not_supported(path.child("volumeMode"), claim.volume_mode, VOLUME_MODES)
    if claim.data_source is not None:
        yield from _validate_data_source(path.child("dataSource"), claim.data_source)
    if claim.data_source_ref is not None:
        yield from _validate_data_source(path.child("dataSourceRef"), claim.data_source_ref)
    yield from _one_source(path, claim.data_source, claim.data_source_ref)
    if claim.volume_attributes_class_name:
        at = path.child("volumeAttributesClassName")
        yield from dns1123_subdomain(at, claim.volume_attributes_class_name)


def access_modes(path: Path, modes: list[str]) -> Errors:
    for mode in modes:
        if mode not in ACCESS_MODES:
            yield not_supported(path, mode, ACCESS_MODES)
    if "ReadWriteOncePod" in modes and len(set(modes)) > 1:
        yield forbidden(path, "may not use ReadWriteOncePod with other access modes")


def _one_source(
    path: Path,
    source: TypedLocalObjectReference | None,
    reference: TypedObjectReference | None,
) -> Errors:
    if source is None or reference is None:
        return
    shown = Verbatim(path.child("dataSource"))
    if reference.namespace:
        text = "may not be specified when dataSourceRef.namespace is specified"
        yield invalid(path, shown, text)
    elif (source.api_group, source.kind, source.name) != (
        reference.api_group,
        reference.kind,
        reference.name,
    ):
        yield invalid(path, shown, "must match dataSourceRef")


def _validate_data_source(
    path: Path, source: TypedLocalObjectReference | TypedObjectReference
) -> Errors:
    if not source.name:
        yield required(path.child("name"))
    if not source.kind:
        yield required(path.child("kind"))
    group = source.api_group or ""
    if not group and source.kind != "PersistentVolumeClaim":
        text = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        yield invalid(path, source.kind, text)
    if group:
        yield from invalid_each(path.child("apiGroup"), group, names.dns1123_subdomain(group))


def validate_claim(obj: PersistentVolumeClaim) -> list[FieldError]:
    return list(validate_claim_spec(_SPEC, obj.spec))


def validate_claim_update(
    new: PersistentVolumeClaim, old: PersistentVolumeClaim
) -> list[FieldError]:
    return [*validate_claim(new), *_kept(new, old)]


def validate_claim_status(claim: PersistentVolumeClaim) -> list[FieldError]:
    return [*_validate_capacity(claim), *_validate_resizes(claim)]


def _validate_capacity(claim: PersistentVolumeClaim) -> Errors:
    if not claim.spec.access_modes:
        yield required(Path("Spec.accessModes"))
    for name, quantity in sorted(claim.status.capacity.items()):
        yield from _basic_amount(_STATUS.child("capacity").key(name), quantity)


def _validate_resizes(claim: PersistentVolumeClaim) -> Errors:
    at = _STATUS.child("allocatedResourceStatus")
    for name, status in sorted(claim.status.allocated_resource_statuses.items()):
        yield from _resource_of_claims(at, name)
        if status not in _RESIZES:
            yield not_supported(at, name, _RESIZES)
    at = _STATUS.child("allocatedResources")
    for name, quantity in sorted(claim.status.allocated_resources.items()):
        problems = list(_resource_of_claims(at, name)) or list(
            _basic_amount(at.key(name), quantity)
        )
        yield from problems


def _basic_amount(path: Path, quantity: str) -> Errors:
    value = floor(parse(quantity).value)  # away from zero
    if value < 0:
        yield invalid(path, value, "must be a valid resource quantity")


def _resource_of_claims(path: Path, name: str) -> Errors:
    problems = names.qualified_name(name)
    yield from invalid_each(path, name, problems)
    if not problems and is_native(name) and name != "storage":
        yield not_supported(path, name, ["storage"])


def _kept(new: PersistentVolumeClaim, old: PersistentVolumeClaim) -> Errors:
    """What a claim asked for stays, so that no quota is got around; one that is bound may grow."""
    wanted, kept = _without_what_may_change(new, old), _without_what_may_change(old, old)
    if wanted != kept:
        shown = differences("core.PersistentVolumeClaimSpec", kept, wanted)
        yield forbidden(_SPEC, f"{_KEPT}\n{shown}")
    size, before = _size(new.spec.resources.requests), _size(old.spec.resources.requests)
    if size < before and size <= _size(old.status.capacity):
        at = _SPEC.child("resources", "requests", "storage")
        yield forbidden(at, "field can not be less than status.capacity")
    yield from immutable(Path("volumeMode"), new.spec.volume_mode, old.spec.volume_mode)
    name, former = new.spec.volume_attributes_class_name, old.spec.volume_attributes_class_name
    if former is not None and not name:
        what = "non-nil value to nil" if name is None else "non-empty value to empty"
        at = _SPEC.child("volumeAttributesClassName")
        if name is None or former:
            yield forbidden(at, f"update from {what} is forbidden")


def _without_what_may_change(
    claim: PersistentVolumeClaim, old: PersistentVolumeClaim
) -> PersistentVolumeClaimSpec:
    spec = replace(claim.spec)
    if not old.spec.volume_name:
        spec.volume_name = ""  # the binder's to fill in
    if old.spec.storage_class_name is None:
        spec.storage_class_name = None  # a default class that came later
    if old.status.phase == "Bound":
        requests = {**spec.resources.requests, "storage": "0"}
        spec.resources = replace(spec.resources, requests=requests)
        spec.volume_attributes_class_name = None
    return spec


def _size(amounts: Mapping[str, str]) -> Fraction:
    return parse(amounts.get("storage", "0")).value

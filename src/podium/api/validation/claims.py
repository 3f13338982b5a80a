"""Validation of claims, as far as ephemeral volumes carry their template."""

from __future__ import annotations

from podium.api import meta, names
from podium.api.field import Path, forbidden, invalid, not_supported, required
from podium.api.quantity import parse
from podium.api.types.core_v1 import (
    EphemeralVolumeSource,
    PersistentVolumeClaimSpec,
    TypedLocalObjectReference,
    TypedObjectReference,
)
from podium.api.types.meta_v1 import ObjectMeta
from podium.api.validation.common import Errors, forbid_set, invalid_each, labels
from podium.api.validation.scheduling import validate_label_selector

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")
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
    for mode in claim.access_modes:
        if mode not in ACCESS_MODES:
            yield not_supported(path.child("accessModes"), mode, ACCESS_MODES)
    if "ReadWriteOncePod" in claim.access_modes and len(set(claim.access_modes)) > 1:
        text = "may not use ReadWriteOncePod with other access modes"
        yield forbidden(path.child("accessModes"), text)
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

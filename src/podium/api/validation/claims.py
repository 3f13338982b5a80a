"""Validation of claims, as far as ephemeral volumes carry their template."""

from __future__ import annotations

from podium.api import names
from podium.api.field import Path, forbidden, invalid, not_supported, required
from podium.api.quantity import parse
from podium.api.types.core_v1 import EphemeralVolumeSource, PersistentVolumeClaimSpec
from podium.api.types.meta_v1 import ObjectMeta
from podium.api.validation.common import NOT_POSITIVE, Errors, invalid_each, labels

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")
_METADATA = (
    ("name", "name"),
    ("generate_name", "generateName"),
    ("namespace", "namespace"),
    ("uid", "uid"),
    ("resource_version", "resourceVersion"),
    ("finalizers", "finalizers"),
    ("owner_references", "ownerReferences"),
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
    for attribute, name in _METADATA:
        if getattr(metadata, attribute):
            yield forbidden(path.child(name), "cannot be set for an ephemeral volume")
    yield from labels(path.child("labels"), metadata.labels)
    for key in sorted(metadata.annotations):
        yield from invalid_each(path.child("annotations"), key, names.qualified_name(key.lower()))


def validate_claim_spec(path: Path, claim: PersistentVolumeClaimSpec) -> Errors:
    if not claim.access_modes:
        yield required(path.child("accessModes"), "at least 1 access mode is required")
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
        yield invalid(storage, claim.resources.requests["storage"], NOT_POSITIVE)
    if claim.storage_class_name:
        yield from invalid_each(
            path.child("storageClassName"),
            claim.storage_class_name,
            names.dns1123_subdomain(claim.storage_class_name),
        )
    if claim.volume_mode is not None and claim.volume_mode not in VOLUME_MODES:
        yield not_supported(path.child("volumeMode"), claim.volume_mode, VOLUME_MODES)

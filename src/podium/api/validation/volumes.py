"""Validation of a Pod's volumes: names, one source each, and the sources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from podium.api import names
from podium.api.field import (
    FieldError,
    Path,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
    too_long,
)
from podium.api.quantity import parse
from podium.api.types.core_v1 import (
    ConfigMapVolumeSource,
    CSIVolumeSource,
    DownwardAPIVolumeFile,
    DownwardAPIVolumeSource,
    EmptyDirVolumeSource,
    HostPathVolumeSource,
    ImageVolumeSource,
    KeyToPath,
    PersistentVolumeClaimVolumeSource,
    SecretVolumeSource,
    Volume,
)
from podium.api.validation.common import (
    Errors,
    dns1123_label,
    file_mode,
    invalid_each,
    no_backsteps,
    non_reserved_path,
)
from podium.api.validation.environment import (
    VOLUME_FIELDS,
    validate_field_ref,
    validate_resource_field_ref,
)

HOST_PATH_TYPES = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)


def validate_volumes(
    path: Path, volumes: list[Volume], pod_name: str
) -> tuple[dict[str, Volume], list[FieldError]]:
    """Return the valid volumes by name, and the offences of the others.

    A mount of a volume that is not valid counts as a mount of one that is not there.
    """
    valid: dict[str, Volume] = {}
    errors: list[FieldError] = []
    created = {f"{pod_name}-{v.name}" for v in volumes if pod_name and v.ephemeral is not None}
    for i, volume in enumerate(volumes):
        found = list(_validate_volume(path.index(i), volume, pod_name))
        if volume.name in valid:
            found.append(duplicate(path.index(i).child("name"), volume.name))
        if found:
            errors.extend(found)
        else:
            valid[volume.name] = volume
        claim = volume.persistent_volume_claim
        if claim is not None and claim.claim_name in created:
            at = path.index(i).child("persistentVolumeClaim", "claimName")
            text = "must not reference a PVC that gets created for an ephemeral volume"
            errors.append(invalid(at, claim.claim_name, text))
    return valid, errors


def _validate_volume(path: Path, volume: Volume, pod_name: str) -> Errors:
    yield from _validate_source(path, volume, pod_name)
    if not volume.name:
        yield required(path.child("name"))
    else:
        yield from dns1123_label(path.child("name"), volume.name)


def _validate_source(path: Path, volume: Volume, pod_name: str) -> Errors:
    from podium.api.validation.claims import validate_ephemeral
    from podium.api.validation.projected import validate_projected
    from podium.api.validation.remote_volumes import (
        REMOTE_SOURCES,
        validate_initiator,
        validate_remote,
    )

    count = 0
    for attribute, name in _ORDER:
        source = getattr(volume, attribute)
        if source is None:
            continue
        count += 1
        if count > 1:
            at = path.child(_MISSPELT.get(name, name))
            yield forbidden(at, "may not specify more than 1 volume type")
        elif attribute in _LOCAL:
            yield from _LOCAL[attribute](path.child(name), source)
        elif attribute in REMOTE_SOURCES:
            yield from validate_remote(path, attribute, source)
        elif attribute == "projected":
            yield from validate_projected(path.child(name), source)
        elif attribute == "ephemeral":
            yield from validate_ephemeral(path, source, volume.name, pod_name)
        if attribute == "iscsi":
            yield from validate_initiator(path, volume)
    if count == 0:
        yield required(path, "must specify a volume type")


def _empty_dir(path: Path, source: EmptyDirVolumeSource) -> Errors:
    if source.size_limit is not None and parse(source.size_limit).value < 0:
        text = "SizeLimit field must be a valid resource quantity"
        yield forbidden(path.child("sizeLimit"), text)


def validate_host_path(path: Path, source: HostPathVolumeSource) -> Errors:
    if not source.path:
        yield required(path.child("path"))
        return
    yield from no_backsteps(path.child("path"), source.path)
    if source.type is not None and source.type not in HOST_PATH_TYPES:
        yield not_supported(path.child("type"), source.type, HOST_PATH_TYPES)


def _secret(path: Path, source: SecretVolumeSource) -> Errors:
    if not source.secret_name:
        yield required(path.child("secretName"))
    yield from file_mode(path.child("defaultMode"), source.default_mode)
    yield from validate_items(path.child("items"), source.items)


def _config_map(path: Path, source: ConfigMapVolumeSource) -> Errors:
    if not source.name:
        yield required(path.child("name"))
    yield from file_mode(path.child("defaultMode"), source.default_mode)
    yield from validate_items(path.child("items"), source.items)


def validate_items(path: Path, items: list[KeyToPath]) -> Errors:
    for i, item in enumerate(items):
        yield from validate_key_to_path(path.index(i), item)


def validate_key_to_path(path: Path, item: KeyToPath) -> Errors:
    if not item.key:
        yield required(path.child("key"))
    if not item.path:
        yield required(path.child("path"))
    yield from non_reserved_path(path.child("path"), item.path)
    yield from file_mode(path.child("mode"), item.mode)


def _downward_api(path: Path, source: DownwardAPIVolumeSource) -> Errors:
    yield from file_mode(path.child("defaultMode"), source.default_mode)
    for file in source.items:
        yield from validate_downward_file(path, file)


def validate_downward_file(path: Path, file: DownwardAPIVolumeFile) -> Errors:
    """Check one file; *path* is the source's, for upstream names no index here."""
    if not file.path:
        yield required(path.child("path"))
    yield from non_reserved_path(path.child("path"), file.path)
    if file.field_ref is not None:
        yield from validate_field_ref(path.child("fieldRef"), file.field_ref, VOLUME_FIELDS)
        if file.resource_field_ref is not None:
            text = "fieldRef and resourceFieldRef can not be specified simultaneously"
            yield invalid(path, "resource", text)
    elif file.resource_field_ref is not None:
        yield from validate_resource_field_ref(
            path.child("resourceFieldRef"), file.resource_field_ref, in_volume=True
        )
    else:
        yield required(path, "one of fieldRef and resourceFieldRef is required")
    yield from file_mode(path.child("mode"), file.mode)


def _claim(path: Path, source: PersistentVolumeClaimVolumeSource) -> Errors:
    if not source.claim_name:
        yield required(path.child("claimName"))


def _csi(path: Path, source: CSIVolumeSource) -> Errors:
    at = path.child("driver")
    if not source.driver:
        yield required(at)
    if len(source.driver) > 63:
        yield too_long(at, 63)
    yield from invalid_each(at, source.driver, names.dns1123_subdomain(source.driver.lower()))
    secret = source.node_publish_secret_ref
    if secret is not None and not secret.name:
        yield required(path.child("nodePublishSecretRef", "name"))
    elif secret is not None:
        yield from invalid_each(
            path.child("name"), secret.name, names.dns1123_subdomain(secret.name)
        )


def _image(path: Path, source: ImageVolumeSource) -> Errors:
    if not source.reference:
        yield required(path.child("reference"))
    policies = ("Always", "IfNotPresent", "Never")
    if not source.pull_policy:
        yield required(path.child("pullPolicy"))
    elif source.pull_policy not in policies:
        yield not_supported(path.child("pullPolicy"), source.pull_policy, policies)


_LOCAL: dict[str, Callable[[Path, Any], Errors]] = {
    "empty_dir": _empty_dir,
    "host_path": validate_host_path,
    "secret": _secret,
    "config_map": _config_map,
    "downward_api": _downward_api,
    "persistent_volume_claim": _claim,
    "csi": _csi,
    "image": _image,
}

#: Where upstream reports a source that is one too many under another name than its field's.
_MISSPELT = {"downwardAPI": "downwarAPI", "cephfs": "cephFS"}

#: The order in which upstream looks at the sources; only the first one is looked into.
_ORDER = (
    ("empty_dir", "emptyDir"),
    ("host_path", "hostPath"),
    ("git_repo", "gitRepo"),
    ("gce_persistent_disk", "gcePersistentDisk"),
    ("aws_elastic_block_store", "awsElasticBlockStore"),
    ("secret", "secret"),
    ("nfs", "nfs"),
    ("iscsi", "iscsi"),
    ("glusterfs", "glusterfs"),
    ("flocker", "flocker"),
    ("persistent_volume_claim", "persistentVolumeClaim"),
    ("rbd", "rbd"),
    ("cinder", "cinder"),
    ("cephfs", "cephfs"),
    ("quobyte", "quobyte"),
    ("downward_api", "downwardAPI"),
    ("fc", "fc"),
    ("flex_volume", "flexVolume"),
    ("config_map", "configMap"),
    ("azure_file", "azureFile"),
    ("vsphere_volume", "vsphereVolume"),
    ("photon_persistent_disk", "photonPersistentDisk"),
    ("portworx_volume", "portworxVolume"),
    ("azure_disk", "azureDisk"),
    ("storageos", "storageos"),
    ("projected", "projected"),
    ("scale_io", "scaleIO"),
    ("csi", "csi"),
    ("ephemeral", "ephemeral"),
    ("image", "image"),
)

"""Checks of PersistentVolumes. Follows ``pkg/apis/core/validation`` of Kubernetes."""

from __future__ import annotations

import posixpath
from copy import deepcopy
from typing import Any

from msgspec.structs import replace

from podium.api import names
from podium.api.field import (
    FieldError,
    Path,
    Verbatim,
    forbidden,
    invalid,
    not_supported,
    required,
    too_long,
)
from podium.api.go_syntax import go_quantity
from podium.api.go_text import quote
from podium.api.quantity import canonical, parse
from podium.api.types.core_v1 import (
    CSIPersistentVolumeSource,
    LocalVolumeSource,
    NodeSelectorRequirement,
    PersistentVolume,
    PersistentVolumeSpec,
    SecretReference,
    VolumeNodeAffinity,
)
from podium.api.validation.claims import VOLUME_MODES, access_modes
from podium.api.validation.common import (
    IMMUTABLE,
    Errors,
    dns1123_label,
    dns1123_subdomain,
    immutable,
    no_backsteps,
)
from podium.api.validation.differences import differences
from podium.api.validation.remote_volumes import REMOTE_SOURCES, validate_remote
from podium.api.validation.scheduling import validate_node_selector
from podium.api.validation.volumes import validate_host_path

SPEC = Path("spec")
_NEWER = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
    "beta.kubernetes.io/os": "kubernetes.io/os",
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
}
_RECLAIM = ("Delete", "Recycle", "Retain")
#: In the order in which upstream looks at them.
_SOURCES = {
    "host_path": "hostPath",
    "gce_persistent_disk": "gcePersistentDisk",
    "aws_elastic_block_store": "awsElasticBlockStore",
    "glusterfs": "glusterfs",
    "flocker": "flocker",
    "nfs": "nfs",
    "rbd": "rbd",
    "quobyte": "quobyte",
    "cephfs": "cephfs",
    "iscsi": "iscsi",
    "cinder": "cinder",
    "fc": "fc",
    "flex_volume": "flexVolume",
    "azure_file": "azureFile",
    "vsphere_volume": "vsphereVolume",
    "photon_persistent_disk": "photonPersistentDisk",
    "portworx_volume": "portworxVolume",
    "azure_disk": "azureDisk",
    "scale_io": "scaleIO",
    "local": "local",
    "storageos": "storageos",
    "csi": "csi",
}
_SECRETS = (
    ("controller_publish_secret_ref", "controllerPublishSecretRef"),
    ("controller_expand_secret_ref", "controllerExpandSecretRef"),
    ("node_stage_secret_ref", "nodeStageSecretRef"),
    ("node_publish_secret_ref", "nodePublishSecretRef"),
    ("node_expand_secret_ref", "nodeExpandSecretRef"),
)
_MAX_DRIVER = 63


def validate_persistent_volume(obj: PersistentVolume) -> list[FieldError]:
    spec, errors = obj.spec, list[FieldError]()
    if not spec.access_modes:
        errors.append(required(SPEC.child("accessModes")))
    errors.extend(access_modes(SPEC.child("accessModes"), spec.access_modes))
    errors.extend(_capacity(SPEC.child("capacity"), spec.capacity))
    policy, at = spec.persistent_volume_reclaim_policy, SPEC.child("persistentVolumeReclaimPolicy")
    if policy and policy not in _RECLAIM:
        errors.append(not_supported(at, policy, _RECLAIM))
    errors.extend(_node_affinity(SPEC.child("nodeAffinity"), spec))
    errors.extend(_one_source(spec))
    path = spec.host_path.path if spec.host_path is not None else ""
    if path and posixpath.normpath(path).lstrip("/") == "" and policy == "Recycle":
        errors.append(forbidden(at, "may not be 'recycle' for a hostPath mount of '/'"))
    if spec.storage_class_name:
        errors.extend(dns1123_subdomain(SPEC.child("storageClassName"), spec.storage_class_name))
    if spec.volume_mode is not None and spec.volume_mode not in VOLUME_MODES:
        errors.append(not_supported(SPEC.child("volumeMode"), spec.volume_mode, VOLUME_MODES))
    if spec.volume_attributes_class_name is not None:
        errors.extend(_attributes_class(spec.volume_attributes_class_name, spec.csi))
    return errors


def validate_persistent_volume_update(
    new: PersistentVolume, old: PersistentVolume
) -> list[FieldError]:
    errors = validate_persistent_volume(new)
    if not _same_source(new.spec, old.spec):
        shown = differences("core.PersistentVolumeSource", _sources(old.spec), _sources(new.spec))
        text = f"spec.persistentvolumesource is immutable after creation\n{shown}"
        errors.append(forbidden(SPEC.child("persistentvolumesource"), text))
    errors.extend(immutable(Path("volumeMode"), new.spec.volume_mode, old.spec.volume_mode))
    if old.spec.node_affinity is not None:
        errors.extend(_same_nodes(new.spec.node_affinity, old.spec.node_affinity))
    return errors


def _same_nodes(new: VolumeNodeAffinity | None, old: VolumeNodeAffinity) -> Errors:
    """Labels of nodes that have newer names may take those."""
    if new == old or new == _renamed(old, new):
        return
    shown = Verbatim("core.VolumeNodeAffinity{Required:(*core.NodeSelector)(0xc000012345)}")
    text = f"{IMMUTABLE}, except for updating from beta label to GA"
    yield invalid(Path("nodeAffinity"), None if new is None else shown, text)


def _renamed(old: VolumeNodeAffinity, new: VolumeNodeAffinity | None) -> VolumeNodeAffinity:
    """Return *old* with the newer names of labels where *new* has them."""
    result = deepcopy(old)
    for mine, theirs in zip(_requirements(result), _requirements(new), strict=False):
        if _NEWER.get(mine.key) == theirs.key:
            mine.key = theirs.key
    return result


def _requirements(affinity: VolumeNodeAffinity | None) -> list[NodeSelectorRequirement]:
    required = affinity.required if affinity is not None else None
    terms = required.node_selector_terms if required is not None else ()
    return [requirement for term in terms for requirement in term.match_expressions]


def _sources(spec: PersistentVolumeSpec) -> dict[str, Any]:
    """Return what the volume is."""
    found = {name: getattr(spec, name) for name in _SOURCES}
    return {name: source for name, source in found.items() if source is not None}


def _same_source(new: PersistentVolumeSpec, old: PersistentVolumeSpec) -> bool:
    """Whether the volume is what it was; a secret for expanding it may be added later."""
    found = _sources(new)
    csi, before = new.csi, old.csi
    if csi is not None and before is not None and before.controller_expand_secret_ref is None:
        found["csi"] = replace(csi, controller_expand_secret_ref=None)
    return found == _sources(old)


def _capacity(path: Path, capacity: dict[str, str]) -> Errors:
    if not capacity:
        yield required(path)
    if set(capacity) != {"storage"}:
        items = ", ".join(f"{quote(key)}:{go_quantity(capacity[key])}" for key in sorted(capacity))
        shown = f"core.ResourceList{{{items}}}" if capacity else "core.ResourceList(nil)"
        yield not_supported(path, Verbatim(shown), ["storage"])
    for name in sorted(capacity):
        if parse(capacity[name]).value <= 0:
            yield invalid(path.key(name), canonical(capacity[name]), "must be greater than zero")


def _node_affinity(path: Path, spec: PersistentVolumeSpec) -> Errors:
    if spec.node_affinity is None:
        return
    if spec.node_affinity.required is None:
        yield required(path.child("required"), "must specify required node constraints")
    else:
        yield from validate_node_selector(path.child("required"), spec.node_affinity.required)


def _one_source(spec: PersistentVolumeSpec) -> Errors:
    sources = _sources(spec)
    for i, (attribute, source) in enumerate(sources.items()):
        at = SPEC.child(_SOURCES[attribute])
        if i > 0:
            yield forbidden(at, "may not specify more than 1 volume type")
        elif attribute == "host_path":
            yield from validate_host_path(at, source)
        elif attribute == "local":
            yield from _local(at, source)
            if spec.node_affinity is None:
                text = "Local volume requires node affinity"
                yield required(SPEC.child("nodeAffinity"), text)
        elif attribute == "csi":
            yield from _csi(at, source)
        elif attribute in REMOTE_SOURCES:
            yield from validate_remote(SPEC, attribute, source)
    if not sources:
        yield required(SPEC, "must specify a volume type")


def _local(path: Path, source: LocalVolumeSource) -> Errors:
    if not source.path:
        yield required(path.child("path"))
        return
    yield from no_backsteps(path.child("path"), source.path)


def _csi(path: Path, source: CSIPersistentVolumeSource) -> Errors:
    yield from validate_driver_name(path.child("driver"), source.driver)
    if not source.volume_handle:
        yield required(path.child("volumeHandle"))
    for attribute, name in _SECRETS:
        reference: SecretReference | None = getattr(source, attribute)
        if reference is not None:
            yield from _secret(path.child(name), reference)


def validate_driver_name(path: Path, name: str) -> Errors:
    if not name:
        yield required(path)
    if len(name) > _MAX_DRIVER:
        yield too_long(path, _MAX_DRIVER)
    for message in names.dns1123_subdomain(name.lower()):
        yield invalid(path, name, message)


def _secret(path: Path, reference: SecretReference) -> Errors:
    if not reference.name:
        yield required(path.child("name"))
    if not reference.namespace:
        yield required(path.child("namespace"))
    else:
        yield from dns1123_label(path.child("namespace"), reference.namespace)


def _attributes_class(name: str, csi: CSIPersistentVolumeSource | None) -> Errors:
    at = SPEC.child("volumeAttributesClassName")
    if not name:
        yield required(at, "an empty string is disallowed")
    else:
        yield from dns1123_subdomain(at, name)
    if csi is None:
        text = "has to be specified when using volumeAttributesClassName"
        yield required(SPEC.child("csi"), text)

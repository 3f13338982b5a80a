"""Validation of the volumes that lie on other machines.

No node of this cluster mounts them; a Pod that names one is stored and refused by the node. What
the API server says about it is what upstream's says.
"""

from __future__ import annotations

import re
from typing import Any

from podium.api import names
from podium.api.field import Path, invalid, not_supported, required
from podium.api.types.core_v1 import (
    AzureDiskVolumeSource,
    CinderVolumeSource,
    FCVolumeSource,
    FlexVolumeSource,
    FlockerVolumeSource,
    GitRepoVolumeSource,
    ISCSIVolumeSource,
    LocalObjectReference,
    NFSVolumeSource,
    QuobyteVolumeSource,
    StorageOSVolumeSource,
    Volume,
)
from podium.api.validation.common import Errors, descending_path, in_range, invalid_each

#: attribute → where offences are reported, and the fields that must have a value.
REMOTE_SOURCES: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "git_repo": ("gitRepo", (("repository", "repository"),)),
    "gce_persistent_disk": ("persistentDisk", (("pd_name", "pdName"),)),
    "aws_elastic_block_store": ("awsElasticBlockStore", (("volume_id", "volumeID"),)),
    "nfs": ("nfs", (("server", "server"), ("path", "path"))),
    "iscsi": ("iscsi", (("target_portal", "targetPortal"), ("iqn", "iqn"))),
    "glusterfs": ("glusterfs", (("endpoints", "endpoints"), ("path", "path"))),
    "flocker": ("flocker", ()),
    "rbd": ("rbd", (("monitors", "monitors"), ("image", "image"))),
    "cinder": ("cinder", (("volume_id", "volumeID"),)),
    "cephfs": ("cephfs", (("monitors", "monitors"),)),
    "quobyte": ("quobyte", ()),
    "fc": ("fc", ()),
    "flex_volume": ("flexVolume", (("driver", "driver"),)),
    "azure_file": ("azureFile", (("secret_name", "secretName"), ("share_name", "shareName"))),
    "vsphere_volume": ("vsphereVolume", (("volume_path", "volumePath"),)),
    "photon_persistent_disk": ("photonPersistentDisk", (("pd_id", "pdID"),)),
    "portworx_volume": ("portworxVolume", (("volume_id", "volumeID"),)),
    "azure_disk": ("azureDisk", (("disk_name", "diskName"), ("disk_uri", "diskURI"))),
    "storageos": ("storageos", ()),
    "scale_io": (
        "scaleIO",
        (("gateway", "gateway"), ("system", "system"), ("volume_name", "volumeName")),
    ),
}
#: What upstream says of any partition beyond, though 0 (the whole disk) is one as well.
_PARTITION = "must be between 1 and 255, inclusive"
_INITIATORS = {
    "iqn": re.compile(r"iqn\.\d{4}-\d{2}\.([A-Za-z0-9-.]+)(:[^,;*&$|\s]+)$"),
    "eui": re.compile(r"^eui.[A-Za-z0-9]{16}$"),
    "naa": re.compile(r"^naa.[A-Za-z0-9]{32}$"),
}
_MAX_SESSION = 64
#: Longer names (RFC 3720 knows 223 bytes) are none, so that no search takes long.
_MAX_INITIATOR = 4096
_REGISTRY = "must be a host:port pair or multiple pairs separated by commas"


def validate_remote(volume: Path, attribute: str, source: Any) -> Errors:
    """Check the source that stands at *attribute* of the volume at *volume*."""
    name, fields = REMOTE_SOURCES[attribute]
    path = volume.child(name)
    for field, json_name in fields:
        if not getattr(source, field):
            yield required(path.child(json_name))
    partition = getattr(source, "partition", 0)
    if not 0 <= partition <= 255:
        yield invalid(path.child("partition"), partition, _PARTITION)
    match source:
        case GitRepoVolumeSource():
            yield from descending_path(path.child("directory"), source.directory)
        case NFSVolumeSource():
            if not source.path.startswith("/"):
                yield invalid(path.child("path"), source.path, "must be an absolute path")
        case ISCSIVolumeSource():
            yield from _iscsi(path, source)
        case FlockerVolumeSource():
            yield from _flocker(path, source)
        case FCVolumeSource():
            yield from _fc(path, source)
        case FlexVolumeSource():
            yield from _flex(path, source)
        case AzureDiskVolumeSource():
            yield from _azure_disk(path, source)
        case StorageOSVolumeSource():
            yield from _storageos(path, source)
        case QuobyteVolumeSource():
            yield from _quobyte(path, source)
        case CinderVolumeSource():
            yield from _secret_name(path, source.secret_ref)


def _iscsi(path: Path, source: ISCSIVolumeSource) -> Errors:
    if source.iqn:
        yield from _qualified(path.child("iqn"), source.iqn)
    yield from in_range(path.child("lun"), source.lun, 0, 255)
    if (source.chap_auth_discovery or source.chap_auth_session) and source.secret_ref is None:
        yield required(path.child("secretRef"))
    if source.initiator_name is not None:
        yield from _qualified(path.child("initiatorname"), source.initiator_name)


def _qualified(path: Path, name: str) -> Errors:
    form = _INITIATORS.get(name[:3])
    if form is None:
        yield invalid(path, name, "must be valid format starting with iqn, eui, or naa")
    elif len(name) > _MAX_INITIATOR or not form.search(name):
        yield invalid(path, name, "must be valid format")


def validate_initiator(path: Path, volume: Volume) -> Errors:
    """With an initiator of its own, a volume's name and portal become the name of a session."""
    source = volume.iscsi
    if source is None or source.initiator_name is None:
        return
    if len(f"{volume.name}:{source.target_portal}") > _MAX_SESSION:
        text = (
            "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters "
            "if iscsi.initiatorName is specified."
        )
        yield invalid(path.child("name"), volume.name, text)


def _quobyte(path: Path, source: QuobyteVolumeSource) -> Errors:
    if not source.registry:
        yield required(path.child("registry"), _REGISTRY)
    elif len(source.tenant) > 64:
        text = "must be a UUID and may not exceed a length of 64 characters"
        yield required(path.child("tenant"), text)
    else:
        for pair in source.registry.split(","):
            if not _HOST_PORT.fullmatch(pair):
                yield invalid(path.child("registry"), source.registry, _REGISTRY)
    if not source.volume:
        yield required(path.child("volume"))


#: What Go's ``net.SplitHostPort`` can split.
_HOST_PORT = re.compile(r"([^][:]*|\[[^][]*\]):[^][:]*")


def _secret_name(path: Path, secret: LocalObjectReference | None) -> Errors:
    if secret is not None and not secret.name:
        yield required(path.child("secretRef", "name"))


def _flocker(path: Path, source: FlockerVolumeSource) -> Errors:
    if not source.dataset_name and not source.dataset_uuid:
        yield required(path, "one of datasetName and datasetUUID is required")
    if source.dataset_name and source.dataset_uuid:
        text = "datasetName and datasetUUID can not be specified simultaneously"
        yield invalid(path, "resource", text)
    if "/" in source.dataset_name:
        yield invalid(path.child("datasetName"), source.dataset_name, "must not contain '/'")


def _fc(path: Path, source: FCVolumeSource) -> Errors:
    at = path.child("targetWWNs")
    if not source.target_wwns and not source.wwids:
        yield required(at, "must specify either targetWWNs or wwids, but not both")
    if source.target_wwns and source.wwids:
        text = "targetWWNs and wwids can not be specified simultaneously"
        yield invalid(at, source.target_wwns, text)
    if source.target_wwns:
        if source.lun is None:
            yield required(path.child("lun"), "lun is required if targetWWNs is specified")
        else:
            yield from in_range(path.child("lun"), source.lun, 0, 255)


def _flex(path: Path, source: FlexVolumeSource) -> Errors:
    for key in sorted(source.options):
        domain = "." + key.partition("/")[0].lower()
        if domain.endswith((".kubernetes.io", ".k8s.io")):
            text = "kubernetes.io and k8s.io namespaces are reserved"
            yield invalid(path.child("options").key(key), key, text)


def _azure_disk(path: Path, source: AzureDiskVolumeSource) -> Errors:
    modes, kinds = ("None", "ReadOnly", "ReadWrite"), ("Dedicated", "Managed", "Shared")
    if source.caching_mode is not None and source.caching_mode not in modes:
        yield not_supported(path.child("cachingMode"), source.caching_mode, modes)
    if source.kind is not None and source.kind not in kinds:
        yield not_supported(path.child("kind"), source.kind, kinds)
    if source.kind == "Managed" and not source.disk_uri.startswith("/subscriptions/"):
        form = (
            "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/"
            "microsoft.compute/disks/{disk-id}"
        )
        yield not_supported(path.child("diskURI"), source.disk_uri, (form,))
    elif source.kind not in (None, "Managed") and not source.disk_uri.startswith("https://"):
        form = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"
        yield not_supported(path.child("diskURI"), source.disk_uri, (form,))


def _storageos(path: Path, source: StorageOSVolumeSource) -> Errors:
    if not source.volume_name:
        yield required(path.child("volumeName"))
    else:
        name = source.volume_name
        yield from invalid_each(path.child("volumeName"), name, names.dns1123_label(name))
    if source.volume_namespace:
        name = source.volume_namespace
        yield from invalid_each(path.child("volumeNamespace"), name, names.dns1123_label(name))
    yield from _secret_name(path, source.secret_ref)

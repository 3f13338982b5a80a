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
    FCVolumeSource,
    FlexVolumeSource,
    FlockerVolumeSource,
    GitRepoVolumeSource,
    ISCSIVolumeSource,
    NFSVolumeSource,
    StorageOSVolumeSource,
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
    "quobyte": ("quobyte", (("registry", "registry"), ("volume", "volume"))),
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
_PARTITION = "must be between 0 and 255, inclusive"
_INITIATOR = re.compile(
    r"iqn\.\d{4}-\d{2}\.([a-z0-9-.]+)(:[^,;*&$|\s]+)|eui\.[A-Fa-f0-9]{16}|naa\.[A-Fa-f0-9]{32}"
)


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


def _iscsi(path: Path, source: ISCSIVolumeSource) -> Errors:
    if source.iqn and not source.iqn.startswith(("iqn", "eui", "naa")):
        text = "must be valid format starting with iqn, eui, or naa"
        yield invalid(path.child("iqn"), source.iqn, text)
    elif source.iqn and not _INITIATOR.fullmatch(source.iqn):
        yield invalid(path.child("iqn"), source.iqn, "must be valid format")
    yield from in_range(path.child("lun"), source.lun, 0, 255)
    if (source.chap_auth_discovery or source.chap_auth_session) and source.secret_ref is None:
        yield required(path.child("secretRef"))
    name = source.initiator_name
    if name is not None and not name.startswith(("iqn", "eui", "naa")):
        text = "must be valid format starting with iqn, eui, or naa"
        yield invalid(path.child("initiatorname"), name, text)
    elif name is not None and not _INITIATOR.fullmatch(name):
        yield invalid(path.child("initiatorname"), name, "must be valid format")


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

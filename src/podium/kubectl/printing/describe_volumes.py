"""The volumes of a Pod, a template or a PersistentVolume in a description. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from podium.kubectl.printing.describe import Lines

Map = Mapping[str, Any]

#: For each kind of volume what it is called, and its fields: ``Title:field=what stands for none``.
_KINDS: dict[str, tuple[str, str]] = {
    "hostPath": ("HostPath (bare host directory volume)", "Path:path HostPathType:type=<none>"),
    "emptyDir": (
        "EmptyDir (a temporary directory that shares a pod's lifetime)",
        "Medium:medium SizeLimit:sizeLimit=<unset>",
    ),
    "gcePersistentDisk": (
        "GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)",
        "PDName:pdName FSType:fsType Partition:partition=0 ReadOnly:readOnly=false",
    ),
    "awsElasticBlockStore": (
        "AWSElasticBlockStore (a Persistent Disk resource in AWS)",
        "VolumeID:volumeID FSType:fsType Partition:partition=0 ReadOnly:readOnly=false",
    ),
    "gitRepo": (
        "GitRepo (a volume that is pulled from git when the pod is created)",
        "Repository:repository Revision:revision",
    ),
    "secret": (
        "Secret (a volume populated by a Secret)", "SecretName:secretName Optional:optional=false"
    ),
    "configMap": (
        "ConfigMap (a volume populated by a ConfigMap)", "Name:name Optional:optional=false"
    ),
    "nfs": (
        "NFS (an NFS mount that lasts the lifetime of a pod)",
        "Server:server Path:path ReadOnly:readOnly=false",
    ),
    "iscsi": (
        "ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then "
        "exposed to the pod)",
        "TargetPortal:targetPortal IQN:iqn Lun:lun=0 ISCSIInterface:iscsiInterface FSType:fsType "
        "ReadOnly:readOnly=false Portals:portals=[] DiscoveryCHAPAuth:chapAuthDiscovery=false "
        "SessionCHAPAuth:chapAuthSession=false SecretRef:secretRef=<nil> "
        "InitiatorName:initiatorName=<none>",
    ),
    "glusterfs": (
        "Glusterfs (a Glusterfs mount on the host that shares a pod's lifetime)",
        "EndpointsName:endpoints Path:path ReadOnly:readOnly=false",
    ),
    "persistentVolumeClaim": (
        "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        "ClaimName:claimName ReadOnly:readOnly=false",
    ),
    "rbd": (
        "RBD (a Rados Block Device mount on the host that shares a pod's lifetime)",
        "CephMonitors:monitors=[] RBDImage:image FSType:fsType RBDPool:pool RadosUser:user "
        "Keyring:keyring SecretRef:secretRef=<nil> ReadOnly:readOnly=false",
    ),
    "cephfs": (
        "CephFS (a CephFS mount on the host that shares a pod's lifetime)",
        "Monitors:monitors=[] Path:path User:user SecretFile:secretFile SecretRef:secretRef=<nil> "
        "ReadOnly:readOnly=false",
    ),
    "fc": (
        "FC (a Fibre Channel disk)",
        "TargetWWNs:targetWWNs LUN:lun=<none> FSType:fsType ReadOnly:readOnly=false",
    ),
    "azureFile": (
        "AzureFile (an Azure File Service mount on the host and bind mount to the pod)",
        "SecretName:secretName ShareName:shareName ReadOnly:readOnly=false",
    ),
    "flexVolume": (
        "FlexVolume (a generic volume resource that is provisioned/attached using an exec based "
        "plugin)",
        "Driver:driver FSType:fsType SecretRef:secretRef=<nil> ReadOnly:readOnly=false "
        "Options:options=map[]",
    ),
    "local": ("LocalVolume (a persistent volume backed by local storage on a node)", "Path:path"),
    "csi": (
        "CSI (a Container Storage Interface (CSI) volume source)",
        "Driver:driver FSType:fsType ReadOnly:readOnly=false",
    ),
    "image": (
        "Image (a container image or OCI artifact)", "Reference:reference PullPolicy:pullPolicy"
    ),
}  # fmt: skip
#: A PersistentVolume's says more than a Pod's.
_OF_PERSISTENT_VOLUMES = {
    "csi": "Driver:driver FSType:fsType VolumeHandle:volumeHandle ReadOnly:readOnly=false",
    "glusterfs": "EndpointsName:endpoints EndpointsNamespace:endpointsNamespace=<unset> Path:path "
    "ReadOnly:readOnly=false",
    "azureFile": "SecretName:secretName SecretNamespace:secretNamespace ShareName:shareName "
    "ReadOnly:readOnly=false",
}
_LONGEST = 140


def volumes(lines: Lines, listed: Sequence[Map] | None, indent: str = "") -> None:
    if not listed:
        lines.add(0, f"{indent}Volumes:\t<none>")
        return
    lines.add(0, f"{indent}Volumes:")
    for volume in listed:
        lines.add(1, f"{' ' if indent else ''}{volume['name']}:")
        kind = next((key for key in volume if key != "name"), "")
        _volume(lines, kind, volume.get(kind) or {})


def persistent_volume(lines: Lines, spec: Map) -> None:
    """Write where a PersistentVolume's data are."""
    kind = next((key for key in _KINDS if key in spec), "")
    fields = _OF_PERSISTENT_VOLUMES.get(kind)
    _volume(lines, kind, spec.get(kind) or {}, fields)


def _volume(lines: Lines, kind: str, source: Map, fields: str | None = None) -> None:
    if kind in _KINDS:
        title, usual = _KINDS[kind]
        lines.add(2, f"Type:\t{title}")
        _fields(lines, source, usual if fields is None else fields)
        if kind == "csi":
            _attributes(lines, source.get("volumeAttributes") or {})
    elif kind == "downwardAPI":
        lines.add(2, "Type:\tDownwardAPI (a volume populated by information about the pod)")
        lines.add(2, "Items:")
        _downward(lines, source.get("items") or ())
    elif kind == "projected":
        lines.add(
            2, "Type:\tProjected (a volume that contains injected data from multiple sources)"
        )
        for one in source.get("sources") or ():
            _projected(lines, one)
    elif kind == "ephemeral":
        lines.add(2, "Type:\tEphemeralVolume (an inline specification for a volume that gets "
                  "created and deleted with the pod)")  # fmt: skip
        if source.get("volumeClaimTemplate"):
            _claim(lines, source["volumeClaimTemplate"])
    else:
        lines.add(1, "<unknown>")


def _fields(lines: Lines, source: Map, fields: str) -> None:
    for field in fields.split():
        title, _, key = field.partition(":")
        key, _, absent = key.partition("=")
        colon = "" if title == "ISCSIInterface" else ":"
        lines.add(2, f"{title}{colon}\t{_shown(source.get(key, absent), key)}")


def _shown(value: Any, key: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(value) if key == "targetWWNs" else f"[{' '.join(map(str, value))}]"
    if isinstance(value, Mapping):
        if key == "secretRef":
            kind = "SecretReference" if "namespace" in value else "LocalObjectReference"
            parts = (f"{name.capitalize()}:{value[name]}," for name in ("name", "namespace")
                     if name in value)  # fmt: skip
            return f"&{kind}{{{''.join(parts)}}}"
        return f"map[{' '.join(f'{name}:{value[name]}' for name in sorted(value))}]"
    return str(value)


def _attributes(lines: Lines, attributes: Map) -> None:
    title = "VolumeAttributes:"
    for key, value in sorted(attributes.items()):
        text = f"{key}={value}"
        shown = f"    {text}" if len(text) <= _LONGEST else f"    {text[:_LONGEST]}..."
        lines.add(2, f"{title}\t{shown}")
        title = "    "
    if not attributes:
        lines.add(2, f"{title}\t<none>")


def _claim(lines: Lines, template: Map) -> None:
    """What a Pod asks of a claim of its own."""
    metadata, spec = template.get("metadata") or {}, template.get("spec") or {}
    lines.add(2, f"StorageClass:\t{spec.get('storageClassName', '')}")
    lines.add(2, f"Volume:\t{spec.get('volumeName', '')}")
    for title, key, mark in (("Labels:", "labels", "="), ("Annotations:", "annotations", ": ")):
        for name, value in sorted((metadata.get(key) or {}).items()) or (("", ""),):
            lines.add(2, f"{title}\t    {f'{name}{mark}{value}' if name else '<none>'}")
            title = "    "
    lines.add(2, "Capacity:\t")
    lines.add(2, "Access Modes:\t")
    lines.field("VolumeMode", spec.get("volumeMode"), 2)


def _projected(lines: Lines, source: Map) -> None:
    if source.get("secret") is not None:
        lines.add(2, f"SecretName:\t{source['secret'].get('name', '')}")
        lines.add(2, f"Optional:\t{_flag(source['secret'].get('optional'))}")
    elif source.get("downwardAPI") is not None:
        lines.add(2, "DownwardAPI:\ttrue")
    elif source.get("configMap") is not None:
        lines.add(2, f"ConfigMapName:\t{source['configMap'].get('name', '')}")
        lines.add(2, f"Optional:\t{_flag(source['configMap'].get('optional'))}")
    elif source.get("serviceAccountToken") is not None:
        seconds = source["serviceAccountToken"].get("expirationSeconds", 3600)
        lines.add(2, f"TokenExpirationSeconds:\t{seconds}")


def _downward(lines: Lines, items: Sequence[Map]) -> None:
    for item in items:
        if item.get("fieldRef"):
            lines.add(3, f"{item['fieldRef']['fieldPath']} -> {item['path']}")
        if item.get("resourceFieldRef"):
            lines.add(3, f"{item['resourceFieldRef']['resource']} -> {item['path']}")


def _flag(value: bool | None) -> str:
    return str(bool(value)).lower()

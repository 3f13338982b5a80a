"""``describe`` of volumes, claims and classes of storage. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from podium.kubectl.printing import ages, describe
from podium.kubectl.printing.describe import Lines, rfc1123
from podium.kubectl.printing.describe_volumes import persistent_volume as source

Map = Mapping[str, Any]

_CLASS = "volume.beta.kubernetes.io/storage-class"
_DEFAULT = ("storageclass.kubernetes.io/is-default-class",
            "storageclass.beta.kubernetes.io/is-default-class")  # fmt: skip
_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX",
          "ReadWriteOncePod": "RWOP"}  # fmt: skip


def persistent_volume(lines: Lines, obj: Map, now: datetime) -> None:
    metadata, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    describe.head(lines, metadata, namespaced=False)
    lines.add(0, f"Finalizers:\t{_listed(metadata.get('finalizers'))}")
    lines.add(0, f"StorageClass:\t{_class(metadata, spec)}")
    _status(lines, metadata, status, now)
    claim = spec.get("claimRef")
    name = f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else ""
    lines.add(0, f"Claim:\t{name}")
    lines.add(0, f"Reclaim Policy:\t{spec.get('persistentVolumeReclaimPolicy', '')}")
    lines.add(0, f"Access Modes:\t{_modes(spec.get('accessModes'))}")
    lines.field("VolumeMode", spec.get("volumeMode"))
    lines.add(0, f"Capacity:\t{(spec.get('capacity') or {}).get('storage', '0')}")
    _affinity(lines, (spec.get("nodeAffinity") or {}).get("required"))
    lines.add(0, f"Message:\t{status.get('message', '')}")
    lines.add(0, "Source:")
    source(lines, spec)


def persistent_volume_claim(lines: Lines, obj: Map, now: datetime, pods: Sequence[Map]) -> None:
    """Write a claim; *pods* are all of its namespace."""
    metadata, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    lines.add(0, f"Name:\t{metadata['name']}")
    lines.add(0, f"Namespace:\t{metadata.get('namespace', '')}")
    lines.add(0, f"StorageClass:\t{_class(metadata, spec)}")
    _status(lines, metadata, status, now)
    volume = spec.get("volumeName", "")
    lines.add(0, f"Volume:\t{volume}")
    describe.labels(lines, "Labels:", metadata.get("labels"))
    describe.notes(lines, metadata.get("annotations"))
    lines.add(0, f"Finalizers:\t{_listed(metadata.get('finalizers'))}")
    capacity = (status.get("capacity") or {}).get("storage", "0") if volume else ""
    lines.add(0, f"Capacity:\t{capacity}")
    lines.add(0, f"Access Modes:\t{_modes(status.get('accessModes')) if volume else ''}")
    lines.field("VolumeMode", spec.get("volumeMode"))
    origin = spec.get("dataSource")
    if origin:
        lines.add(0, "DataSource:")
        lines.field("APIGroup", origin.get("apiGroup"), 1)
        lines.add(1, f"Kind:\t{origin.get('kind', '')}")
        lines.add(1, f"Name:\t{origin.get('name', '')}")
    describe.many(lines, 0, "Used By:", _users(metadata, pods))
    describe.conditions(
        lines, status.get("conditions"), "Type", "Status", "LastProbeTime", "LastTransitionTime",
        "Reason", "Message", blanks=5,
    )  # fmt: skip


def _users(metadata: Map, pods: Sequence[Map]) -> list[str]:
    owners = {owner["uid"] for owner in metadata.get("ownerReferences") or ()
              if owner["kind"] == "Pod"}  # fmt: skip
    found = []
    for pod in pods:
        claims = [(volume.get("persistentVolumeClaim") or {}).get("claimName")
                  for volume in pod["spec"].get("volumes") or ()]  # fmt: skip
        if metadata["name"] in claims or pod["metadata"]["uid"] in owners:
            found.append(str(pod["metadata"]["name"]))
    return sorted(found)


def storage_class(lines: Lines, obj: Map, _now: datetime) -> None:
    metadata = obj["metadata"]
    notes = metadata.get("annotations") or {}
    default = "Yes" if any(notes.get(key) == "true" for key in _DEFAULT) else "No"
    lines.add(0, f"Name:\t{metadata['name']}")
    lines.add(0, f"IsDefaultClass:\t{default}")
    lines.add(0, f"Annotations:\t{describe.inline(notes)}")
    lines.add(0, f"Provisioner:\t{obj['provisioner']}")
    lines.add(0, f"Parameters:\t{describe.inline(obj.get('parameters'))}")
    lines.add(0, f"AllowVolumeExpansion:\t{obj.get('allowVolumeExpansion', '<unset>')}")
    options = obj.get("mountOptions")
    lines.add(0, "MountOptions:" if options else "MountOptions:\t<none>")
    for option in options or ():
        lines.add(1, option)
    lines.field("ReclaimPolicy", obj.get("reclaimPolicy"))
    lines.field("VolumeBindingMode", obj.get("volumeBindingMode"))
    topologies = obj.get("allowedTopologies")
    if topologies:
        lines.add(0, "AllowedTopologies:\t")
        _terms(lines, 1, [one.get("matchLabelExpressions") or () for one in topologies])


def volume_attributes_class(lines: Lines, obj: Map, _now: datetime) -> None:
    lines.add(0, f"Name:\t{obj['metadata']['name']}")
    lines.add(0, f"Annotations:\t{describe.inline(obj['metadata'].get('annotations'))}")
    lines.add(0, f"DriverName:\t{obj.get('driverName', '')}")
    lines.add(0, f"Parameters:\t{describe.inline(obj.get('parameters'))}")


def csi_node(lines: Lines, obj: Map, _now: datetime) -> None:
    describe.head(lines, obj["metadata"], namespaced=False)
    lines.add(0, f"CreationTimestamp:\t{rfc1123(obj['metadata'].get('creationTimestamp'))}")
    lines.add(0, "Spec:")
    drivers = (obj.get("spec") or {}).get("drivers")
    if drivers is not None:
        lines.add(1, "Drivers:")
    for driver in drivers or ():
        lines.add(2, f"{driver['name']}:")
        lines.add(3, f"Node ID:\t{driver.get('nodeID', '')}")
        count = (driver.get("allocatable") or {}).get("count")
        if count is not None:
            lines.add(3, "Allocatables:")
            lines.add(4, f"Count:\t{count}")
        if driver.get("topologyKeys") is not None:
            lines.add(3, f"Topology Keys:\t{_listed(driver['topologyKeys'])}")


def _status(lines: Lines, metadata: Map, status: Map, now: datetime) -> None:
    if metadata.get("deletionTimestamp"):
        lasts = ages.since(metadata["deletionTimestamp"], now)
        lines.add(0, f"Status:\tTerminating (lasts {lasts})")
    else:
        lines.add(0, f"Status:\t{status.get('phase', '')}")


def _class(metadata: Map, spec: Map) -> str:
    found = (metadata.get("annotations") or {}).get(_CLASS)
    return str(found if found is not None else spec.get("storageClassName", ""))


def _modes(modes: Sequence[str] | None) -> str:
    found = set(modes or ())
    return ",".join(short for mode, short in _MODES.items() if mode in found)


def _listed(values: Sequence[str] | None) -> str:
    return f"[{' '.join(values or ())}]"


def _affinity(lines: Lines, required: Map | None) -> None:
    if required is None:
        lines.add(0, "Node Affinity:\t<none>")
        return
    lines.add(0, "Node Affinity:\t")
    terms = required.get("nodeSelectorTerms") or ()
    lines.add(1, "Required Terms:\t" if terms else "Required Terms:\t<none>")
    _terms(lines, 2, [term.get("matchExpressions") or () for term in terms])


def _terms(lines: Lines, level: int, terms: Sequence[Sequence[Map]]) -> None:
    for place, requirements in enumerate(terms):
        texts = []
        for one in requirements:
            text = f"{one['key']} {one.get('operator', 'In').lower()}"
            texts.append(f"{text} [{', '.join(one['values'])}]" if one.get("values") else text)
        describe.many(lines, level, f"Term {place}:", texts)

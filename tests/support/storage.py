"""Claims, volumes and classes in few words."""

from __future__ import annotations

from typing import Any

from podium.api.codec import from_plain
from podium.api.types.core_v1 import PersistentVolume, PersistentVolumeClaim
from podium.api.types.storage_v1 import StorageClass

RWO = ["ReadWriteOnce"]


def claim(
    size: str = "1Gi",
    modes: list[str] = RWO,
    phase: str = "Pending",
    annotations: dict[str, str] | None = None,
    **spec: Any,
) -> PersistentVolumeClaim:
    """A claim ``c`` in ``ns`` with the uid ``u``."""
    metadata = {"name": "c", "namespace": "ns", "uid": "u", "annotations": annotations or {}}
    wish = {"accessModes": modes, "resources": {"requests": {"storage": size}}, **spec}
    plain = {"metadata": metadata, "spec": wish, "status": {"phase": phase}}
    made: PersistentVolumeClaim = from_plain(PersistentVolumeClaim, plain)
    return made


def volume(
    name: str = "pv",
    size: str = "1Gi",
    modes: list[str] = RWO,
    phase: str = "Available",
    zone: str = "",
    metadata: dict[str, Any] | None = None,
    **spec: Any,
) -> PersistentVolume:
    """A volume; with *zone*, for nodes with that label only."""
    if zone:
        term = {"matchExpressions": [{"key": "zone", "operator": "In", "values": [zone]}]}
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [term]}}
    whole = {"accessModes": modes, "capacity": {"storage": size}, **spec}
    meta = {"name": name, "resourceVersion": "1", **(metadata or {})}
    plain = {"metadata": meta, "spec": whole, "status": {"phase": phase}}
    made: PersistentVolume = from_plain(PersistentVolume, plain)
    return made


def reference(name: str = "c", uid: str = "u") -> dict[str, str]:
    return {"namespace": "ns", "name": name, "uid": uid}


def storage_class(mode: str = "Immediate", provisioner: str = "p", **more: Any) -> StorageClass:
    """The class ``fast``."""
    plain = {"metadata": {"name": "fast"}, "provisioner": provisioner, "volumeBindingMode": mode}
    made: StorageClass = from_plain(StorageClass, {**plain, **more})
    return made

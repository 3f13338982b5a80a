"""The PersistentVolume that suits a claim best: the smallest that is large enough."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from podium.api.quantity import to_int
from podium.api.selectors import from_struct
from podium.api.types.core_v1 import Node, PersistentVolume, PersistentVolumeClaim
from podium.domain.scheduling.node_affinity import selector_matches
from podium.domain.storage.names import AVAILABLE, class_of


def find_volume(
    claim: PersistentVolumeClaim,
    volumes: Iterable[PersistentVolume],
    *,
    node: Node | None = None,
    taken: Collection[str] = (),
    delayed: bool = False,
) -> PersistentVolume | None:
    """Return the volume for *claim*, None if there is none; for *node*, where one is given.

    A claim whose binding is *delayed* gets, without a node, only a volume that was reserved for it.
    Names in *taken* are promised to others. Among volumes of one size, the one whose access modes
    go least beyond those that are asked for is taken, then the first by name.
    """
    fitting = []
    for volume in volumes:
        if volume.metadata.name in taken or not _could_be(claim, volume):
            continue
        if is_reserved_for(volume, claim):
            return volume if node is None or reaches(volume, node) else None
        if (node is not None or not delayed) and _is_free(claim, volume, node):
            fitting.append(volume)
    return min(fitting, key=_preference, default=None)


def is_reserved_for(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    """Whether *volume* names *claim*: this one, where it names a uid, or one of that name."""
    reference = volume.spec.claim_ref
    if reference is None:
        return False
    names = (reference.namespace, reference.name)
    if names != (claim.metadata.namespace, claim.metadata.name):
        return False
    return reference.uid in ("", claim.metadata.uid)


def reaches(volume: PersistentVolume, node: Node) -> bool:
    """Whether *volume* can be used on *node*."""
    affinity = volume.spec.node_affinity
    if affinity is None or affinity.required is None:
        return True
    return selector_matches(affinity.required, node)


def mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim) -> str:
    """Return why *claim* cannot have the volume that it names, "" if it can."""
    if _capacity(volume) < _requested(claim):
        return "requested PV is too small"
    if class_of(volume) != class_of(claim):
        return "storageClassName does not match"
    if modes_differ(claim, volume):
        return "incompatible volumeMode"
    if not set(claim.spec.access_modes) <= set(volume.spec.access_modes):
        return "incompatible accessMode"
    return ""


def modes_differ(claim: PersistentVolumeClaim, volume: PersistentVolume) -> bool:
    """Whether one is a file system and the other a disk."""
    wanted = claim.spec.volume_mode or "Filesystem"
    return wanted != (volume.spec.volume_mode or "Filesystem")


def _could_be(claim: PersistentVolumeClaim, volume: PersistentVolume) -> bool:
    if volume.spec.claim_ref is not None and not is_reserved_for(volume, claim):
        return False
    wanted = claim.spec.volume_attributes_class_name or ""
    return (
        volume.metadata.deletion_timestamp is None
        and _capacity(volume) >= _requested(claim)
        and not modes_differ(claim, volume)
        and (volume.spec.volume_attributes_class_name or "") == wanted
    )


def _is_free(claim: PersistentVolumeClaim, volume: PersistentVolume, node: Node | None) -> bool:
    if volume.status.phase != AVAILABLE or class_of(volume) != class_of(claim):
        return False
    if not set(claim.spec.access_modes) <= set(volume.spec.access_modes):
        return False
    selector = claim.spec.selector
    if selector is not None and not from_struct(selector).matches(volume.metadata.labels):
        return False
    return node is None or reaches(volume, node)


def _preference(volume: PersistentVolume) -> tuple[int, int, str]:
    return len(set(volume.spec.access_modes)), _capacity(volume), volume.metadata.name


def _capacity(volume: PersistentVolume) -> int:
    return to_int(volume.spec.capacity.get("storage", "0"))


def _requested(claim: PersistentVolumeClaim) -> int:
    return to_int(claim.spec.resources.requests.get("storage", "0"))

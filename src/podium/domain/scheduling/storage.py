"""Which nodes a Pod's claims allow, and what has to be bound for it there.

Upstream's plugins VolumeBinding and, for ReadWriteOncePod, VolumeRestrictions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from podium.api.types.core_v1 import (
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    TopologySelectorTerm,
)
from podium.api.types.storage_v1 import StorageClass
from podium.domain.pods.claimed_volumes import READ_WRITE_ONCE_POD, claim_name, is_owner
from podium.domain.storage.claims import is_delayed
from podium.domain.storage.matching import find_volume, reaches
from podium.domain.storage.names import BIND_COMPLETED, LOST, NO_PROVISIONER, class_of

UNBOUND_IMMEDIATE = "pod has unbound immediate PersistentVolumeClaims"
NOT_THERE = "node(s) didn't match PersistentVolume's node affinity"
NOTHING_TO_BIND = "node(s) didn't find available persistent volumes to bind"
NO_VOLUME = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
IN_USE = (
    "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
)


class StorageView(msgspec.Struct, frozen=True):
    """What there is. ``used`` says whether a Pod with a node uses a claim (namespace, name)."""

    claim: Callable[[str, str], PersistentVolumeClaim | None]
    volume: Callable[[str], PersistentVolume | None]
    volumes: Callable[[], Iterable[PersistentVolume]]
    storage_class: Callable[[str], StorageClass | None]
    used: Callable[[str, str], bool]
    #: Volumes that are promised to claims, and do not show it yet.
    taken: Callable[[], Iterable[str]]


class VolumePlan(msgspec.Struct, frozen=True):
    """What to do before a Pod may go to its node: reserve volumes, and have others made there."""

    bind: tuple[tuple[PersistentVolume, PersistentVolumeClaim], ...] = ()
    provision: tuple[PersistentVolumeClaim, ...] = ()


class PodStorage(msgspec.Struct, frozen=True):
    """A Pod's claims as they are now. An *obstacle* keeps it from every node."""

    view: StorageView
    obstacle: str = ""
    counted: bool = False  #: the obstacle is told as if each node had brought it up
    bound: Sequence[PersistentVolumeClaim] = ()
    delayed: Sequence[PersistentVolumeClaim] = ()
    exclusive: bool = False  #: another Pod has a claim that only one may have

    def rejection(self, node: Node) -> tuple[str, ...]:
        """Return why the claims do not allow *node*."""
        for claim in self.bound:
            volume = self.view.volume(claim.spec.volume_name)
            if volume is None:
                return (NO_VOLUME,)
            if not reaches(volume, node):
                return (NOT_THERE,)
        return () if self.plan(node) is not None else (NOTHING_TO_BIND,)

    def plan(self, node: Node) -> VolumePlan | None:
        """Say how the claims that are not bound become so on *node*, None if they cannot."""
        taken = set(self.view.taken())
        bind, provision = [], []
        for claim in self.delayed:
            volume = find_volume(claim, self.view.volumes(), node=node, taken=taken)
            if volume is not None:
                taken.add(volume.metadata.name)
                bind.append((volume, claim))
                continue
            storage_class = self.view.storage_class(class_of(claim))
            if storage_class is None or not _can_make(storage_class, node):
                return None
            provision.append(claim)
        return VolumePlan(tuple(bind), tuple(provision))


def pod_storage(pod: Pod, view: StorageView) -> PodStorage:
    """Look at the claims of *pod*."""
    bound, delayed, unbound = [], [], False
    exclusive = False
    namespace = pod.metadata.namespace
    for volume in pod.spec.volumes:
        name = claim_name(pod, volume)
        if not name:
            continue
        claim = view.claim(namespace, name)
        problem = _problem(pod, name, claim, made_for_pod=volume.ephemeral is not None)
        if claim is None or problem:
            return PodStorage(view, problem)
        if READ_WRITE_ONCE_POD in claim.spec.access_modes and view.used(namespace, name):
            exclusive = True
        if claim.spec.volume_name and BIND_COMPLETED in claim.metadata.annotations:
            bound.append(claim)
        elif not claim.spec.volume_name and is_delayed(view.storage_class(class_of(claim))):
            delayed.append(claim)
        else:
            unbound = True
    if unbound:
        return PodStorage(view, UNBOUND_IMMEDIATE, counted=True)
    return PodStorage(view, bound=bound, delayed=delayed, exclusive=exclusive)


def _problem(
    pod: Pod, name: str, claim: PersistentVolumeClaim | None, *, made_for_pod: bool
) -> str:
    if claim is None and made_for_pod:
        return (
            f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"'
        )
    if claim is None:
        return f'persistentvolumeclaim "{name}" not found'
    if claim.status.phase == LOST:
        return (
            f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume '
            f'"{claim.spec.volume_name}"'
        )
    if claim.metadata.deletion_timestamp is not None:
        return f'persistentvolumeclaim "{name}" is being deleted'
    if made_for_pod and not is_owner(pod, claim):
        where = pod.metadata.namespace
        return (
            f"PVC {where}/{name} was not created for pod {where}/{pod.metadata.name} "
            "(pod is not owner)"
        )
    return ""


def _can_make(storage_class: StorageClass, node: Node) -> bool:
    if storage_class.provisioner in ("", NO_PROVISIONER):
        return False
    terms = storage_class.allowed_topologies
    return not terms or any(_holds(term, node) for term in terms)


def _holds(term: TopologySelectorTerm, node: Node) -> bool:
    labels = node.metadata.labels
    return all(labels.get(wish.key) in wish.values for wish in term.match_label_expressions)

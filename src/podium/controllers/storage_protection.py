"""Lets go of volumes and claims that are to be deleted, once nobody uses them."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.meta import controller_of
from podium.api.scheme import Resource
from podium.api.types.core_v1 import PersistentVolume, PersistentVolumeClaim, Pod
from podium.client.client import Client
from podium.client.informer import Informer
from podium.client.workqueue import WorkQueue
from podium.controllers.loop import work
from podium.domain.storage.names import CLAIM_FINALIZER, VOLUME_FINALIZER
from podium.kit.clock import Clock

_Key = tuple[str, str]
T = TypeVar("T", PersistentVolumeClaim, PersistentVolume)


class StorageProtectionController:
    """Keys are namespace and name of a claim; of a volume, with "" as namespace.

    Upstream's are two controllers, hence a client for claims and another one for volumes.
    """

    def __init__(
        self,
        claim_client: Client,
        volume_client: Client,
        claims: Informer[PersistentVolumeClaim],
        volumes: Informer[PersistentVolume],
        pods: Informer[Pod],
        clock: Clock,
    ) -> None:
        self._claim_client, self._volume_client = claim_client, volume_client
        self._claims, self._volumes, self._pods = claims, volumes, pods
        self._queue: WorkQueue[_Key] = WorkQueue(clock)
        claims.on_change(lambda _, new: self._added(new))
        volumes.on_change(lambda _, new: self._added(new))
        pods.on_change(self._pod_changed)

    async def run(self) -> None:
        await work("storage-protection", self._queue, self._reconcile)

    def _added(self, obj: PersistentVolumeClaim | PersistentVolume | None) -> None:
        if obj is not None and obj.metadata.deletion_timestamp is not None:
            self._queue.add((obj.metadata.namespace, obj.metadata.name))

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        if pod is not None and (new is None or _is_shut_down(new)):
            for name in claims_of(pod):
                self._queue.add((pod.metadata.namespace, name))

    async def _reconcile(self, key: _Key) -> None:
        namespace, name = key
        if namespace:
            claim = self._claims.get(namespace, name)
            released = claim and _without(claim, CLAIM_FINALIZER)
            if claim is not None and released is not None and not await self._is_used(claim):
                await _write(self._claim_client, scheme.PERSISTENTVOLUMECLAIMS, released)
        else:
            volume = self._volumes.get("", name)
            if volume is not None and volume.status.phase != "Bound":
                left = _without(volume, VOLUME_FINALIZER)
                if left is not None:
                    await _write(self._volume_client, scheme.PERSISTENTVOLUMES, left)

    async def _is_used(self, claim: PersistentVolumeClaim) -> bool:
        """A Pod that is not in the cache yet counts as well: only the server's own list tells."""
        namespace = claim.metadata.namespace
        if any(uses(pod, claim) for pod in self._pods.in_namespace(namespace)):
            return True
        found = await self._claim_client.list(scheme.PODS, namespace)
        return any(uses(pod, claim) for pod in found.items)


async def _write(client: Client, resource: Resource, obj: T) -> None:
    try:
        await client.update(resource, obj)
    except ApiError as exc:
        if exc.code != 404:  # its last finalizer may have been somebody else's
            raise


def _without(obj: T, finalizer: str) -> T | None:
    """Return *obj* without *finalizer*, None where it is not to be deleted or has none."""
    metadata = obj.metadata
    if metadata.deletion_timestamp is None or finalizer not in metadata.finalizers:
        return None
    left = [name for name in metadata.finalizers if name != finalizer]
    return msgspec.structs.replace(obj, metadata=msgspec.structs.replace(metadata, finalizers=left))


def uses(pod: Pod, claim: PersistentVolumeClaim) -> bool:
    """Whether *pod*, of the same namespace, keeps *claim*, be it finished or not: no kubelet starts
    one with a claim that is to be deleted, so only those that have a node count."""
    if not pod.spec.node_name:
        return False
    name, owner = claim.metadata.name, controller_of(claim)
    its_own = owner is not None and owner.uid == pod.metadata.uid and not _is_shut_down(pod)
    for volume in pod.spec.volumes:
        source = volume.persistent_volume_claim
        if source is not None and source.claim_name == name:
            return True
        if (
            volume.ephemeral is not None
            and its_own
            and f"{pod.metadata.name}-{volume.name}" == name
        ):
            return True
    return False


def _is_shut_down(pod: Pod) -> bool:
    """Whether its kubelet is done with it, or was not waited for. Its own claims may go before it,
    or a finalizer of the Pod that waits for them would wait for ever."""
    metadata = pod.metadata
    return metadata.deletion_timestamp is not None and metadata.deletion_grace_period_seconds == 0


def claims_of(pod: Pod) -> set[str]:
    """Return the names of the claims that *pod* uses, its ephemeral volumes' included."""
    found = set()
    for volume in pod.spec.volumes:
        if volume.persistent_volume_claim is not None:
            found.add(volume.persistent_volume_claim.claim_name)
        elif volume.ephemeral is not None:
            found.add(f"{pod.metadata.name}-{volume.name}")
    return found

"""Makes the claims of Pods' generic ephemeral volumes; the garbage collector takes them away."""

from __future__ import annotations

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.core_v1 import PersistentVolumeClaim, Pod, Volume
from podium.api.types.meta_v1 import ObjectMeta, OwnerReference
from podium.client.client import Client
from podium.client.delta import Key, key_of
from podium.client.informer import Informer
from podium.client.workqueue import WorkQueue
from podium.controllers.loop import work
from podium.kit.clock import Clock


class EphemeralVolumeController:
    """Keys are Pods."""

    def __init__(
        self,
        client: Client,
        pods: Informer[Pod],
        claims: Informer[PersistentVolumeClaim],
        clock: Clock,
    ) -> None:
        self._client, self._pods, self._claims = client, pods, claims
        self._queue: WorkQueue[Key] = WorkQueue(clock)
        pods.on_change(self._pod_changed)
        claims.on_change(self._claim_changed)

    async def run(self) -> None:
        await work("ephemeral-volume", self._queue, self._reconcile)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        if old is None and new is not None and any(v.ephemeral for v in new.spec.volumes):
            self._queue.add(key_of(new))

    def _claim_changed(
        self, old: PersistentVolumeClaim | None, new: PersistentVolumeClaim | None
    ) -> None:
        if new is None and old is not None:  # the Pod may be there still
            for reference in old.metadata.owner_references:
                if reference.kind == "Pod":
                    self._queue.add(Key(old.metadata.namespace, reference.name))

    async def _reconcile(self, key: Key) -> None:
        pod = self._pods.get(*key)
        if pod is None or pod.metadata.deletion_timestamp is not None:
            return
        for volume in pod.spec.volumes:
            if volume.ephemeral is not None:
                await self._ensure(pod, volume)

    async def _ensure(self, pod: Pod, volume: Volume) -> None:
        claim = claim_of(pod, volume)
        if self._claims.get(claim.metadata.namespace, claim.metadata.name) is not None:
            return  # whether it is the Pod's own, scheduler and node look for themselves
        try:
            await self._client.create(scheme.PERSISTENTVOLUMECLAIMS, claim)
        except ApiError as exc:
            if exc.reason != "AlreadyExists":
                raise


def claim_of(pod: Pod, volume: Volume) -> PersistentVolumeClaim:
    """Return the claim that *volume* of *pod* stands for, owned by the Pod."""
    assert volume.ephemeral is not None
    template = volume.ephemeral.volume_claim_template
    assert template is not None, "the API's validation asks for one"
    owner = OwnerReference(
        api_version="v1",
        kind="Pod",
        name=pod.metadata.name,
        uid=pod.metadata.uid,
        controller=True,
        block_owner_deletion=True,
    )
    metadata = ObjectMeta(
        name=f"{pod.metadata.name}-{volume.name}",
        namespace=pod.metadata.namespace,
        labels=dict(template.metadata.labels),
        annotations=dict(template.metadata.annotations),
        owner_references=[owner],
    )
    return PersistentVolumeClaim(metadata=metadata, spec=template.spec)

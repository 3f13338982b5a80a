"""The claims of Pods: what the scheduler knows of them, and binding them before a Pod is bound."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.core_v1 import PersistentVolume, PersistentVolumeClaim, Pod
from podium.api.types.storage_v1 import StorageClass
from podium.client.client import Client
from podium.client.errors import Unreachable
from podium.client.informer import Informer
from podium.domain.pods.claimed_volumes import claim_name
from podium.domain.scheduling.storage import PodStorage, StorageView, VolumePlan, pod_storage
from podium.domain.storage.binding import bound_volume
from podium.domain.storage.names import BIND_COMPLETED, SELECTED_NODE
from podium.kit.clock import Clock

#: Seconds that claims may take to become bound, once they can.
PATIENCE = 600.0


class NotBound(Exception):
    """The claims of a Pod were not bound; the text is for the user."""


class VolumeBinder:
    """*used* says whether a Pod with a node uses a claim."""

    def __init__(self, client: Client, used: Callable[[str, str], bool], clock: Clock) -> None:
        self._client, self._clock = client, clock
        self.claims: Informer[PersistentVolumeClaim] = Informer(
            client, scheme.PERSISTENTVOLUMECLAIMS, clock=clock
        )
        self.volumes: Informer[PersistentVolume] = Informer(
            client, scheme.PERSISTENTVOLUMES, clock=clock
        )
        self.classes: Informer[StorageClass] = Informer(client, scheme.STORAGECLASSES, clock=clock)
        self._taken: set[str] = set()
        self._news: set[asyncio.Event] = set()
        self.claims.on_change(lambda _old, _new: self.look_again())
        self._view = StorageView(
            claim=self.claims.get,
            volume=lambda name: self.volumes.get("", name),
            volumes=self.volumes.list,
            storage_class=lambda name: self.classes.get("", name),
            used=used,
            taken=lambda: self._taken,
        )

    @property
    def informers(
        self,
    ) -> tuple[
        Informer[PersistentVolumeClaim] | Informer[PersistentVolume] | Informer[StorageClass], ...
    ]:
        return self.claims, self.volumes, self.classes

    def storage(self, pod: Pod) -> PodStorage | None:
        """Look at the claims of *pod*, None where it has none."""
        return pod_storage(pod, self._view) if has_claims(pod) else None

    def reserve(self, plan: VolumePlan) -> None:
        """Promise the plan's volumes to its claims, until :meth:`release`."""
        self._taken |= {volume.metadata.name for volume, _ in plan.bind}

    def release(self, plan: VolumePlan) -> None:
        self._taken -= {volume.metadata.name for volume, _ in plan.bind}

    async def bind(
        self, pod: Pod, plan: VolumePlan, node: str, is_there: Callable[[], bool]
    ) -> None:
        """Have the claims bound for *node* and wait until they are, while the Pod *is_there*: see
        :meth:`look_again`. Raises NotBound."""
        try:
            for volume, claim in plan.bind:
                await self._client.update(scheme.PERSISTENTVOLUMES, bound_volume(volume, claim))
            for claim in plan.provision:
                await self._select(claim, node)
        except (ApiError, Unreachable) as exc:
            raise NotBound(str(exc)) from exc
        await self._until_bound(pod, is_there)

    async def _select(self, claim: PersistentVolumeClaim, node: str) -> None:
        metadata = claim.metadata
        if metadata.annotations.get(SELECTED_NODE) == node:
            return
        annotations = {**metadata.annotations, SELECTED_NODE: node}
        new = replace(claim, metadata=replace(metadata, annotations=annotations))
        await self._client.update(scheme.PERSISTENTVOLUMECLAIMS, new)

    async def _until_bound(self, pod: Pod, is_there: Callable[[], bool]) -> None:
        news = asyncio.Event()
        self._news.add(news)
        until = self._clock.monotonic() + PATIENCE
        try:
            while not all(map(_is_bound, self._claims_of(pod))):
                if not is_there():
                    raise NotBound(f'pod "{pod.metadata.name}" does not exist any more')
                left = until - self._clock.monotonic()
                if left <= 0:
                    raise NotBound("timed out waiting for the condition")
                news.clear()
                await self._clock.wait(news, left)
        finally:
            self._news.discard(news)

    def _claims_of(self, pod: Pod) -> Iterator[PersistentVolumeClaim]:
        namespace = pod.metadata.namespace
        for volume in pod.spec.volumes:
            name = claim_name(pod, volume)
            if name:
                claim = self.claims.get(namespace, name)
                if claim is None:
                    raise NotBound(f'persistentvolumeclaim "{name}" not found')
                yield claim

    def look_again(self) -> None:
        """To be called where a Pod has gone."""
        for news in self._news:
            news.set()


def has_claims(pod: Pod) -> bool:
    return any(claim_name(pod, volume) for volume in pod.spec.volumes)


def _is_bound(claim: PersistentVolumeClaim) -> bool:
    return bool(claim.spec.volume_name) and BIND_COMPLETED in claim.metadata.annotations

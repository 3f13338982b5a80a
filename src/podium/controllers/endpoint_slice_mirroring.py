"""Mirrors the Endpoints that users write for Services without a selector, as EndpointSlices.

What they say is ``podium.domain.services.mirroring``. Whoever routes to Services reads slices only.
"""

from __future__ import annotations

from podium.api.types.core_v1 import Endpoints, Service
from podium.api.types.discovery_v1 import EndpointSlice
from podium.client.client import Client
from podium.client.delta import Key, key_of
from podium.client.informer import Informer
from podium.client.workqueue import WorkQueue
from podium.controllers.loop import work
from podium.controllers.slice_writer import BY_SERVICE, SliceWriter
from podium.controllers.written import Written
from podium.domain.services import mirroring, slices
from podium.domain.services.placing import Changes
from podium.kit.clock import Clock


class EndpointSliceMirroringController:
    """Keys are Endpoints, or the Services of their name. *existing* must be indexed by
    ``slice_writer.BY_SERVICE``."""

    def __init__(
        self,
        client: Client,
        services: Informer[Service],
        endpoints: Informer[Endpoints],
        existing: Informer[EndpointSlice],
        clock: Clock,
    ) -> None:
        self._services, self._endpoints, self._existing = services, endpoints, existing
        self._queue: WorkQueue[Key] = WorkQueue(clock)
        self._writer = SliceWriter(client, clock)
        services.on_change(self._changed)
        endpoints.on_change(self._changed)
        existing.on_change(self._slice_changed)

    async def run(self) -> None:
        await work("endpoint_slice_mirroring", self._queue, self._reconcile, workers=2)

    def _changed(self, old: Service | Endpoints | None, new: Service | Endpoints | None) -> None:
        changed = new or old
        if changed is not None:
            self._queue.add(key_of(changed))

    def _slice_changed(self, old: EndpointSlice | None, new: EndpointSlice | None) -> None:
        for each in (old, new):
            labels = each.metadata.labels if each else {}
            if each is not None and labels.get(slices.MANAGED_BY) == mirroring.CONTROLLER:
                self._queue.add(Key(each.metadata.namespace, labels.get(slices.SERVICE_NAME, "")))

    async def _reconcile(self, key: Key) -> None:
        endpoints = self._endpoints.get(*key)
        existing = slices.owned(
            key.name, self._existing.find(BY_SERVICE, str(key)), mirroring.CONTROLLER
        )
        if endpoints is None or not mirroring.is_mirrored(endpoints, self._services.get(*key)):
            await self._writer.write(key, Changes(delete=existing))
            self._writer.forget(key)
        elif self._writer.is_in(key, existing):
            await self._writer.write(key, mirroring.reconcile(endpoints, existing))
        else:
            self._queue.add_after(key, Written.PATIENCE)  # or when the news of it arrives

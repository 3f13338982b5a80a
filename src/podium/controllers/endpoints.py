"""Keeps the Endpoints of each Service that has a selector.

What they say is ``podium.domain.services.endpoints``.
"""

from __future__ import annotations

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.core_v1 import Endpoints, Pod, Service
from podium.client.client import Client
from podium.client.delta import Key, key_of
from podium.client.informer import Informer
from podium.client.workqueue import WorkQueue
from podium.controllers.creating import create_unless_there
from podium.controllers.loop import work
from podium.controllers.service_members import ServiceMembers
from podium.domain.services import endpoints, members
from podium.kit.clock import Clock


class EndpointsController:
    """Keys are Services."""

    def __init__(
        self,
        client: Client,
        services: Informer[Service],
        pods: Informer[Pod],
        existing: Informer[Endpoints],
        clock: Clock,
    ) -> None:
        self._client, self._services, self._existing = client, services, existing
        self._queue: WorkQueue[Key] = WorkQueue(clock)
        self._members = ServiceMembers(services, pods, self._queue)
        services.on_change(self._service_changed)
        existing.on_change(self._endpoints_changed)
        #: Services that went while we watched: their Endpoints go, whoever has made them.
        self._gone: set[Key] = set()

    async def run(self) -> None:
        await work("endpoint", self._queue, self._reconcile, workers=5)

    def _service_changed(self, old: Service | None, new: Service | None) -> None:
        if new is not None:
            self._gone.discard(key_of(new))
        elif old is not None:
            self._gone.add(key_of(old))

    def _endpoints_changed(self, old: Endpoints | None, new: Endpoints | None) -> None:
        changed = new or old
        if changed is not None:
            self._queue.add(key_of(changed))

    async def _reconcile(self, key: Key) -> None:
        service = self._services.get(*key)
        current = self._existing.get(*key)
        if service is None:
            if current is not None and (key in self._gone or _is_ours(current)):
                await self._delete(current)
            self._gone.discard(key)
            return
        if service.metadata.deletion_timestamp is not None or not members.is_served(service):
            return
        pods = self._members.of(service)
        changed_at = self._members.changed_at(service, pods)
        wanted = endpoints.wanted(service, pods, current, changed_at)
        if wanted is None:
            return
        if current is None:
            await create_unless_there(self._client, scheme.ENDPOINTS, wanted)
        else:
            await self._client.update(scheme.ENDPOINTS, wanted)

    async def _delete(self, current: Endpoints) -> None:
        metadata = current.metadata
        try:
            await self._client.delete(
                scheme.ENDPOINTS, metadata.name, namespace=metadata.namespace, uid=metadata.uid
            )
        except ApiError as exc:
            if exc.code != 404:
                raise


def _is_ours(current: Endpoints) -> bool:
    return current.metadata.labels.get(endpoints.MANAGED_BY) == endpoints.CONTROLLER

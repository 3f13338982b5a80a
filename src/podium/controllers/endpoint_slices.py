"""Keeps the EndpointSlices of each Service that has a selector.

What they say is ``podium.domain.services.slices``. Slices go with their Service: it owns them.
"""

from __future__ import annotations

from collections.abc import Iterable

from podium.api.types.core_v1 import Node, Pod, Service
from podium.api.types.discovery_v1 import EndpointSlice
from podium.client.client import Client
from podium.client.delta import Key
from podium.client.informer import Informer
from podium.client.workqueue import WorkQueue
from podium.controllers.loop import work
from podium.controllers.service_members import ServiceMembers
from podium.controllers.slice_writer import BY_SERVICE, SliceWriter
from podium.controllers.written import Written
from podium.domain.services import members, slices
from podium.kit.clock import Clock


class EndpointSliceController:
    """Keys are Services. *existing* must be indexed by ``slice_writer.BY_SERVICE``."""

    def __init__(
        self,
        client: Client,
        services: Informer[Service],
        pods: Informer[Pod],
        nodes: Informer[Node],
        existing: Informer[EndpointSlice],
        clock: Clock,
    ) -> None:
        self._services, self._existing = services, existing
        self._queue: WorkQueue[Key] = WorkQueue(clock)
        self._members = ServiceMembers(services, pods, self._queue)
        self._nodes, self._writer = nodes, SliceWriter(client, clock)
        #: Nodes that were not there when they were looked for, and the Services with Pods on them.
        self._waiting: dict[str, set[Key]] = {}
        existing.on_change(self._slice_changed)
        nodes.on_change(self._node_changed)

    async def run(self) -> None:
        await work("endpoint_slice", self._queue, self._reconcile, workers=5)

    def _slice_changed(self, old: EndpointSlice | None, new: EndpointSlice | None) -> None:
        for each in (old, new):
            name = each.metadata.labels.get(slices.SERVICE_NAME, "") if each else ""
            if each is not None and name:
                self._queue.add(Key(each.metadata.namespace, name))

    def _node_changed(self, _: Node | None, new: Node | None) -> None:
        if new is not None:
            for key in self._waiting.pop(new.metadata.name, ()):
                self._queue.add(key)

    async def _reconcile(self, key: Key) -> None:
        service = self._services.get(*key)
        if service is None:
            self._writer.forget(key)
            return
        if service.metadata.deletion_timestamp is not None or not members.is_served(service):
            return
        existing = slices.owned(key.name, self._existing.find(BY_SERVICE, str(key)))
        if not self._writer.is_in(key, existing):
            self._queue.add_after(key, Written.PATIENCE)  # or when the news of it arrives
            return
        pods = self._members.of(service)
        nodes = {node.metadata.name: node for node in self._nodes_of(pods)}
        changes = slices.reconcile(service, pods, nodes, existing)
        for node in changes.incomplete:
            self._waiting.setdefault(node, set()).add(key)
        changed_at = self._members.changed_at(service, pods)
        await self._writer.write(key, changes, changed_at)

    def _nodes_of(self, pods: Iterable[Pod]) -> Iterable[Node]:
        for name in {pod.spec.node_name for pod in pods}:
            node = self._nodes.get("", name)
            if node is not None:
                yield node

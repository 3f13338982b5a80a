"""Keeps the EndpointSlices of each Service that has a selector.

What they say is ``podium.domain.services.slices``. Slices go with their Service: it owns them.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.core_v1 import Node, Pod, Service
from podium.api.types.discovery_v1 import EndpointSlice
from podium.client.client import Client
from podium.client.delta import Key
from podium.client.informer import Informer
from podium.client.workqueue import WorkQueue
from podium.controllers.loop import work
from podium.controllers.service_members import ServiceMembers
from podium.controllers.written import Written
from podium.domain.services import members, slices
from podium.kit.clock import Clock


def service_of(each: EndpointSlice) -> tuple[str]:
    """Index of slices by namespace and name of their Service."""
    metadata = each.metadata
    return (f"{metadata.namespace}/{metadata.labels.get(slices.SERVICE_NAME, '')}",)


#: Name of the index that :func:`service_of` makes.
BY_SERVICE = "service"


class EndpointSliceController:
    """Keys are Services. *existing* must be indexed by :data:`BY_SERVICE`."""

    def __init__(
        self,
        client: Client,
        services: Informer[Service],
        pods: Informer[Pod],
        nodes: Informer[Node],
        existing: Informer[EndpointSlice],
        clock: Clock,
    ) -> None:
        self._client, self._services, self._existing = client, services, existing
        self._queue: WorkQueue[Key] = WorkQueue(clock)
        self._members = ServiceMembers(services, pods, self._queue)
        self._nodes, self._written = nodes, Written(clock)
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
            self._written.forget(key)
            return
        if service.metadata.deletion_timestamp is not None or not members.is_served(service):
            return
        existing = slices.owned(service, self._existing.find(BY_SERVICE, str(key)))
        if not self._written.is_in(key, existing):
            self._queue.add_after(key, Written.PATIENCE)  # or when the news of it arrives
            return
        pods = self._members.of(service)
        nodes = {node.metadata.name: node for node in self._nodes_of(pods)}
        changes = slices.reconcile(service, pods, nodes, existing)
        for node in changes.incomplete:
            self._waiting.setdefault(node, set()).add(key)
        changed_at = self._members.changed_at(service, pods)
        await self._write(key, changes, changed_at)

    def _nodes_of(self, pods: Iterable[Pod]) -> Iterable[Node]:
        for name in {pod.spec.node_name for pod in pods}:
            node = self._nodes.get("", name)
            if node is not None:
                yield node

    async def _write(self, key: Key, changes: slices.Changes, changed_at: str) -> None:
        """New slices first, so that no endpoint is missing in between."""
        for each in changes.create:
            made = await self._client.create(scheme.ENDPOINTSLICES, _stamped(each, changed_at))
            self._written.note(key, made)
        for each in changes.update:
            done = await self._client.update(scheme.ENDPOINTSLICES, _stamped(each, changed_at))
            self._written.note(key, done)
        for each in changes.delete:
            await self._delete(key, each)

    async def _delete(self, key: Key, each: EndpointSlice) -> None:
        metadata = each.metadata
        try:
            await self._client.delete(
                scheme.ENDPOINTSLICES,
                metadata.name,
                namespace=metadata.namespace,
                uid=metadata.uid,
            )
        except ApiError as exc:
            if exc.code != 404:
                raise
        else:
            self._written.drop(key, each)


def _stamped(each: EndpointSlice, changed_at: str) -> EndpointSlice:
    if not changed_at:
        return each
    annotations = {**each.metadata.annotations, members.LAST_CHANGE: changed_at}
    metadata = msgspec.structs.replace(each.metadata, annotations=annotations)
    return msgspec.structs.replace(each, metadata=metadata)

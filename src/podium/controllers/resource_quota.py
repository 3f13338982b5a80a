"""Keeps the status of ResourceQuotas: what there is to share, and what is taken of it.

Admission adds to what is taken; only what is counted here takes anything away, as soon as an object
is gone or takes less. Kinds are watched while some quota limits them, and no others. Follows
``pkg/controller/resourcequota``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from podium.api import scheme
from podium.api.scheme import PERSISTENTVOLUMECLAIMS, PODS, RESOURCEQUOTAS, SERVICES, Resource
from podium.api.types.core_v1 import PersistentVolumeClaim, Pod, ResourceQuota
from podium.client.client import Client
from podium.client.informer import Informer
from podium.client.workqueue import WorkQueue
from podium.controllers.loop import work
from podium.domain.quota import counting
from podium.domain.quota.usage import Amounts, added, released_at
from podium.kit.clock import Clock

#: Seconds between counts of everything, for what was charged to a write that never came; as
#: upstream.
RESYNC = 300.0
#: Seconds after which is counted again what was counted while objects were being stored.
_AGAIN = 0.02
_Key = tuple[str, str]


class NamedMetadata(msgspec.Struct, rename="camel"):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""


class Named(msgspec.Struct):
    """Any object of which nothing more has to be known than that it is there."""

    metadata: NamedMetadata


class ResourceQuotaController:
    """Keys are namespace and name of a quota."""

    def __init__(
        self,
        client: Client,
        quotas: Informer[ResourceQuota],
        pods: Informer[Pod],
        claims: Informer[PersistentVolumeClaim],
        clock: Clock,
    ) -> None:
        self._client, self._quotas, self._clock = client, quotas, clock
        self._queue: WorkQueue[_Key] = WorkQueue(clock)
        self._watched: dict[Resource, asyncio.Task[None]] = {}
        self._kinds_changed = asyncio.Event()
        quotas.on_change(self._quota_changed)
        pods.on_change(partial(self._changed, PODS))
        pods.on_change(lambda _, new: self._will_end(new))
        claims.on_change(partial(self._changed, PERSISTENTVOLUMECLAIMS))

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(work("resourcequota", self._queue, self._reconcile))
            tasks.create_task(self._resync())
            while True:
                self._watch_kinds(tasks)
                await self._kinds_changed.wait()

    async def _resync(self) -> None:
        while True:
            await self._clock.sleep(RESYNC)
            for quota in self._quotas.list():
                self._queue.add(_key(quota))

    # -- what calls for a count

    def _quota_changed(self, old: ResourceQuota | None, new: ResourceQuota | None) -> None:
        if new is None or old is None or old.spec.hard != new.spec.hard:
            self._kinds_changed.set()
        if new is None and old is not None:
            self._gone(RESOURCEQUOTAS, old.metadata.namespace)
        if new is not None and (old is None or new.status.hard != new.spec.hard):
            self._queue.add(_key(new))

    def _changed(self, resource: Resource, old: Any, new: Any) -> None:
        """Count where an object takes something else than it did; a new one is charged already."""
        if old is None:
            return
        now = self._clock.now()
        for quota in self._quotas.in_namespace(old.metadata.namespace):
            if not counting.concerns(quota, resource):
                continue
            after = {} if new is None else counting.share(quota, resource, new, now)
            if counting.share(quota, resource, old, now) != after:
                self._queue.add(_key(quota))

    def _will_end(self, pod: Pod | None) -> None:
        """Count once a Pod that stays is not held against anybody any more."""
        end = released_at(pod) if pod is not None else None
        if pod is None or end is None:
            return
        for quota in self._quotas.in_namespace(pod.metadata.namespace):
            if counting.concerns(quota, PODS):
                left = (end - self._clock.now()).total_seconds()
                self._queue.add_after(_key(quota), max(left, 0.0) + 1.0)

    def _gone(self, resource: Resource, namespace: str) -> None:
        for quota in self._quotas.in_namespace(namespace):
            if counting.concerns(quota, resource):
                self._queue.add(_key(quota))

    # -- watching

    def _watch_kinds(self, tasks: asyncio.TaskGroup) -> None:
        """Watch what some quota limits; Pods, claims and quotas are watched for others anyway."""
        self._kinds_changed.clear()
        quotas = self._quotas.list()
        others = set(_kinds()) - {PODS, PERSISTENTVOLUMECLAIMS, RESOURCEQUOTAS}
        wanted = {kind for kind in others if any(counting.concerns(q, kind) for q in quotas)}
        for kind in self._watched.keys() - wanted:
            self._watched.pop(kind).cancel()
        for kind in wanted - self._watched.keys():
            following = self._follow(kind)
            self._watched[kind] = tasks.create_task(following, name=f"quota-{kind.plural}")

    async def _follow(self, kind: Resource) -> None:
        informer: Informer[Named] = Informer(
            self._client, _named(kind), clock=self._clock, metadata_only=True
        )
        informer.on_change(self._named_changed(kind))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(informer.run(), name="informer")
            await informer.synced.wait()
            for quota in self._quotas.list():  # what went before, nobody has seen going
                if counting.concerns(quota, kind):
                    self._queue.add(_key(quota))

    def _named_changed(self, kind: Resource) -> Callable[[Named | None, Named | None], None]:
        def changed(old: Named | None, new: Named | None) -> None:
            if old is not None and (new is None or kind is SERVICES):  # which may change their type
                self._gone(kind, old.metadata.namespace)

        return changed

    # -- counting

    async def _reconcile(self, key: _Key) -> None:
        namespace, name = key
        # Read anew: admission may have noted something since, which the count must not undo.
        found = await self._client.list(
            RESOURCEQUOTAS, namespace, field_selector=f"metadata.name={name}"
        )
        quota: ResourceQuota | None = next(iter(found.items), None)
        if quota is None or quota.metadata.deletion_timestamp is not None:
            return
        status = counting.status(quota, await self._count(quota))
        if status == quota.status:
            return
        counted_at = {counting.COUNTED_AT: found.resource_version}
        metadata = msgspec.structs.replace(
            quota.metadata, annotations=quota.metadata.annotations | counted_at
        )
        changed = msgspec.structs.replace(quota, metadata=metadata, status=status)
        stored = await self._client.update(RESOURCEQUOTAS, changed, subresource="status")
        if stored.status.used != status.used:  # objects were being stored: see what they came to
            self._queue.add_after(key, _AGAIN)

    async def _count(self, quota: ResourceQuota) -> Amounts:
        namespace, now = quota.metadata.namespace, self._clock.now()
        used: Amounts = {}
        for kind in _kinds():
            if not counting.concerns(quota, kind):
                continue
            if counting.counts_alone(quota, kind):
                named = await self._client.list(_named(kind), namespace, metadata_only=True)
                used = added(used, counting.number(quota, kind, len(named.items)))
            else:
                found = await self._client.list(kind, namespace)
                used = added(used, counting.total(quota, kind, found.items, now))
        return used


def _kinds() -> list[Resource]:
    return [kind for kind in scheme.RESOURCES if {"list", "watch"} <= set(kind.verbs)]


def _named(kind: Resource) -> Resource:
    return replace(kind, struct=Named)


def _key(quota: ResourceQuota) -> _Key:
    return quota.metadata.namespace, quota.metadata.name

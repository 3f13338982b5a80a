"""Keeps the status of ResourceQuotas: what there is to share, and what is taken of it.

Admission adds to what is taken; only what is counted here takes anything away. Deleted Pods are
noticed at once, deleted objects of other kinds within RESYNC seconds.
"""

from __future__ import annotations

import asyncio

import msgspec

from podium.api import scheme
from podium.api.types.core_v1 import Pod, ResourceQuota, ResourceQuotaStatus
from podium.client.client import Client
from podium.client.informer import Informer
from podium.client.workqueue import WorkQueue
from podium.controllers.loop import work
from podium.domain import quota as quotas
from podium.kit.clock import Clock

#: How often quotas that limit other things than Pods are counted anew, in seconds.
RESYNC = 30.0
_Key = tuple[str, str]


class ResourceQuotaController:
    """Keys are namespace and name of a quota."""

    def __init__(
        self,
        client: Client,
        informer: Informer[ResourceQuota],
        pods: Informer[Pod],
        clock: Clock,
    ) -> None:
        self._client, self._quotas, self._pods, self._clock = client, informer, pods, clock
        self._queue: WorkQueue[_Key] = WorkQueue(clock)
        informer.on_change(self._quota_changed)
        pods.on_change(self._pod_changed)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(work("resourcequota", self._queue, self._reconcile))
            tasks.create_task(self._resync())

    async def _resync(self) -> None:
        while True:
            await self._clock.sleep(RESYNC)
            for quota in self._quotas.list():
                if any(quotas.may_concern(quota, kind) for kind in _others()):
                    self._queue.add(_key(quota))

    def _quota_changed(self, _: ResourceQuota | None, new: ResourceQuota | None) -> None:
        if new is not None and new.status.hard != new.spec.hard:
            self._queue.add(_key(new))

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        """A Pod that is gone or over gives back what it took."""
        if old is None:
            return
        freed = new is None or quotas.usage(scheme.PODS, old) != quotas.usage(scheme.PODS, new)
        if freed:
            for quota in self._quotas.list():
                if quota.metadata.namespace == old.metadata.namespace:
                    self._queue.add(_key(quota))

    async def _reconcile(self, key: _Key) -> None:
        known = self._quotas.get(*key)
        if known is None or known.metadata.deletion_timestamp is not None:
            return
        # Read anew: admission may have noted something since, which the count must not undo.
        found = await self._client.list(
            scheme.RESOURCEQUOTAS, key[0], field_selector=f"metadata.name={key[1]}"
        )
        if not found.items:
            return
        quota: ResourceQuota = found.items[0]
        status = await self._count(quota)
        if status == quota.status:
            return
        changed = msgspec.structs.replace(quota, status=status)
        await self._client.update(scheme.RESOURCEQUOTAS, changed, subresource="status")

    async def _count(self, quota: ResourceQuota) -> ResourceQuotaStatus:
        namespace = quota.metadata.namespace
        used: quotas.Amounts = {}
        for resource in (scheme.PODS, *_others()):
            if quotas.may_concern(quota, resource):
                found = (await self._client.list(resource, namespace)).items
                used |= quotas.total(quota, resource, found)
        hard = quota.spec.hard
        return ResourceQuotaStatus(
            hard=hard, used={name: quotas.text(name, used.get(name, 0)) for name in hard}
        )


def _others() -> list[scheme.Resource]:
    return [
        resource
        for resource in scheme.RESOURCES
        if resource.namespaced
        and resource.stored
        and resource is not scheme.PODS
        and "list" in resource.verbs
    ]


def _key(quota: ResourceQuota) -> _Key:
    return quota.metadata.namespace, quota.metadata.name

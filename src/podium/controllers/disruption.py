"""Keeps the status of PodDisruptionBudgets: what evictions may take away.

What follows from the Pods is ``podium.domain.disruption``.
"""

from __future__ import annotations

from podium.api import meta, scheme
from podium.api.types.core_v1 import Pod
from podium.api.types.policy_v1 import PodDisruptionBudget
from podium.client.client import Client
from podium.client.informer import Informer
from podium.client.workqueue import WorkQueue
from podium.controllers.loop import work
from podium.domain import disruption
from podium.kit.clock import Clock

_Key = tuple[str, str]


class DisruptionController:
    """Keys are namespace and name of a budget."""

    def __init__(
        self,
        client: Client,
        budgets: Informer[PodDisruptionBudget],
        pods: Informer[Pod],
        clock: Clock,
    ) -> None:
        self._client, self._budgets, self._pods, self._clock = client, budgets, pods, clock
        self._queue: WorkQueue[_Key] = WorkQueue(clock)
        budgets.on_change(lambda _, new: self._queue.add(_key(new)) if new else None)
        pods.on_change(self._pod_changed)

    async def run(self) -> None:
        await work("disruption", self._queue, self._reconcile)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        for budget in self._budgets.list():
            if any(pod and disruption.covers(budget, pod) for pod in (old, new)):
                self._queue.add(_key(budget))

    async def _reconcile(self, key: _Key) -> None:
        budget = self._budgets.get(*key)
        if budget is None or budget.metadata.deletion_timestamp is not None:
            return
        pods = [pod for pod in self._pods.list() if disruption.covers(budget, pod)]
        replicas = await self._replicas(pods) if disruption.needs_scale(budget) else 0
        expected = disruption.expect(budget, pods, replicas)
        now = self._clock.now()
        status = disruption.status(budget, pods, expected, now)
        if status.disrupted_pods:
            self._queue.add_after(key, disruption.EVICTION_TIMEOUT.total_seconds() + 1)
        if status == budget.status:
            return
        changed = PodDisruptionBudget(metadata=budget.metadata, spec=budget.spec, status=status)
        await self._client.update(scheme.PODDISRUPTIONBUDGETS, changed, subresource="status")

    async def _replicas(self, pods: list[Pod]) -> int:
        """Return how many Pods the controllers of *pods* want; a Pod on its own counts as one."""
        owners = {}
        alone = 0
        for pod in pods:
            owner = meta.controller_of(pod)
            if owner is None:
                alone += 1
            else:
                owners[owner.uid] = (pod.metadata.namespace, owner)
        total = alone
        for namespace, owner in owners.values():
            group, _, version = owner.api_version.rpartition("/")
            resource = scheme.find_kind(group, version, owner.kind)
            if resource is None or resource.subresource("scale") is None:
                continue
            found = await self._client.get(resource, owner.name, namespace)
            total += found.spec.replicas or 0
        return total


def _key(budget: PodDisruptionBudget) -> _Key:
    return budget.metadata.namespace, budget.metadata.name

"""The scheduler's loop: one Pod, one decision, one turn; binding goes on beside it."""

from __future__ import annotations

import asyncio
import logging

from podium.api import scheme
from podium.api.resources import requests_in_use
from podium.api.types.core_v1 import Node, Pod
from podium.client.client import Client
from podium.client.events import EventRecorder
from podium.client.informer import Informer
from podium.client.leader_election import Election, LeaderElector, candidate
from podium.domain.scheduling.decision import Placed, decide, may_go
from podium.domain.scheduling.node_info import NodeInfo, PodDemand
from podium.domain.scheduling.pod_terms import required_anti_affinity
from podium.domain.scheduling.storage import PodStorage, VolumePlan
from podium.domain.scheduling.unserved import unserved_preferences
from podium.kit.clock import Clock, SystemClock
from podium.kit.guard import guarded
from podium.scheduler import metrics
from podium.scheduler.binding import Binder
from podium.scheduler.cache import NodeCache
from podium.scheduler.options import SchedulerOptions
from podium.scheduler.queue import SchedulingQueue, Waiting
from podium.scheduler.volumes import NotBound, VolumeBinder, has_claims

__all__ = ["Scheduler", "SchedulerOptions", "run"]

logger = logging.getLogger(__name__)

#: Pods that are over take nothing of a node any more and never get one.
NOT_OVER = "status.phase!=Succeeded,status.phase!=Failed"


async def run(options: SchedulerOptions, clock: Clock | None = None) -> None:
    """Schedule until cancelled; with *leader_elect*, from when this process is the leader."""
    clock = clock or SystemClock()
    async with Client(options.client_config, clock) as client:
        scheduler = Scheduler(
            client, options.scheduler_name, clock, event_pause=options.event_pause
        )
        if not options.leader_elect:
            await scheduler.run()
            return
        election = Election("kube-system", "kube-scheduler", candidate(options.identity))
        await LeaderElector(client, election, clock).run(scheduler.run)


class Scheduler:
    """Gives nodes to the Pods whose ``spec.schedulerName`` is *name*."""

    def __init__(
        self, client: Client, name: str, clock: Clock, *, event_pause: float = 0.0
    ) -> None:
        self._name, self._clock = name, clock
        self._queue = SchedulingQueue(clock)
        self._cache = NodeCache()
        self._recorder = EventRecorder(client, name, "", clock, pause=event_pause)
        self._binder = Binder(client, self._recorder, clock)
        self._pods: Informer[Pod] = Informer(
            client, scheme.PODS, field_selector=NOT_OVER, clock=clock
        )
        self._nodes: Informer[Node] = Informer(client, scheme.NODES, clock=clock)
        self._volumes = VolumeBinder(client, self._cache.claim_is_used, clock)
        for informer in self._volumes.informers:
            informer.on_change(lambda _old, _new: self._storage_changed())
        self._pods.on_change(self._pod_changed)
        self._nodes.on_change(self._node_changed)

    async def run(self) -> None:
        metrics.PENDING.source = self._queue.lengths
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._nodes.run(), name="nodes")
            tasks.create_task(self._pods.run(), name="pods")
            tasks.create_task(self._recorder.run(), name="events")
            for informer in self._volumes.informers:
                tasks.create_task(informer.run(), name="storage")
            for synced in (self._nodes, self._pods, *self._volumes.informers):
                await synced.synced.wait()
            while True:
                waiting = await self._queue.pop()
                turn = self._turn(waiting, tasks)
                if not await guarded(turn, "scheduling", pod=_key(waiting.pod)):
                    self._queue.retry(waiting)

    # -- one Pod

    async def _turn(self, waiting: Waiting, tasks: asyncio.TaskGroup) -> None:
        """Decide about one Pod, and start what follows from it. Does not wait for the API."""
        pod = waiting.pod
        if pod.spec.scheduling_gates:
            self._queue.hold(waiting)
            tasks.create_task(guarded(self._binder.report_gated(pod), "reporting"))
            return
        started = self._clock.monotonic()
        storage = self._volumes.storage(pod)
        decision = decide(waiting.demand, self._cache.nodes(), storage=storage)
        result = "scheduled" if isinstance(decision, Placed) else "unschedulable"
        metrics.ATTEMPTS.inc(self._name, result)
        metrics.ATTEMPT_DURATION.observe(self._clock.monotonic() - started, self._name, result)
        if isinstance(decision, Placed):
            plan = self._plan(storage, decision.node)
            self._cache.assume(waiting.demand, decision.node)
            tasks.create_task(guarded(self._bind(waiting, decision.node, plan), "binding"))
            return
        self._queue.park(waiting)
        self._recorder.event(pod, "Warning", "FailedScheduling", decision.message)
        report = self._binder.report_unschedulable(pod, decision.message)
        tasks.create_task(guarded(report, "reporting"))

    def _plan(self, storage: PodStorage | None, node: str) -> VolumePlan:
        info = self._cache.node(node)
        plan = storage.plan(info.node) if storage is not None and info is not None else None
        if plan is None:
            return VolumePlan()
        self._volumes.reserve(plan)
        return plan

    async def _bind(self, waiting: Waiting, node: str, plan: VolumePlan) -> None:
        uid = waiting.uid
        volumes_bound = await self._bind_volumes(waiting.pod, node, plan)
        if volumes_bound and await self._binder.bind(waiting.pod, node):
            return
        if not self._cache.is_assumed(uid):
            return  # the watch has told meanwhile what became of it
        self._made_room(self._cache.forget(uid))
        pod = self._known(waiting.pod)
        if pod is not None and not pod.metadata.deletion_timestamp:
            waiting.demand = PodDemand(pod)
            self._queue.retry(waiting)

    def _known(self, pod: Pod) -> Pod | None:
        """Return *pod* as it is now, None where it is no more."""
        found = self._pods.get(pod.metadata.namespace, pod.metadata.name)
        return found if found is not None and found.metadata.uid == pod.metadata.uid else None

    async def _bind_volumes(self, pod: Pod, node: str, plan: VolumePlan) -> bool:
        if not plan.bind and not plan.provision:
            return True
        try:
            await self._volumes.bind(pod, plan, node, lambda: self._known(pod) is not None)
        except NotBound as exc:
            text = f'running PreBind plugin "VolumeBinding": binding volumes: {exc}'
            self._recorder.event(pod, "Warning", "FailedScheduling", text)
            return False
        finally:
            self._volumes.release(plan)
        return True

    # -- news

    def _storage_changed(self) -> None:
        self._queue.move(lambda demand: has_claims(demand.pod))

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        uid = pod.metadata.uid
        if new is None:
            self._queue.remove(uid)
            self._made_room(self._cache.forget(uid))
            self._volumes.look_again()
            if required_anti_affinity(pod):  # it may have kept others away from other nodes, too
                self._queue.move(lambda _: True)
        elif new.spec.node_name:
            self._queue.remove(uid)
            if old is None or _takes_differently(old, new) or self._cache.is_assumed(uid):
                self._cache.confirm(new)
                self._queue.move(lambda demand: demand.looks_around)
                if old is not None and old.spec.node_name:  # resized: may ask for less now
                    self._made_room(self._cache.node(new.spec.node_name))
        elif new.metadata.deletion_timestamp is not None:
            self._queue.remove(uid)
        elif new.spec.scheduler_name == self._name and not self._cache.is_assumed(uid):
            self._queue.add(new)

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        if new is None:
            assert old is not None
            self._cache.remove_node(old.metadata.name)
            self._queue.move(lambda demand: bool(unserved_preferences(demand.pod)))
        elif old is None or _offers_differently(old, new):
            self._made_room(self._cache.set_node(new))

    def _made_room(self, info: NodeInfo | None) -> None:
        """Have the Pods tried again that may go to *info* now."""
        if info is not None:
            self._queue.move(lambda demand: may_go(demand, info))


def _takes_differently(old: Pod, new: Pod) -> bool:
    """Whether the Pod, bound, may ask for other things of its node, or be another to others."""
    before, now = old.metadata, new.metadata
    if old.spec != new.spec or before.labels != now.labels:
        return True
    if before.deletion_timestamp != now.deletion_timestamp:
        return True
    return old.status != new.status and requests_in_use(old) != requests_in_use(new)


def _offers_differently(old: Node, new: Node) -> bool:
    """Whether the step is more than a heartbeat."""
    return (
        old.spec != new.spec
        or old.metadata.labels != new.metadata.labels
        or old.status.allocatable != new.status.allocatable
    )


def _key(pod: Pod) -> str:
    return f"{pod.metadata.namespace}/{pod.metadata.name}"

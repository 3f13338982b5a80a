"""The Pods of this node: a worker for each, woken by the API, by manifests and by the runtime."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping

from podium.api.types.core_v1 import Pod
from podium.client.informer import Informer
from podium.domain.pods import preemption, static
from podium.domain.pods.identity import pod_key
from podium.domain.pods.restart_request import as_requested
from podium.domain.pods.static import is_static
from podium.domain.pods.status import Verdict
from podium.domain.scheduling.admission import fits, lacking
from podium.kit.guard import guarded
from podium.kubelet.orphans import Orphans
from podium.kubelet.pod_worker import PodWorker
from podium.kubelet.services import NodeServices
from podium.runtime.port import ContainerEvent

logger = logging.getLogger(__name__)

#: Seconds between two looks at everything, the safety net under the runtime's events.
RELIST = 120.0
#: Seconds after which a worker that failed on a bug is started again.
RESTART = 5.0


class PodManager:
    """Starts, wakes and ends the workers, one a uid; two Pods of one name never run at once."""

    def __init__(self, informer: Informer[Pod]) -> None:
        self._informer = informer
        #: Called with each event of the runtime.
        self.listeners: set[Callable[[ContainerEvent], None]] = set()
        self._workers: dict[str, PodWorker] = {}
        self._finished: dict[str, asyncio.Event] = {}
        self._group: asyncio.TaskGroup | None = None
        self._node: NodeServices | None = None
        self._orphans: Orphans | None = None
        self._static: dict[str, Pod] = {}  # what there are manifests of, by uid
        #: Whether the API has said by now which Pods the node has.
        self.told = False
        #: Called with each static Pod and each mirror Pod that something has happened to.
        self.on_static: Callable[[Pod], None] = lambda _pod: None

    def pods(self) -> Iterator[Pod]:
        """The Pods that have a worker, the ones ending included."""
        return (worker.pod for worker in self._workers.values())

    def active_pods(self) -> Iterator[Pod]:
        """The Pods that the node's resources are promised to."""
        return (worker.pod for worker in self._workers.values() if worker.active)

    def static_pods(self) -> Iterator[Pod]:
        """The static Pods that have a worker, the ones ending included."""
        return (pod for pod in self.pods() if is_static(pod))

    def set_static(self, pods: Iterable[Pod]) -> None:
        """Run the static Pods *pods*, and end the others."""
        self._static = {pod.metadata.uid: pod for pod in pods}
        if self._group is None:
            return  # run() begins with them
        for pod in self._static.values():
            if pod.metadata.uid not in self._workers:
                self._begin(pod)
        for worker in self._workers.values():
            pod = worker.pod
            if (
                is_static(pod)
                and worker.uid not in self._static
                and pod.metadata.deletion_timestamp is None
            ):
                assert self._node is not None
                worker.update(static.ended(pod, self._node.clock.now()))
                self.on_static(pod)

    def take_requests(self, uid: str, mirror: Pod) -> None:
        """Take over what is asked and said of a static Pod by way of its mirror."""
        worker = self._workers.get(uid)
        if worker is not None:
            asked = static.with_gates(as_requested(worker.pod, mirror), mirror)
            if asked is not worker.pod:
                worker.update(asked)

    def wake(self, uid: str) -> None:
        worker = self._workers.get(uid)
        if worker is not None:
            worker.wake()

    def evict(
        self,
        uid: str,
        message: str,
        grace: float,
        *,
        for_node: bool = False,
        annotations: Mapping[str, str] | None = None,
    ) -> asyncio.Event | None:
        """End a Pod for good for what it takes of the node; return its end, None if it is not here.

        With *for_node* it has done nothing that it may not: the node is short of something.
        *annotations* are of the event.
        """
        worker = self._workers.get(uid)
        if worker is None:
            return None
        return worker.evict(message, grace, for_node=for_node, annotations=annotations)

    def end(self, uid: str, verdict: Verdict) -> asyncio.Event | None:
        """End a Pod for good; return what is set once it has, None where there is no such Pod."""
        worker = self._workers.get(uid)
        if worker is None:
            return None
        worker.end(verdict)
        return worker.over

    def make_room(self, pod: Pod) -> bool:
        """End Pods that a critical one needs the room of; tell whether it will have room."""
        assert self._node is not None
        others = [w.pod for w in self._workers.values() if w.stays and w.uid != pod.metadata.uid]
        missing = lacking(pod, self._node.node(), others)
        if not missing:
            return not fits(pod, self._node.node(), others)
        chosen = preemption.victims(pod, others, missing)
        verdict = Verdict(preemption.REASON, preemption.MESSAGE, disruption=preemption.DISRUPTION)
        for victim in chosen or ():
            event = self._node.events.event
            event(victim, "Warning", preemption.REASON, preemption.MESSAGE)
            self.end(victim.metadata.uid, verdict)
        return chosen is not None

    def volume_paths(self, uid: str) -> dict[str, str]:
        """Where the volumes of a Pod lie."""
        worker = self._workers.get(uid)
        return worker.volume_paths() if worker is not None else {}

    def retry_resizes(self) -> None:
        """Grant what there may be room for by now."""
        waiting = [worker for worker in self._workers.values() if worker.resize_waits]
        for worker in sorted(waiting, key=PodWorker.resize_order):
            worker.reconsider_resize()

    async def run(self, node: NodeServices, registered: asyncio.Event) -> None:
        """Look after the Pods until cancelled; containers outlive it.

        Those of the API begin when the node is *registered* and they are known.
        """
        self._node = node
        self._orphans = orphans = Orphans(node, self._workers.__contains__)
        await orphans.look()
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self._follow_runtime(), name="runtime events")
            self.set_static(self._static.values())
            await self._informer.synced.wait()
            await registered.wait()
            self._informer.on_change(self._changed)
            self.told = True
            while True:
                try:
                    await orphans.remove()
                except OSError as exc:
                    logger.warning("orphans could not be found", extra={"error": exc})
                await node.clock.sleep(RELIST)
                for worker in self._workers.values():
                    worker.wake()

    def _changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        if pod is not None and static.is_mirror(pod):
            self.on_static(pod)
            return
        if old is not None and (new is None or new.metadata.uid != old.metadata.uid):
            worker = self._workers.get(old.metadata.uid)
            if worker is not None:
                worker.vanish()
        if new is None:
            return
        new = static.from_api(new)
        worker = self._workers.get(new.metadata.uid)
        if worker is not None:
            worker.update(new)
        else:
            self._begin(new)

    def _begin(self, pod: Pod) -> None:
        assert self._group is not None
        assert self._node is not None
        worker = PodWorker(pod, self._node)
        uid, key = pod.metadata.uid, pod_key(pod)
        predecessor = self._finished.get(key)
        self._workers[uid] = worker
        self._finished[key] = finished = asyncio.Event()
        self._group.create_task(self._guard(worker, predecessor, finished), name=f"pod {key}")
        if is_static(pod):
            self.on_static(pod)

    async def _guard(
        self, worker: PodWorker, predecessor: asyncio.Event | None, finished: asyncio.Event
    ) -> None:
        """Run a worker to its end; a bug in it is logged and costs this Pod a moment, no other."""
        assert self._node is not None
        assert self._group is not None
        key = pod_key(worker.pod)
        way = self._group.create_task(self._make_way(worker.pod, predecessor), name=f"before {key}")
        way.add_done_callback(lambda _: worker.may_begin.set())
        await worker.may_begin.wait()
        while not await guarded(worker.run(), "pod worker", pod=key):
            await self._node.clock.sleep(RESTART)
        del self._workers[worker.uid]
        self.retry_resizes()
        await way  # also where it was deleted meanwhile, as whoever comes next waits for it alone
        finished.set()
        if self._finished.get(key) is finished:
            del self._finished[key]
        if is_static(worker.pod):
            self._static_ended(worker.pod)

    async def _make_way(self, pod: Pod, predecessor: asyncio.Event | None) -> None:
        """Return when nothing runs any more of an earlier Pod of that name."""
        assert self._orphans is not None
        if predecessor is not None:
            await predecessor.wait()
        await self._orphans.make_way(pod)

    def _static_ended(self, pod: Pod) -> None:
        """A manifest may have come back while its Pod was ending."""
        self.on_static(pod)
        again = self._static.get(pod.metadata.uid)
        if again is not None and again.metadata.uid not in self._workers:
            self._begin(again)

    async def _follow_runtime(self) -> None:
        assert self._node is not None
        async for event in self._node.runtime.get_container_events():
            self.wake(event.pod_uid)
            for listener in tuple(self.listeners):
                listener(event)

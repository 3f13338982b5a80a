"""The Pods of this node: a worker for each, woken by the API, by manifests and by the runtime."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from podium.api.types.core_v1 import Pod
from podium.client.informer import Informer
from podium.domain.pods import identity, preemption, static
from podium.domain.pods.identity import pod_key
from podium.domain.pods.restart_request import as_requested
from podium.domain.pods.static import is_static
from podium.domain.pods.status import Verdict
from podium.domain.scheduling.admission import fits, lacking
from podium.kit.bounded import in_daemon_thread, within
from podium.kit.guard import guarded
from podium.kubelet.pod_worker import PodWorker
from podium.kubelet.services import NodeServices
from podium.kubelet.volumes.removal import remove
from podium.runtime.port import ContainerEvent, PodSandbox, RuntimeFailure

logger = logging.getLogger(__name__)

#: Seconds between two looks at everything, the safety net under the runtime's events.
RELIST = 120.0
#: Seconds after which a worker that failed on a bug is started again.
RESTART = 5.0
#: Seconds that the removal of one thing may take that a Pod has left behind.
ORPHAN = 60.0


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
        self._clearing: set[Path] = set()  # directories that a thread is removing
        self._static: dict[str, Pod] = {}  # what there are manifests of, by uid
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
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self._follow_runtime(), name="runtime events")
            self.set_static(self._static.values())
            await self._informer.synced.wait()
            await registered.wait()
            self._informer.on_change(self._changed)
            while True:
                try:
                    await self._remove_orphans()
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
        key = pod_key(worker.pod)
        if predecessor is not None:
            await predecessor.wait()
        while not await guarded(worker.run(), "pod worker", pod=key):
            await self._node.clock.sleep(RESTART)
        del self._workers[worker.uid]
        self.retry_resizes()
        finished.set()
        if self._finished.get(key) is finished:
            del self._finished[key]
        if is_static(worker.pod):
            self._static_ended(worker.pod)

    def _static_ended(self, pod: Pod) -> None:
        """A manifest may have come back while its Pod was ending."""
        self.on_static(pod)
        again = self._static.get(pod.metadata.uid)
        if again is not None:
            self._begin(again)

    async def _follow_runtime(self) -> None:
        assert self._node is not None
        async for event in self._node.runtime.get_container_events():
            self.wake(event.pod_uid)
            for listener in tuple(self.listeners):
                listener(event)

    async def _remove_orphans(self) -> None:
        """End what the runtime and the disk hold of Pods that are no more, each in its turn."""
        assert self._node is not None
        node = self._node
        known = set(self._workers)
        for sandbox in await self._sandboxes():
            uid = sandbox.labels.get(identity.POD_UID, "")
            if uid and uid not in self._workers:
                await self._remove_orphan("sandbox", sandbox.id, self._remove_sandbox(sandbox.id))
        for root in (node.options.root_dir / "pods", node.options.run_dir / "pods"):
            for directory in root.iterdir() if root.exists() else ():
                if directory.name not in known and directory.name not in self._workers:
                    work = self._remove_directory(directory)
                    await self._remove_orphan("directory", str(directory), work)
        logs = node.options.log_dir
        for directory in logs.iterdir() if logs.exists() else ():
            uid = directory.name.rpartition("_")[2]
            if uid not in self._workers:
                await self._remove_orphan("log directory", str(directory), self._clear(directory))

    async def _sandboxes(self) -> Sequence[PodSandbox]:
        assert self._node is not None
        try:
            return await within(self._node.clock, ORPHAN, self._node.runtime.list_pod_sandbox())
        except (RuntimeFailure, TimeoutError) as exc:
            logger.warning("sandboxes could not be listed", extra={"error": exc})
            return []

    async def _remove_orphan(self, kind: str, name: str, work: Coroutine[Any, Any, object]) -> None:
        """Do *work* for a while; what fails is tried again with the next look at everything."""
        assert self._node is not None
        logger.info("removing what is left of a pod", extra={"kind": kind, "what": name})
        try:
            await within(self._node.clock, ORPHAN, work)
        except (RuntimeFailure, OSError) as exc:
            extra = {"kind": kind, "what": name, "error": str(exc) or "it hangs"}
            logger.warning("something of a pod could not be removed", extra=extra)

    async def _remove_sandbox(self, sandbox_id: str) -> None:
        assert self._node is not None
        await self._node.runtime.stop_pod_sandbox(sandbox_id)
        await self._node.runtime.remove_pod_sandbox(sandbox_id)

    async def _remove_directory(self, directory: Path) -> None:
        """Remove a Pod's directory and its cgroup; the directory's name is its uid."""
        assert self._node is not None
        await self._node.cgroups.remove(directory.name)
        await self._clear(directory)
        self._node.user_namespaces.release(directory.name)

    async def _clear(self, directory: Path) -> None:
        """Raises OSError, and TimeoutError also where an earlier attempt still hangs."""

        def clear() -> None:
            try:
                remove(directory)
            finally:
                self._clearing.discard(directory)

        if directory in self._clearing:
            raise TimeoutError
        self._clearing.add(directory)
        await in_daemon_thread(ORPHAN, clear)

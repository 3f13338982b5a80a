"""The end of a Pod: containers, then the sandbox, then what the kubelet keeps, then the object.

Which step comes next, how long it may take and what may be left is ``domain.pods.deletion``'s.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from podium.api.types.core_v1 import Pod
from podium.domain.pods import deletion
from podium.domain.pods.containers import field_path
from podium.domain.pods.deletion import LIMITS, Ending, Step
from podium.domain.pods.identity import pod_key
from podium.domain.pods.observed import ContainerRecord, Observed, RunState
from podium.domain.pods.termination import LEAST_GRACE, due_to_stop, grace_period
from podium.kit.bounded import in_daemon_thread, within
from podium.kubelet import cut_short
from podium.kubelet.container_stop import ContainerStopper
from podium.kubelet.deletion_watch import DeletionWatch
from podium.kubelet.jobs import Jobs
from podium.kubelet.pod_files import PodFiles
from podium.kubelet.probing.prober import READINESS_JOB
from podium.kubelet.services import NodeServices
from podium.kubelet.volumes.manager import PodVolumes
from podium.runtime.port import RuntimeFailure

logger = logging.getLogger(__name__)

#: The job that tells about a deletion that takes long.
WATCH_JOB = "deletion watch"
#: Seconds given to a container whose Pod is no longer in the API, or evicted.
GONE_GRACE = 1.0
_RETRY = timedelta(seconds=1)


class PodEnding:
    """Ends one Pod step by step; each call looks at what is left and does the next thing."""

    def __init__(
        self,
        node: NodeServices,
        files: PodFiles,
        volumes: PodVolumes,
        jobs: Jobs,
        stopper: ContainerStopper,
    ) -> None:
        self._stopper = stopper
        self._node, self._files, self._volumes, self._jobs = node, files, volumes, jobs
        self._kill_by: dict[str, datetime] = {}
        self._since: datetime | None = None
        self.watch = DeletionWatch(node.events, node.clock)
        self._undone = False
        self._settled: set[Step] = set()
        self._given_up: set[Step] = set()
        self._abandoned: set[str] = set()  #: containers that never ran and could not be removed
        self.look_again: datetime | None = None

    @property
    def swept(self) -> bool:
        """Whether volumes and cgroup are given back."""
        return Step.CGROUP in self._settled

    def blocked(self, pod: Pod, exc: Exception) -> None:
        """Something has failed that had to be done first, as looking at what runs."""
        self._watch(pod)
        if self.watch.step is None:
            self.watch.at(Step.LOOK)
        self.watch.failed(exc)

    def _watch(self, pod: Pod) -> None:
        self._jobs.start(WATCH_JOB, lambda: self.watch.run(lambda: pod))

    def nothing_runs(self, observed: Observed) -> bool:
        return not self._running(observed) and not self._jobs.running("sandbox")

    def _running(self, observed: Observed) -> list[ContainerRecord]:
        runs = observed.containers
        return [run for run in runs if run.may_run and run.id not in self._abandoned]

    async def advance(
        self, pod: Pod, observed: Observed, *, gone: bool = False, grace: float | None = None
    ) -> bool:
        """Do what can be done now; tell whether nothing is left, on the node or in the API.

        A Pod that is over but not deleted keeps its dead containers and their logs; one that is
        *gone* from the API does not. *grace* is given to the containers, where it is not what the
        Pod says.
        """
        self.look_again = None
        deleted = gone or pod.metadata.deletion_timestamp is not None
        if deleted:
            self._watch(pod)
        if not self._undone and not await self._undo(observed):
            return False
        while True:
            ending = Ending(
                runs=bool(self._running(observed)),
                sandbox=any(sandbox.ready for sandbox in observed.sandboxes),
                settled=self._settled,
                deleted=deleted,
                gone=gone,
                finalizers=bool(pod.metadata.finalizers),
            )
            step = deletion.next_step(ending)
            if step is None:
                return deleted
            if step is Step.CONTAINERS:
                self._stop_in_order(pod, observed, grace_period(pod) if grace is None else grace)
                return False
            self.watch.at(step, ", ".join(pod.metadata.finalizers) * (step is Step.FINALIZERS))
            if step is Step.FINALIZERS or not await self._carry_out(step, pod, observed):
                return False  # the object stays; its worker ends when the finalizers have gone
            if step is Step.SANDBOX and step not in self._settled:
                self._jobs.wake()
                return False

    async def _undo(self, observed: Observed) -> bool:
        """Undo what was begun; tell whether there was nothing, or nothing is left of it."""
        self.watch.at(Step.WORK)
        kept = ("kill ", READINESS_JOB, WATCH_JOB, cut_short.JOB)
        cancelled = await self._jobs.cancel(keep=kept)
        unstarted = [run.id for run in observed.containers if run.state is RunState.CREATED]
        if unstarted:  # nobody is going to start them any more
            try:
                work = self._remove_unstarted(unstarted)
                await within(self._node.clock, deletion.UNSTARTED, work)
            except (RuntimeFailure, TimeoutError) as exc:
                self.watch.failed(exc)
                self._abandoned.update(unstarted)  # until dead containers are removed
                self._undone = True
        if cancelled or unstarted:
            self._jobs.wake()  # what they did meanwhile counts
            return False
        self._undone = True
        return True

    async def _remove_unstarted(self, container_ids: Sequence[str]) -> None:
        for container_id in container_ids:
            await self._node.runtime.remove_container(container_id)

    async def _carry_out(self, step: Step, pod: Pod, observed: Observed) -> bool:
        """Do *step*; tell whether it is done, or given up as it takes too long."""
        try:
            await self._do(step, pod, observed)
        except (RuntimeFailure, OSError) as exc:  # TimeoutError, where it hangs, is an OSError
            if step not in LIMITS:
                raise
            self.watch.failed(exc)
        else:
            if step is not Step.SANDBOX:  # that is seen by observing
                self._settled.add(step)
            return True
        if not self.watch.is_late or not deletion.may_be_left(step, self._processes(pod)):
            self.look_again = self._node.clock.now() + _RETRY
            return False
        self.watch.gave_up(pod, step)
        self._settled.add(step)
        self._given_up.add(step)
        return True

    def _processes(self, pod: Pod) -> int:
        """How many processes there are in the Pod's cgroup."""
        return self._node.cgroups.usage(pod)[1]

    async def _do(self, step: Step, pod: Pod, observed: Observed) -> None:
        """Do *step* in the time that it has. Raises RuntimeFailure, OSError and TimeoutError."""
        uid, limit = pod.metadata.uid, self._limit
        match step:
            case Step.SANDBOX:
                await within(self._node.clock, limit, self._stop_sandboxes(observed))
            case Step.VOLUMES:
                await in_daemon_thread(limit, self._volumes.tear_down)
            case Step.CGROUP:
                await within(self._node.clock, limit, self._node.cgroups.remove(uid))
            case Step.STATUS:
                await self._node.status.settled(uid)
            case Step.REMAINS:
                await self._remove_remains(uid, observed)
            case Step.OBJECT:
                await self._node.status.delete(pod)

    async def _stop_sandboxes(self, observed: Observed) -> None:
        for sandbox in observed.sandboxes:
            await self._node.runtime.stop_pod_sandbox(sandbox.id)

    @property
    def _limit(self) -> float:
        """Seconds that the present step has yet, and enough for what takes none."""
        return max(self.watch.left, LEAST_GRACE)

    async def _remove_remains(self, uid: str, observed: Observed) -> None:
        """Remove what is left; what could not be cleared before is not tried again now."""
        if Step.SANDBOX not in self._given_up:
            await within(self._node.clock, self._limit, self._remove_containers(observed))
        if Step.VOLUMES not in self._given_up:
            await in_daemon_thread(self._limit, self._files.remove)
            self._node.user_namespaces.release(uid)

    async def _remove_containers(self, observed: Observed) -> None:
        for sandbox in observed.sandboxes:
            await self._node.runtime.remove_pod_sandbox(sandbox.id)
        for record in observed.containers:
            await self._node.runtime.remove_container(record.id)

    def _stop_in_order(self, pod: Pod, observed: Observed, grace: float) -> None:
        """Stop those whose turn it is, and all of them once the grace period is over."""
        running = self._running(observed)
        ips = observed.ips
        now = self._node.clock.now()
        self._since = self._since or now
        over = self._since + timedelta(seconds=grace)
        names = ", ".join(record.name for record in running)
        self.watch.at(Step.CONTAINERS, names, due=over + timedelta(seconds=deletion.KILL))
        due = due_to_stop(pod, running)
        for record in running:
            if record in due:
                waited = record.id not in self._kill_by and now > self._since
                left = (over - now).total_seconds()
                self._kill(pod, record, ips, max(left, LEAST_GRACE) if waited else grace)
            elif over <= now:
                self._kill(pod, record, ips, LEAST_GRACE)
            else:
                self.look_again = over

    def _kill(self, pod: Pod, record: ContainerRecord, ips: tuple[str, ...], grace: float) -> None:
        """Stop a container, unless it is being stopped as soon as that already."""
        by = self._node.clock.now() + timedelta(seconds=grace)
        earlier = self._kill_by.get(record.id)
        if earlier is None:
            text = f"Stopping container {record.name}"
            path = field_path(pod, record.name)
            self._node.events.event(pod, "Normal", "Killing", text, field_path=path)
        elif earlier <= by and self._jobs.running(f"kill {record.id} {earlier.timestamp()}"):
            return
        elif earlier <= by:
            by = max(self._node.clock.now() + _RETRY, earlier)  # the last call failed
        self._kill_by[record.id] = by
        key = f"kill {record.id} {by.timestamp()}"
        self._jobs.start(key, lambda: self._stop(pod, record, ips, grace))

    async def _stop(
        self, pod: Pod, record: ContainerRecord, ips: tuple[str, ...], grace: float
    ) -> None:
        try:
            stop = self._stopper.stop_run(pod, record, ips, grace)
            await within(self._node.clock, grace + deletion.KILL + LEAST_GRACE, stop)
        except (RuntimeFailure, TimeoutError) as exc:
            self.watch.failed(exc)
            extra = {"pod": pod_key(pod), "container": record.id, "error": exc}
            logger.warning("container could not be stopped", extra=extra)
            await self._node.clock.sleep(_RETRY.total_seconds())

"""The end of a Pod: containers, then the sandbox, then what the kubelet keeps, then the object."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from podium.api.types.core_v1 import Pod
from podium.domain.pods.containers import field_path
from podium.domain.pods.identity import pod_key
from podium.domain.pods.observed import ContainerRecord, Observed, RunState
from podium.domain.pods.termination import LEAST_GRACE, due_to_stop, grace_period, has_ended
from podium.kubelet.container_stop import ContainerStopper
from podium.kubelet.deletion_watch import ENOUGH_TO_DIE, DeletionWatch
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
        self.swept = False  #: volumes and cgroup are given back
        self._deleted = False
        self.look_again: datetime | None = None

    def nothing_runs(self, observed: Observed) -> bool:
        return not observed.anything_runs and not self._jobs.running("sandbox")

    async def advance(
        self, pod: Pod, observed: Observed, *, gone: bool = False, grace: float | None = None
    ) -> bool:
        """Do what can be done now; tell whether nothing is left, on the node or in the API.

        A Pod that is over but not deleted keeps its dead containers and their logs; one that is
        *gone* from the API does not. *grace* is given to the containers, where it is not what the
        Pod says.
        """
        self.look_again = None
        if not self._kill_by and not self.swept:
            cancelled = await self._jobs.cancel(keep=("kill ", READINESS_JOB, WATCH_JOB))
            if cancelled or await self._remove_unstarted(observed):
                self._jobs.wake()  # what they did meanwhile counts
                return False
        if gone or pod.metadata.deletion_timestamp is not None:
            self._jobs.start(WATCH_JOB, lambda: self.watch.run(lambda: pod))
        running = [record for record in observed.containers if record.may_run]
        if running:
            self._stop_in_order(pod, observed, grace_period(pod) if grace is None else grace)
            return False
        if not has_ended(observed):
            self.watch.at("its sandbox to stop")
            for sandbox in observed.sandboxes:
                await self._node.runtime.stop_pod_sandbox(sandbox.id)
            self._jobs.wake()
            return False
        if not self.swept:
            self.watch.at("its volumes and its cgroup to go")
            await self._sweep(pod.metadata.uid)
        deleting = gone or pod.metadata.deletion_timestamp is not None
        if not deleting:
            return False
        if not gone and not self._deleted:
            self.watch.at("the API to take its last status")
            await self._node.status.settled(pod.metadata.uid)
        if not self._deleted:
            self.watch.at("its files and dead containers to go")
            await self._remove(pod.metadata.uid, observed)
        if gone:
            return True
        if not self._deleted:
            self.watch.at("the API to delete it")
            await self._node.status.delete(pod)
            self._deleted = True
        self.watch.at("its finalizers", ", ".join(pod.metadata.finalizers))
        # With finalizers the object stays; its worker ends when they have gone.
        return not pod.metadata.finalizers

    async def _remove_unstarted(self, observed: Observed) -> bool:
        """Remove the containers that nobody is going to start any more; there is nothing to stop.

        Tell whether there were any.
        """
        unstarted = [run.id for run in observed.containers if run.state is RunState.CREATED]
        for container_id in unstarted:
            await self._node.runtime.remove_container(container_id)
        return bool(unstarted)

    def _stop_in_order(self, pod: Pod, observed: Observed, grace: float) -> None:
        """Stop those whose turn it is, and all of them once the grace period is over."""
        running = [record for record in observed.containers if record.may_run]
        ips = observed.ips
        now = self._node.clock.now()
        self._since = self._since or now
        over = self._since + timedelta(seconds=grace)
        names = ", ".join(record.name for record in running)
        self.watch.at("containers to end", names, due=over + timedelta(seconds=ENOUGH_TO_DIE))
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
            await self._stopper.stop_run(pod, record, ips, grace)
        except RuntimeFailure as exc:
            self.watch.failed(exc)
            extra = {"pod": pod_key(pod), "container": record.id, "error": exc}
            logger.warning("container could not be stopped", extra=extra)
            await self._node.clock.sleep(_RETRY.total_seconds())

    async def _sweep(self, uid: str) -> None:
        """Give back what a Pod holds that runs no more: volumes and cgroup."""
        await self._volumes.tear_down()
        await self._node.cgroups.remove(uid)
        self.swept = True

    async def _remove(self, uid: str, observed: Observed) -> None:
        """Remove the last traces: dead containers, sandboxes, directories, logs."""
        for sandbox in observed.sandboxes:
            await self._node.runtime.remove_pod_sandbox(sandbox.id)
        for record in observed.containers:
            await self._node.runtime.remove_container(record.id)
        self._files.remove()
        self._node.user_namespaces.release(uid)

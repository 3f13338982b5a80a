"""Resizes of one Pod: granted or put off, carried out in its cgroups, told in its status.

What is decided is in ``podium.domain.pods.allocation`` and ``podium.domain.pods.resize``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from podium.api.types.core_v1 import Pod, ResourceRequirements
from podium.client.events import EventType
from podium.domain.pods.allocation import Room, retry_order
from podium.domain.pods.cgroups import ContainerCgroup, PodCgroup, container_cgroup, effective
from podium.domain.pods.observed import Observed
from podium.domain.pods.resize import (
    ERROR,
    MEMORY,
    Change,
    MemoryInUse,
    ResizeContainer,
    ResizeProgress,
    Resizing,
    below_usage,
    needs_restart,
    resizable,
    resize_steps,
    resize_text,
)
from podium.kit.backoff import Backoff
from podium.kubelet.allocation import PodAllocation
from podium.kubelet.services import NodeServices
from podium.runtime.port import LinuxContainerResources, RuntimeFailure, runs


class PodResizer:
    """Decides what of what the API asks for a Pod gets, and brings what runs of it there."""

    def __init__(self, node: NodeServices, uid: str) -> None:
        self._node, self._uid = node, uid
        self._allocation = PodAllocation(node.options.pod_dir(uid))
        self._progress: ResizeProgress | None = None
        self._waits_since: datetime | None = None
        self._told = ("", 0)
        self._unchecked = False
        self._backoff = Backoff(initial=1.0, maximum=60.0)

    def admit(self, wanted: Pod) -> None:
        """Grant what *wanted* asks for. Raises OSError."""
        self._allocation.admit(wanted)

    def adopt(self, wanted: Pod) -> None:
        """Take over a Pod that runs already. Raises OSError, RuntimeFailure."""
        self._allocation.adopt(wanted)
        self._node.cgroups.count(self._allocation.granted(wanted))
        if self._allocation.behind:
            self._progress = ResizeProgress(wanted.metadata.generation)
        # The process before may have ended between the last container's cgroup and the Pod's.
        self._unchecked = True

    def granted(self, wanted: Pod) -> Pod:
        """Return *wanted* with what it was granted so far."""
        return self._allocation.granted(wanted)

    @property
    def state(self) -> Resizing:
        return Resizing(self._allocation.pending, self._progress, self.behind)

    @property
    def behind(self) -> Mapping[str, ResourceRequirements]:
        """What containers that have started have, where they were granted something else."""
        return self._allocation.behind

    @property
    def busy(self) -> bool:
        """Whether there may be something to carry out."""
        return self._progress is not None or self._unchecked or bool(self.behind)

    def consider(self, wanted: Pod) -> bool:
        """Decide about *wanted*; tell whether it is granted something else from now on.

        Raises OSError.
        """
        generation = wanted.metadata.generation
        granted = self._allocation.consider(wanted, self._room)
        if granted:
            self._progress = ResizeProgress(generation)
            self._backoff.reset()
            self._tell(wanted, "Normal", "ResizeStarted", "started", generation)
        pending = self._allocation.pending
        if pending is None:
            self._waits_since, self._told = None, ("", 0)
        elif self._told != (pending.reason, generation):
            self._waits_since = self._waits_since or self._node.clock.now()
            self._told = (pending.reason, generation)
            reason = f"Resize{pending.reason}"
            self._tell(wanted, "Warning", reason, pending.reason, generation, pending.message)
        return granted

    def order(self, wanted: Pod) -> tuple[object, ...]:
        """The key by which Pods that wait are considered again."""
        return retry_order(wanted, self.granted(wanted), self._waits_since)

    def _room(self) -> Room:
        others = [pod for pod in self._node.pods_on_node() if pod.metadata.uid != self._uid]
        return Room(self._node.node(), others)

    async def carry_out(self, pod: Pod, observed: Observed) -> datetime | None:
        """Bring what runs of *pod* to what it was granted; return when to look again.

        What has to start again for it is left to the plan, what does not run to its next start.
        """
        if not self.busy or observed.sandbox is None:
            return None
        changes = list(self._changes(pod, observed))
        try:
            await self._carry_out(pod, changes)
        except RuntimeFailure as exc:
            return self._failed(pod, str(exc))
        for change in changes:
            self._allocation.caught_up(change.name)
        self._unchecked = False
        self._finish(pod, observed)
        return None

    def started(self, name: str) -> None:
        """A container has started, with what it was granted. Raises OSError."""
        self._allocation.caught_up(name)

    async def _carry_out(self, pod: Pod, changes: list[Change]) -> None:
        """Raises RuntimeFailure."""
        cgroups = self._node.cgroups
        now, wanted = cgroups.limits(pod), cgroups.wanted(pod)
        steps = resize_steps(changes, now, wanted)
        if any(change.memory_limit_shrinks for change in changes) or _shrinks(now, wanted):
            changes = [change for change in changes if await runs(self._node.runtime, change.id)]
            used = {change.id: await self._memory(change.id) for change in changes}
            problem = below_usage(changes, now, wanted, MemoryInUse(cgroups.memory(pod), used))
            if problem:
                raise RuntimeFailure(problem)
        for step in steps:
            if isinstance(step, ResizeContainer):
                await self._update(step.id, _wish(step.resource, step.cgroup))
            else:
                cgroups.resize(pod, step)

    async def _update(self, container_id: str, wish: LinuxContainerResources) -> None:
        """Raises RuntimeFailure, but for a container that has just ended: what runs next has what
        was granted from its start."""
        try:
            await self._node.runtime.update_container_resources(container_id, wish)
        except RuntimeFailure:
            if await runs(self._node.runtime, container_id):
                raise

    def _changes(self, pod: Pod, observed: Observed) -> Iterator[Change]:
        for container in resizable(pod):
            before = self._allocation.behind.get(container.name)
            latest = observed.latest(container.name)
            if before is None or latest is None or not latest.is_running:
                continue
            if not needs_restart(pod, container, before):
                quota = self._node.options.config.cpu_quota
                cgroup = container_cgroup(pod, container, self._node.node_memory, quota)
                after = effective(container.resources, pod.spec.resources)
                yield Change(latest.id, container.name, before, after, cgroup)

    async def _memory(self, container_id: str) -> int:
        return (await self._node.runtime.container_stats(container_id)).memory_usage_bytes

    def _finish(self, pod: Pod, observed: Observed) -> None:
        """Say that all is done, unless a container has to start again first."""
        for container in resizable(pod):
            latest = observed.latest(container.name)
            if container.name in self._allocation.behind and latest and latest.is_running:
                return
        if self._progress is None:
            return
        generation, self._progress = self._progress.generation, None
        self._tell(pod, "Normal", "ResizeCompleted", "completed", generation)

    def _failed(self, pod: Pod, problem: str) -> datetime:
        progress = self._progress or ResizeProgress(pod.metadata.generation)
        if progress.reason != ERROR:
            self._tell(pod, "Warning", "ResizeError", "error", progress.generation, problem)
        self._progress = replace(progress, reason=ERROR, message=problem)
        return self._node.clock.now() + timedelta(seconds=self._backoff.next())

    def _tell(
        self, pod: Pod, kind: EventType, reason: str, word: str, generation: int, error: str = ""
    ) -> None:
        text = f"Pod resize {word}: {resize_text(pod, generation, error)}"
        self._node.events.event(pod, kind, reason, text)


def _shrinks(now: PodCgroup, wanted: PodCgroup) -> bool:
    if not wanted.memory_limit:
        return False
    return now.memory_limit is None or wanted.memory_limit < now.memory_limit


def _wish(resource: str, cgroup: ContainerCgroup) -> LinuxContainerResources:
    if resource == MEMORY:
        return LinuxContainerResources(memory_limit_in_bytes=cgroup.memory_limit)
    return LinuxContainerResources(
        cpu_period=cgroup.cpu_period, cpu_quota=cgroup.cpu_quota, cpu_shares=cgroup.cpu_shares
    )

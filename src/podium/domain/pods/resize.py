"""Carrying a resize out: in which order cgroups change, and which containers start again instead.

Follows ``doPodResizeAction`` and ``computePodResizeAction`` of upstream's kubelet: a Pod's own
cgroup widens before those of its containers and narrows after them, so that no part ever has more
than the whole; memory goes before CPU.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec.structs import replace

from podium.api import quantity
from podium.api.resources import is_sidecar
from podium.api.types.core_v1 import Container, Pod, ResourceRequirements
from podium.domain.pods.allocation import ResizePending
from podium.domain.pods.cgroups import (
    MIN_QUOTA_PERIOD,
    MIN_SHARES,
    SHARES_PER_CPU,
    ContainerCgroup,
    PodCgroup,
    effective,
)
from podium.domain.pods.observed import RunCgroup

CPU, MEMORY = "cpu", "memory"
RESIZED = (MEMORY, CPU)
ERROR = "Error"
NOTHING_BEHIND: Mapping[str, ResourceRequirements] = MappingProxyType({})


class ResizeProgress(msgspec.Struct, frozen=True):
    """A resize that was granted and is not carried out: the condition ``PodResizeInProgress``."""

    generation: int
    reason: str = ""
    message: str = ""


class Resizing(msgspec.Struct, frozen=True):
    """Where a Pod's last resize stands. ``behind`` tells what running containers have that were
    granted something else."""

    pending: ResizePending | None = None
    progress: ResizeProgress | None = None
    behind: Mapping[str, ResourceRequirements] = msgspec.field(
        default_factory=lambda: NOTHING_BEHIND
    )


NO_RESIZE = Resizing()


class Change(msgspec.Struct, frozen=True):
    """A running container that has the resources *before* and is to have those of *after*."""

    id: str
    name: str
    before: ResourceRequirements
    after: ResourceRequirements
    cgroup: ContainerCgroup  #: what *after* comes to

    @property
    def memory_limit_shrinks(self) -> bool:
        before = self.before.limits.get(MEMORY)
        limit = self.cgroup.memory_limit
        return limit > 0 and (before is None or limit < quantity.to_int(before))


class ResizePodCgroup(msgspec.Struct, frozen=True):
    """Set what is not None in the Pod's cgroup."""

    cpu_shares: int | None = None
    cpu_quota: int | None = None
    memory_limit: int | None = None


class ResizeContainer(msgspec.Struct, frozen=True):
    """Set what *cgroup* says of *resource* for one container."""

    id: str
    resource: str
    cgroup: ContainerCgroup


Step = ResizePodCgroup | ResizeContainer


def resizable(pod: Pod) -> list[Container]:
    """The containers that can be resized while they run."""
    return [*filter(is_sidecar, pod.spec.init_containers), *pod.spec.containers]


def changed(before: ResourceRequirements, after: ResourceRequirements) -> set[str]:
    """Return which of CPU and memory differ."""
    return {
        name
        for name in RESIZED
        for mine, theirs in ((before.requests, after.requests), (before.limits, after.limits))
        if _amount(mine.get(name)) != _amount(theirs.get(name))
    }


def needs_restart(pod: Pod, container: Container, before: ResourceRequirements | None) -> bool:
    """Whether a run with the resources *before* has to end for *container* to get its own."""
    if before is None:
        return False
    policies = {p.resource_name: p.restart_policy for p in container.resize_policy}
    after = effective(container.resources, pod.spec.resources)
    return any(policies.get(name) == "RestartContainer" for name in changed(before, after))


def resize_steps(changes: Sequence[Change], now: PodCgroup, wanted: PodCgroup) -> list[Step]:
    """Return what to do, in order. *now* is what the Pod's cgroup has."""
    return [*_memory(changes, now, wanted), *_cpu(changes, now, wanted)]


def _memory(changes: Sequence[Change], now: PodCgroup, wanted: PodCgroup) -> Iterator[Step]:
    before, after = now.memory_limit or math.inf, wanted.memory_limit or math.inf
    step = ResizePodCgroup(memory_limit=wanted.memory_limit)
    if before < after < math.inf:
        yield step
    yield from _containers(changes, MEMORY)
    if after < before:
        yield step


def _cpu(changes: Sequence[Change], now: PodCgroup, wanted: PodCgroup) -> Iterator[Step]:
    before, after = now.cpu_quota or math.inf, wanted.cpu_quota or math.inf
    limit = ResizePodCgroup(cpu_quota=wanted.cpu_quota)
    request = ResizePodCgroup(cpu_shares=wanted.cpu_shares)
    if before < after < math.inf:
        yield limit
    if wanted.cpu_shares > now.cpu_shares:
        yield request
    yield from _containers(changes, CPU)
    if wanted.cpu_shares < now.cpu_shares:
        yield request
    if after < before:
        yield limit


def _containers(changes: Sequence[Change], resource: str) -> Iterator[ResizeContainer]:
    """Those that shrink first."""
    due = [change for change in changes if resource in changed(change.before, change.after)]
    for change in sorted(due, key=lambda change: not _shrinks(change, resource)):
        yield ResizeContainer(change.id, resource, change.cgroup)


def _shrinks(change: Change, resource: str) -> bool:
    before, after = change.before, change.after
    return _amount(after.limits.get(resource)) < _amount(before.limits.get(resource)) or (
        _amount(after.requests.get(resource)) < _amount(before.requests.get(resource))
    )


class MemoryInUse(msgspec.Struct, frozen=True):
    """Bytes that a Pod and its containers, by ID, take now."""

    pod: int
    containers: Mapping[str, int]


def below_usage(
    changes: Sequence[Change], now: PodCgroup, wanted: PodCgroup, used: MemoryInUse
) -> str:
    """Say which memory limits would fall below what is in use; "" where none would."""
    texts = []
    limit = wanted.memory_limit
    if limit and limit < (now.memory_limit or math.inf) and limit < used.pod:
        texts.append(
            f"attempting to set pod memory limit ({limit}) below current usage ({used.pod})"
        )
    for change in changes:
        usage = used.containers.get(change.id, 0)
        if change.memory_limit_shrinks and change.cgroup.memory_limit < usage:
            texts.append(
                f'attempting to set container "{change.name}" memory limit '
                f"({change.cgroup.memory_limit}) below current usage ({usage})"
            )
    if not texts:
        return ""
    listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    return f"cannot decrease memory limits: {listed}"


def in_force(before: ResourceRequirements, run: RunCgroup | None) -> ResourceRequirements:
    """What a run that is behind its Pod has: *before*, but for what its cgroup says otherwise."""
    if run is None:
        return before
    requests, limits = dict(before.requests), dict(before.limits)
    if run.cpu_shares > MIN_SHARES and CPU in requests:
        _set(requests, CPU, f"{-(-run.cpu_shares * 1000 // SHARES_PER_CPU)}m")
    if run.cpu_quota > MIN_QUOTA_PERIOD and run.cpu_period:
        _set(limits, CPU, f"{run.cpu_quota * 1000 // run.cpu_period}m")
    if run.memory_limit > 0:
        _set(limits, MEMORY, str(run.memory_limit))
    return replace(before, requests=requests, limits=limits)


def _set(resources: dict[str, str], name: str, text: str) -> None:
    """Write an amount down, unless it stands there already in words of its own."""
    if _amount(resources.get(name)) != quantity.to_milli(text):
        resources[name] = quantity.canonical(text)


def _amount(text: str | None) -> int:
    return quantity.to_milli(text) if text else 0


def resize_text(pod: Pod, generation: int, error: str = "") -> str:
    """What resizes' events say after the colon: what *pod* asks for, and why it has it not."""
    said: dict[str, Any] = {}
    if pod.spec.resources is not None:
        said["resources"] = _sorted(pod.spec.resources)
    for key, containers in (
        ("initContainers", pod.spec.init_containers),
        ("containers", pod.spec.containers),
    ):
        if containers:
            said[key] = [{"name": c.name, "resources": _sorted(c.resources)} for c in containers]
    said["generation"] = generation
    if error:
        said["error"] = error
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False)


def _sorted(resources: ResourceRequirements) -> Any:
    return msgspec.to_builtins(resources, order="sorted")

"""The cgroups of Pods: ``<root>/pod<uid>`` (Guaranteed), ``<root>/<class>/pod<uid>`` (others)."""

from __future__ import annotations

from typing import Protocol

from podium.api.types.core_v1 import Pod
from podium.domain.pods.cgroups import PodCgroup, pod_cgroup
from podium.domain.pods.resize import ResizePodCgroup
from podium.runtime.cgroup_limits import CgroupLimits
from podium.runtime.cgroups import Cgroups
from podium.runtime.port import RuntimeFailure
from podium.runtime.stats_port import CpuMemoryUsage

_CLASSES = {"Guaranteed": "", "Burstable": "burstable", "BestEffort": "besteffort"}


class CgroupFilesystem(Protocol):
    """What of :class:`podium.runtime.cgroups.Cgroups` is used here."""

    def create(self, path: str, limits: CgroupLimits | None = None) -> None: ...

    def limits(self, path: str) -> CgroupLimits: ...

    def set_limits(self, path: str, limits: CgroupLimits) -> None: ...

    def usage(self, path: str) -> CpuMemoryUsage: ...

    def process_count(self, path: str) -> int: ...

    async def remove(self, path: str) -> None: ...


class PodCgroups:
    """Pod cgroups below *root*. Calls raise RuntimeFailure."""

    def __init__(self, root: str, filesystem: CgroupFilesystem | None = None) -> None:
        self._root = root
        self._filesystem: CgroupFilesystem = filesystem or Cgroups.detect()

    def path(self, pod: Pod) -> str:
        return self._path(pod_cgroup(pod).qos, pod.metadata.uid)

    def create(self, pod: Pod) -> str:
        """Make the Pod's cgroup with its limits; return its path."""
        values = pod_cgroup(pod)
        path = self._path(values.qos, pod.metadata.uid)
        self._filesystem.create(
            path,
            CgroupLimits(
                cpu_shares=values.cpu_shares,
                cpu_quota=values.cpu_quota or 0,
                cpu_period=values.cpu_period or 100_000,
                memory_limit_bytes=values.memory_limit or 0,
            ),
        )
        return path

    def limits(self, pod: Pod) -> PodCgroup:
        """What the Pod's cgroup is set to."""
        qos = pod_cgroup(pod).qos
        found = self._filesystem.limits(self._path(qos, pod.metadata.uid))
        limited = found.cpu_quota > 0
        return PodCgroup(
            qos=qos,
            cpu_shares=found.cpu_shares,
            cpu_quota=found.cpu_quota if limited else None,
            cpu_period=found.cpu_period if limited else None,
            memory_limit=found.memory_limit_bytes if found.memory_limit_bytes > 0 else None,
        )

    def resize(self, pod: Pod, step: ResizePodCgroup) -> None:
        limits = CgroupLimits(
            cpu_shares=step.cpu_shares or 0,
            cpu_quota=step.cpu_quota or 0,
            memory_limit_bytes=step.memory_limit or 0,
        )
        self._filesystem.set_limits(self.path(pod), limits)

    def memory(self, pod: Pod) -> int:
        """Bytes that the Pod takes, the page cache of its files included."""
        return self._filesystem.usage(self.path(pod)).memory_usage_bytes

    def usage(self, pod: Pod) -> tuple[CpuMemoryUsage | None, int]:
        """What the Pod uses as a whole, None where that cannot be told, and its processes."""
        path = self.path(pod)
        try:
            return self._filesystem.usage(path), self._filesystem.process_count(path)
        except RuntimeFailure:
            return None, 0

    def all_usage(self) -> CpuMemoryUsage | None:
        """What all Pods use together."""
        try:
            return self._filesystem.usage(self._root)
        except RuntimeFailure:
            return None

    async def remove(self, uid: str) -> None:
        """Remove what a Pod of that uid has, whichever its class was."""
        for qos in _CLASSES:
            await self._filesystem.remove(self._path(qos, uid))

    def _path(self, qos: str, uid: str) -> str:
        return "/".join(filter(None, (self._root, _CLASSES[qos], f"pod{uid}")))

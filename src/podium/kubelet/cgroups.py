"""The cgroups of Pods: ``<root>/pod<uid>`` (Guaranteed), ``<root>/<class>/pod<uid>`` (others)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from podium.api.resources import BEST_EFFORT, BURSTABLE, pod_requests, qos_class
from podium.api.types.core_v1 import Pod
from podium.domain.pods.cgroups import (
    DEFAULT_QUOTA,
    MIN_SHARES,
    QUOTA_PERIOD,
    CpuQuota,
    PodCgroup,
    cpu_shares,
    pod_cgroup,
)
from podium.domain.pods.eviction import Observation
from podium.domain.pods.resize import ResizePodCgroup
from podium.runtime.cgroup_details import CgroupDetails
from podium.runtime.cgroup_limits import CgroupLimits, hugetlb_limits
from podium.runtime.cgroups import Cgroups
from podium.runtime.port import RuntimeFailure
from podium.runtime.stats_port import CpuMemoryUsage

_CLASSES = {"Guaranteed": "", "Burstable": "burstable", "BestEffort": "besteffort"}


class CgroupFilesystem(Protocol):
    """What of :class:`podium.runtime.cgroups.Cgroups` is used here."""

    def has(self, controller: str) -> bool: ...

    def create(self, path: str, limits: CgroupLimits | None = None) -> None: ...

    def limits(self, path: str) -> CgroupLimits: ...

    def set_limits(self, path: str, limits: CgroupLimits) -> None: ...

    def usage(self, path: str) -> CpuMemoryUsage: ...

    def process_count(self, path: str) -> int: ...

    def details(self, path: str) -> CgroupDetails: ...

    async def remove(self, path: str) -> None: ...


class CgroupSettings(msgspec.Struct, frozen=True):
    """What this node's Pods have in common. *page_sizes* are those of huge pages, in bytes."""

    quota: CpuQuota = DEFAULT_QUOTA
    pids_limit: int = -1
    page_sizes: Sequence[int] = ()


class PodCgroups:
    """Pod cgroups below *root*. Calls raise RuntimeFailure."""

    def __init__(
        self,
        root: str,
        filesystem: CgroupFilesystem | None = None,
        settings: CgroupSettings | None = None,
    ) -> None:
        self._root = root
        self._filesystem: CgroupFilesystem = filesystem or Cgroups.detect()
        self._settings = settings or CgroupSettings()
        #: Thousandths of a core that Burstable Pods request, by uid; and what that was set as.
        self._requested: dict[str, int] = {}
        self._shares: dict[str, int] = {}
        self._memory: int | None = None  #: bytes that all may have

    @property
    def limits_huge_pages(self) -> bool:
        return self._filesystem.has("hugetlb")

    def enforce(self, cpu_milli: int, memory: int) -> None:
        """Let all Pods together have no more than the node has for them."""
        limits = CgroupLimits(cpu_shares=cpu_shares(cpu_milli), memory_limit_bytes=memory)
        self._filesystem.create(self._root, limits)
        self._memory = memory

    def path(self, pod: Pod) -> str:
        return self._path(qos_class(pod), pod.metadata.uid)

    def wanted(self, pod: Pod) -> PodCgroup:
        """What the Pod's cgroup is to be set to."""
        return pod_cgroup(pod, self._settings.quota)

    def create(self, pod: Pod) -> str:
        """Make the Pod's cgroup with its limits; return its path."""
        values = self.wanted(pod)
        path = self._path(values.qos, pod.metadata.uid)
        limits = CgroupLimits(
            cpu_shares=values.cpu_shares,
            cpu_quota=values.cpu_quota or 0,
            cpu_period=values.cpu_period or QUOTA_PERIOD,
            memory_limit_bytes=values.memory_limit or 0,
            pids_limit=max(self._settings.pids_limit, 0),
            hugetlb=self.hugetlb(values.hugepages),
        )
        self._filesystem.create(path, limits)
        self.count(pod)
        return path

    def count(self, pod: Pod) -> None:
        """Let the cgroup of the Pod's class have its part of the CPU, too."""
        qos, uid = qos_class(pod), pod.metadata.uid
        if qos == BURSTABLE:
            self._requested[uid] = pod_requests(pod).get("cpu", 0)
        self._share_out()

    def _share_out(self) -> None:
        """Burstable Pods weigh what they request together, those that request nothing next to
        nothing."""
        wanted = {BURSTABLE: cpu_shares(sum(self._requested.values())), BEST_EFFORT: MIN_SHARES}
        for qos, shares in wanted.items():
            if self._shares.get(qos) != shares:
                path = "/".join((self._root, _CLASSES[qos]))
                self._filesystem.create(path, CgroupLimits(cpu_shares=shares))
                self._shares[qos] = shares

    def hugetlb(self, wanted: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
        """Limits of huge pages, where the machine can limit them."""
        if not self.limits_huge_pages:
            return ()
        return hugetlb_limits(wanted, self._settings.page_sizes)

    def limits(self, pod: Pod) -> PodCgroup:
        """What the Pod's cgroup is set to."""
        qos = qos_class(pod)
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
            cpu_period=self._settings.quota.period,
            memory_limit_bytes=step.memory_limit or 0,
        )
        self._filesystem.set_limits(self.path(pod), limits)
        self.count(pod)

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

    def details(self, path: str) -> tuple[CgroupDetails, CgroupLimits]:
        """All else that the cgroup at *path* tells, a container's for example."""
        try:
            limits = self._filesystem.limits(path)
        except RuntimeFailure:
            limits = CgroupLimits()
        return self._filesystem.details(path), limits

    def all_usage(self) -> CpuMemoryUsage | None:
        """What all Pods use together."""
        try:
            return self._filesystem.usage(self._root)
        except RuntimeFailure:
            return None

    def memory_left(self) -> Observation | None:
        """What of their memory all Pods have left; None where that is not limited, or not known."""
        usage = self.all_usage() if self._memory is not None else None
        if self._memory is None or usage is None:
            return None
        return Observation(max(self._memory - usage.memory_working_set_bytes, 0), self._memory)

    async def remove(self, uid: str) -> None:
        """Remove what a Pod of that uid has, whichever its class was."""
        for qos in _CLASSES:
            await self._filesystem.remove(self._path(qos, uid))
        if self._requested.pop(uid, None):
            self._share_out()

    def _path(self, qos: str, uid: str) -> str:
        return "/".join(filter(None, (self._root, _CLASSES[qos], f"pod{uid}")))

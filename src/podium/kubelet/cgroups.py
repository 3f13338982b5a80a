"""The cgroups of Pods: ``<root>/pod<uid>`` (Guaranteed), ``<root>/<class>/pod<uid>`` (others)."""

from __future__ import annotations

from typing import Protocol

from podium.api.types.core_v1 import Pod
from podium.domain.pods.cgroups import pod_cgroup
from podium.runtime.cgroups import CgroupLimits, Cgroups

_CLASSES = {"Guaranteed": "", "Burstable": "burstable", "BestEffort": "besteffort"}


class CgroupFilesystem(Protocol):
    """What of :class:`podium.runtime.cgroups.Cgroups` is used here."""

    def create(self, path: str, limits: CgroupLimits | None = None) -> None: ...

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

    async def remove(self, uid: str) -> None:
        """Remove what a Pod of that uid has, whichever its class was."""
        for qos in _CLASSES:
            await self._filesystem.remove(self._path(qos, uid))

    def _path(self, qos: str, uid: str) -> str:
        return "/".join(filter(None, (self._root, _CLASSES[qos], f"pod{uid}")))

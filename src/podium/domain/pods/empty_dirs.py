"""``emptyDir`` volumes: how large one in memory may become, and which have grown too large."""

from __future__ import annotations

from collections.abc import Mapping

from podium.api.quantity import to_int
from podium.api.types.core_v1 import EmptyDirVolumeSource, Pod
from podium.domain.pods.cgroups import pod_cgroup

MEMORY = "Memory"


def memory_size(
    pod: Pod, source: EmptyDirVolumeSource, allocatable: Mapping[str, str] | None
) -> int:
    """Return the size of the tmpfs in bytes; 0 for the kernel's default.

    The least of what the node has to give, what the Pod may use, and the limit of the volume.
    """
    bounds = (
        to_int((allocatable or {}).get("memory", "0")),
        pod_cgroup(pod).memory_limit or 0,
        to_int(source.size_limit or "0"),
    )
    return min((bound for bound in bounds if bound > 0), default=0)


def size_limits(pod: Pod) -> dict[str, str]:
    """Return the limits of the Pod's volumes by name, of those that have one."""
    limits = {}
    for volume in pod.spec.volumes:
        source = volume.empty_dir
        if source is not None and source.size_limit and to_int(source.size_limit) > 0:
            limits[volume.name] = source.size_limit
    return limits


def exceeded(pod: Pod, used: Mapping[str, int]) -> str:
    """Return upstream's message about the first volume that holds more than it may, else ""."""
    for name, limit in size_limits(pod).items():
        if used.get(name, 0) > to_int(limit):
            return f'Usage of EmptyDir volume "{name}" exceeds the limit "{limit}". '
    return ""

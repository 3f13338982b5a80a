"""Cgroup values of containers and Pods, by upstream's formulas (``pkg/kubelet/cm``)."""

from __future__ import annotations

from dataclasses import dataclass

from podium.api import quantity
from podium.api.resources import pod_limits, pod_requests, qos_class
from podium.api.types.core_v1 import Container, Pod

MIN_SHARES = 2
MAX_SHARES = 262144
SHARES_PER_CPU = 1024
QUOTA_PERIOD = 100_000
MIN_QUOTA_PERIOD = 1000

CRITICAL_PRIORITY = 2_000_000_000
GUARANTEED_OOM_SCORE = -997
BEST_EFFORT_OOM_SCORE = 1000


def cpu_shares(milli: int) -> int:
    """``cpu.shares`` for a request in thousandths of a core."""
    if milli <= 0:
        return MIN_SHARES
    return min(max(milli * SHARES_PER_CPU // 1000, MIN_SHARES), MAX_SHARES)


def cpu_quota(milli: int) -> int:
    """``cpu.cfs_quota_us`` for a limit in thousandths of a core; 0 for none."""
    if milli <= 0:
        return 0
    return max(milli * QUOTA_PERIOD // 1000, MIN_QUOTA_PERIOD)


def oom_score_adj(pod: Pod, container: Container, node_memory: int) -> int:
    """How ready the kernel is to kill the container when memory runs out."""
    if (pod.spec.priority or 0) >= CRITICAL_PRIORITY:
        return GUARANTEED_OOM_SCORE
    qos = qos_class(pod)
    if qos == "Guaranteed":
        return GUARANTEED_OOM_SCORE
    if qos == "BestEffort":
        return BEST_EFFORT_OOM_SCORE
    request = quantity.to_int(container.resources.requests.get("memory", "0"))
    score = 1000 - 1000 * request // max(node_memory, 1)
    # Burstable stays above Guaranteed (-997) and below BestEffort (1000).
    if score < 1000 + GUARANTEED_OOM_SCORE:
        return 1000 + GUARANTEED_OOM_SCORE
    return score - 1 if score == BEST_EFFORT_OOM_SCORE else score


@dataclass(frozen=True, slots=True)
class ContainerCgroup:
    cpu_shares: int
    cpu_quota: int  #: microseconds a period; 0 for none
    cpu_period: int
    memory_limit: int  #: bytes; 0 for none
    oom_score_adj: int


def container_cgroup(pod: Pod, container: Container, node_memory: int) -> ContainerCgroup:
    requests, limits = container.resources.requests, container.resources.limits
    # A limit without a request counts as the request, also where defaulting has not seen the Pod.
    request = quantity.to_milli(requests.get("cpu", limits.get("cpu", "0")))
    return ContainerCgroup(
        cpu_shares=cpu_shares(request),
        cpu_quota=cpu_quota(quantity.to_milli(limits.get("cpu", "0"))),
        cpu_period=QUOTA_PERIOD,
        memory_limit=quantity.to_int(limits.get("memory", "0")),
        oom_score_adj=oom_score_adj(pod, container, node_memory),
    )


@dataclass(frozen=True, slots=True)
class PodCgroup:
    """``None`` where a value is not set: not every container has that limit."""

    qos: str
    cpu_shares: int
    cpu_quota: int | None
    cpu_period: int | None
    memory_limit: int | None


def pod_cgroup(pod: Pod) -> PodCgroup:
    """What the Pod's own cgroup is limited to: the sum, where every container has a limit."""
    requests, limits = pod_requests(pod), pod_limits(pod)
    qos = qos_class(pod)
    containers = (*pod.spec.init_containers, *pod.spec.containers)
    has_cpu = all("cpu" in c.resources.limits for c in containers)
    has_memory = all("memory" in c.resources.limits for c in containers)
    return PodCgroup(
        qos=qos,
        cpu_shares=MIN_SHARES if qos == "BestEffort" else cpu_shares(_milli(requests, "cpu")),
        cpu_quota=cpu_quota(_milli(limits, "cpu")) if has_cpu and qos != "BestEffort" else None,
        cpu_period=QUOTA_PERIOD if has_cpu and qos != "BestEffort" else None,
        memory_limit=-(-_milli(limits, "memory") // 1000) if has_memory else None,
    )


def _milli(resources: dict[str, int], name: str) -> int:
    return resources.get(name, 0)

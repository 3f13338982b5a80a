"""Cgroup values of containers and Pods, by upstream's formulas (``pkg/kubelet/cm``)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from podium.api import quantity
from podium.api.resources import (
    BEST_EFFORT,
    GUARANTEED,
    container_requests,
    is_huge_page,
    is_sidecar,
    pod_limits,
    pod_requests,
    qos_class,
)
from podium.api.types.core_v1 import Container, Pod, ResourceRequirements

MIN_SHARES = 2
MAX_SHARES = 262144
SHARES_PER_CPU = 1024
QUOTA_PERIOD = 100_000
MIN_QUOTA_PERIOD = 1000
_LARGEST = 2**63 - 1

NODE_CRITICAL = "system-node-critical"
GUARANTEED_OOM_SCORE = -997
BEST_EFFORT_OOM_SCORE = 1000


class CpuQuota(msgspec.Struct, frozen=True):
    """How CPU limits are enforced on this node: over which *period* (microseconds), if at all."""

    enforced: bool = True
    period: int = QUOTA_PERIOD


DEFAULT_QUOTA = CpuQuota()


def cpu_shares(milli: int) -> int:
    """``cpu.shares`` for a request in thousandths of a core."""
    if milli <= 0:
        return MIN_SHARES
    return min(max(milli * SHARES_PER_CPU // 1000, MIN_SHARES), MAX_SHARES)


def cpu_quota(milli: int, period: int = QUOTA_PERIOD) -> int:
    """``cpu.cfs_quota_us`` for a limit in thousandths of a core; 0 for none."""
    if milli <= 0:
        return 0
    return _of_64_bits(max(milli * period // 1000, MIN_QUOTA_PERIOD))


def _of_64_bits(number: int) -> int:
    """Return *number*, or the most that the kernel, and who writes it down on the way, take."""
    return min(number, _LARGEST)


def oom_score_adj(pod: Pod, container: Container, node_memory: int) -> int:
    """How ready the kernel is to kill the container when memory runs out.

    Follows ``pkg/kubelet/qos``: a Burstable container is the safer the more of the node's memory it
    requests; a sidecar at least as safe as the regular container that requests least.
    """
    if pod.spec.priority_class_name == NODE_CRITICAL:
        return GUARANTEED_OOM_SCORE
    qos = qos_class(pod)
    if qos == GUARANTEED:
        return GUARANTEED_OOM_SCORE
    if qos == BEST_EFFORT:
        return BEST_EFFORT_OOM_SCORE
    memory = max(node_memory, 1)
    score = 1000 - _cut(1000 * (_memory_request(container) + _spare_of_pod(pod)), memory)
    if is_sidecar(container) and any(c.name == container.name for c in pod.spec.init_containers):
        least = min(map(_memory_request, pod.spec.containers), default=0)
        score = min(score, 1000 - _cut(1000 * least, memory))
    # Burstable stays above Guaranteed (-997) and below BestEffort (1000).
    if score < 1000 + GUARANTEED_OOM_SCORE:
        return 1000 + GUARANTEED_OOM_SCORE
    return score - 1 if score == BEST_EFFORT_OOM_SCORE else score


def _memory_request(container: Container) -> int:
    return quantity.to_int(container.resources.requests.get("memory", "0"))


def _spare_of_pod(pod: Pod) -> int:
    """Each container's share of what the Pod requests as a whole beyond what its containers do."""
    whole = pod.spec.resources.requests.get("memory") if pod.spec.resources else None
    if not whole:
        return 0
    spare = quantity.to_int(whole) - container_requests(pod).get("memory", 0) // 1000
    return _cut(spare, len(pod.spec.containers) + len(pod.spec.init_containers))


def _cut(number: int, divisor: int) -> int:
    """Divide as Go does: towards zero."""
    return -(-number // divisor) if number < 0 else number // divisor


class ContainerCgroup(msgspec.Struct, frozen=True):
    cpu_shares: int
    cpu_quota: int  #: microseconds a period; 0 for none
    cpu_period: int
    memory_limit: int  #: bytes; 0 for none
    oom_score_adj: int
    hugepages: tuple[tuple[str, int], ...] = ()  #: bytes by ``2Mi`` and the like, where limited


def container_cgroup(
    pod: Pod, container: Container, node_memory: int, quota: CpuQuota = DEFAULT_QUOTA
) -> ContainerCgroup:
    """A container without a limit of its own has the one that its Pod has as a whole."""
    requests, limits = container.resources.requests, effective_limits(pod, container)
    # A limit without a request counts as the request, also where defaulting has not seen the Pod.
    request = quantity.to_milli(requests.get("cpu", limits.get("cpu", "0")))
    limit = quantity.to_milli(limits.get("cpu", "0")) if quota.enforced else 0
    return ContainerCgroup(
        cpu_shares=cpu_shares(request),
        cpu_quota=cpu_quota(limit, quota.period),
        cpu_period=quota.period,
        memory_limit=_of_64_bits(quantity.to_int(limits.get("memory", "0"))),
        oom_score_adj=oom_score_adj(pod, container, node_memory),
        hugepages=_hugepages({n: quantity.to_int(q) for n, q in limits.items()}),
    )


def effective_limits(pod: Pod, container: Container) -> dict[str, str]:
    return effective(container.resources, pod.spec.resources).limits


def effective(
    resources: ResourceRequirements, whole: ResourceRequirements | None
) -> ResourceRequirements:
    """Return *resources* of a container with the limits that it has from its Pod as a *whole*."""
    given = whole.limits.items() if whole is not None else ()
    inherited = {name: text for name, text in given if name in ("cpu", "memory")}
    return replace(resources, limits={**inherited, **resources.limits})


def _hugepages(limits: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(
        sorted((n.removeprefix("hugepages-"), v) for n, v in limits.items() if is_huge_page(n))
    )


class PodCgroup(msgspec.Struct, frozen=True):
    """``None`` where a value is not set: neither the Pod nor every container has that limit."""

    qos: str
    cpu_shares: int
    cpu_quota: int | None
    cpu_period: int | None
    memory_limit: int | None
    hugepages: tuple[tuple[str, int], ...] = ()


def pod_cgroup(pod: Pod, quota: CpuQuota = DEFAULT_QUOTA) -> PodCgroup:
    """What the Pod's own cgroup is limited to: as a whole, or the sum of its containers' limits."""
    requests, limits = pod_requests(pod), pod_limits(pod)
    qos = qos_class(pod)
    memory = _of_64_bits(-(-_milli(limits, "memory") // 1000))
    has_cpu = quota.enforced and _limited(pod, "cpu") and qos != BEST_EFFORT
    return PodCgroup(
        qos=qos,
        cpu_shares=MIN_SHARES if qos == BEST_EFFORT else cpu_shares(_milli(requests, "cpu")),
        cpu_quota=cpu_quota(_milli(limits, "cpu"), quota.period) if has_cpu else None,
        cpu_period=quota.period if has_cpu else None,
        memory_limit=memory if _limited(pod, "memory") else None,
        hugepages=_hugepages({name: amount // 1000 for name, amount in limits.items()}),
    )


def _limited(pod: Pod, name: str) -> bool:
    """Whether the Pod or every container has that limit; one of 0 is none."""
    if pod.spec.resources is not None and _has(pod.spec.resources, name):
        return True
    containers = (*pod.spec.init_containers, *pod.spec.containers)
    return all(_has(container.resources, name) for container in containers)


def _has(resources: ResourceRequirements, name: str) -> bool:
    return quantity.to_milli(resources.limits.get(name, "0")) > 0


def _milli(resources: Mapping[str, int], name: str) -> int:
    return resources.get(name, 0)

"""How well a Pod would sit on each of the nodes that may take it.

Upstream's TaintToleration, NodeAffinity, NodeResourcesFit (LeastAllocated) and
NodeResourcesBalancedAllocation with their default weights; each gives 0 to 100.
"""

from __future__ import annotations

from collections.abc import Sequence

from podium.domain.scheduling import taints
from podium.domain.scheduling.node_affinity import preferred_weight
from podium.domain.scheduling.node_info import NodeInfo, PodDemand

MAX_SCORE = 100
TAINT_WEIGHT, AFFINITY_WEIGHT = 3, 2
_RESOURCES = ("cpu", "memory")


def scores(demand: PodDemand, nodes: Sequence[NodeInfo]) -> list[int]:
    """Return each node's total, in the order of *nodes*; higher is better."""
    disliked = _normalised([_untolerated_preferences(demand, info) for info in nodes])
    liked = _normalised([preferred_weight(demand.pod, info.node) for info in nodes])
    return [
        TAINT_WEIGHT * (MAX_SCORE - dislike)
        + AFFINITY_WEIGHT * like
        + least_allocated(demand, info)
        + balanced_allocation(demand, info)
        for info, dislike, like in zip(nodes, disliked, liked, strict=True)
    ]


def least_allocated(demand: PodDemand, info: NodeInfo) -> int:
    """Return the mean share of CPU and memory that would stay free."""
    free = []
    for name in _RESOURCES:
        capacity = info.allocatable.get(name, 0)
        if capacity > 0:
            used = info.scored[name] + demand.scored[name]
            free.append(max(capacity - used, 0) * MAX_SCORE // capacity)
    return sum(free) // len(free) if free else 0


def balanced_allocation(demand: PodDemand, info: NodeInfo) -> int:
    """Return how close to each other the used shares of CPU and memory would be.

    Pods that request neither get 0 everywhere, lest they all go to one node.
    """
    if not any(demand.requests.get(name) for name in _RESOURCES):
        return 0
    shares = []
    for name in _RESOURCES:
        capacity = info.allocatable.get(name, 0)
        if capacity > 0:
            used = info.requested.get(name, 0) + demand.requests.get(name, 0)
            shares.append(min(used / capacity, 1.0))
    deviation = abs(shares[0] - shares[1]) / 2 if len(shares) == 2 else 0.0
    return int((1 - deviation) * MAX_SCORE)


def _untolerated_preferences(demand: PodDemand, info: NodeInfo) -> int:
    return len(
        taints.untolerated(
            info.node.spec.taints, demand.pod.spec.tolerations, (taints.PREFER_NO_SCHEDULE,)
        )
    )


def _normalised(values: list[int]) -> list[int]:
    """Scale so that the greatest becomes 100."""
    greatest = max(values, default=0)
    return [value * MAX_SCORE // greatest if greatest else 0 for value in values]

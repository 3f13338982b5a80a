"""Pods that make room for a critical one, where the node has none left for it.

Follows ``pkg/kubelet/preemption``: as few as possible go, BestEffort ones before Burstable ones
before Guaranteed ones, and of two that would do the one that requests less.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from podium.api.resources import BEST_EFFORT, BURSTABLE, qos_class
from podium.api.types.core_v1 import Pod
from podium.domain.pods.eviction import is_critical
from podium.domain.scheduling.node_info import PodDemand

REASON = "Preempting"
MESSAGE = "Preempted in order to admit critical pod"
DISRUPTION = "Pod was preempted by Kubelet to accommodate a critical pod."

#: Resources and how much is lacking, in thousandths.
Lacking = Mapping[str, int]


def victims(pod: Pod, running: Iterable[Pod], lacking: Lacking) -> list[Pod] | None:
    """Return which of the *running* Pods have to end for *pod* to get what is *lacking*.

    None where it is not critical, or where that cannot be had from those that are less important.
    """
    if not is_critical(pod):
        return None
    others = [other for other in running if _yields(other, pod)]
    if _less(lacking, others):
        return None
    best_effort = [other for other in others if qos_class(other) == BEST_EFFORT]
    burstable = [other for other in others if qos_class(other) == BURSTABLE]
    guaranteed = [other for other in others if qos_class(other) not in (BEST_EFFORT, BURSTABLE)]
    last = _fewest(guaranteed, _less(lacking, [*best_effort, *burstable]))
    second = _fewest(burstable, _less(lacking, [*best_effort, *last]))
    first = _fewest(best_effort, _less(lacking, [*second, *last]))
    return [*first, *second, *last]


def _yields(other: Pod, pod: Pod) -> bool:
    if not is_critical(other):
        return True
    mine, theirs = pod.spec.priority, other.spec.priority
    return mine is not None and theirs is not None and mine > theirs


def _fewest(pods: Sequence[Pod], lacking: Lacking) -> list[Pod]:
    """Choose from *pods*, again and again the one that brings what is lacking nearest."""
    chosen: list[Pod] = []
    rest = list(pods)
    while lacking:
        best = min(rest, key=lambda pod: (_distance(pod, lacking), _weight(pod)))
        rest.remove(best)
        chosen.append(best)
        lacking = _less(lacking, [best])
    return chosen


def _less(lacking: Lacking, pods: Iterable[Pod]) -> dict[str, int]:
    """Return what is still lacking once *pods* are gone."""
    gone = list(pods)
    left = {name: amount - sum(_takes(p, name) for p in gone) for name, amount in lacking.items()}
    return {name: amount for name, amount in left.items() if amount > 0}


def _distance(pod: Pod, lacking: Lacking) -> float:
    """How much would be lacking without *pod*: 1 for each resource that it has nothing of."""
    left = _less(lacking, [pod])
    return sum((amount / lacking[name]) ** 2 for name, amount in left.items())


def _weight(pod: Pod) -> tuple[int, int]:
    return _takes(pod, "memory"), _takes(pod, "cpu")


def _takes(pod: Pod, resource: str) -> int:
    return 1000 if resource == "pods" else PodDemand(pod).requests.get(resource, 0)

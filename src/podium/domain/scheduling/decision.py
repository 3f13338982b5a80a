"""One Pod, all nodes: where it goes, or why nowhere.

The message of a refusal is upstream's, counts and all:
``0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption
victims found for incoming pod.``
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import msgspec

from podium.domain.scheduling.filters import Rejection, first_rejection
from podium.domain.scheduling.node_info import NodeInfo, PodDemand
from podium.domain.scheduling.pod_affinity import PodAffinity
from podium.domain.scheduling.scores import scores
from podium.domain.scheduling.spreading import Spreading
from podium.domain.scheduling.storage import IN_USE, PodStorage
from podium.domain.scheduling.unserved import unserved_preferences, unserved_requirements

NO_NODES = "no nodes available to schedule pods"
NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"
NOT_SERVED = "Preemption of pods with lower priority is not supported"
NEVER_PREEMPTS = "not eligible due to preemptionPolicy=Never."


class Placed(msgspec.Struct, frozen=True):
    """The Pod goes to this node."""

    node: str


class Unschedulable(msgspec.Struct, frozen=True):
    """No node can take the Pod now; *message* is what the user is told."""

    message: str


Decision = Placed | Unschedulable


def decide(
    demand: PodDemand,
    nodes: Sequence[NodeInfo],
    choose: Callable[[Sequence[str]], str] = min,
    storage: PodStorage | None = None,
) -> Decision:
    """Decide where the Pod goes. *choose* picks one of the names of equally good nodes.

    *storage* is what its claims allow, None for a Pod without any.
    """
    if not nodes:
        return Unschedulable(NO_NODES)
    obstacle = _obstacle(demand)
    if obstacle:
        return Unschedulable(_refused_beforehand(demand, obstacle, len(nodes)))
    if storage is not None and storage.obstacle:
        number = f"{len(nodes)} " if storage.counted else ""
        text = f"{number}{storage.obstacle}"
        return Unschedulable(_refused_beforehand(demand, text, len(nodes)))

    feasible: list[NodeInfo] = []
    rejected: list[tuple[NodeInfo, Rejection]] = []
    spreading, affinity = Spreading(demand, nodes), PodAffinity(demand, nodes)
    for info in nodes:
        rejection = (
            first_rejection(demand, info)
            or _by_storage(storage, info)
            or spreading.rejection(info)
            or affinity.rejection(info)
        )
        if rejection is None:
            feasible.append(info)
        else:
            rejected.append((info, rejection))

    if not feasible:
        return Unschedulable(_refused_everywhere(demand, rejected))
    if len(feasible) == 1:
        return Placed(feasible[0].name)
    preferences = unserved_preferences(demand.pod)
    if preferences:
        obstacle = f"{', '.join(preferences)} is not supported by this scheduler"
        return Unschedulable(_refused_beforehand(demand, obstacle, len(nodes)))
    totals = scores(demand, feasible)
    best = max(totals)
    return Placed(
        choose([info.name for info, total in zip(feasible, totals, strict=True) if total == best])
    )


def _by_storage(storage: PodStorage | None, info: NodeInfo) -> Rejection | None:
    if storage is None:
        return None
    if storage.exclusive:
        return Rejection((IN_USE,), curable=True)
    reasons = storage.rejection(info.node)
    return Rejection(reasons, curable=False) if reasons else None


def may_go(demand: PodDemand, info: NodeInfo) -> bool:
    """Whether a new decision might send the Pod to *info*: worth a try when *info* has changed."""
    return (
        not demand.pod.spec.scheduling_gates
        and not _obstacle(demand)
        and (demand.looks_around or first_rejection(demand, info) is None)
    )


def _obstacle(demand: PodDemand) -> str:
    """Return what keeps the Pod from every node, whatever the nodes are like."""
    fields = unserved_requirements(demand.pod)
    return f"{', '.join(fields)} is not supported by this scheduler" if fields else ""


def _refused_beforehand(demand: PodDemand, obstacle: str, node_count: int) -> str:
    after = _preemption(demand, {NOT_HELPFUL: node_count}, node_count)
    return f"0/{node_count} nodes are available: {obstacle}. {after}"


def _refused_everywhere(demand: PodDemand, rejected: list[tuple[NodeInfo, Rejection]]) -> str:
    reasons = Counter(reason for _, rejection in rejected for reason in rejection.reasons)
    remedies = Counter(_remedy(demand, info, rejection) for info, rejection in rejected)
    after = _preemption(demand, remedies, len(rejected))
    return f"{_counted(reasons, len(rejected))} {after}"


def _remedy(demand: PodDemand, info: NodeInfo, rejection: Rejection) -> str:
    if not rejection.curable:
        return NOT_HELPFUL
    if any(other.priority < demand.priority for other in info.demands):
        return NOT_SERVED
    return NO_VICTIMS


def _preemption(demand: PodDemand, remedies: dict[str, int], node_count: int) -> str:
    if demand.pod.spec.preemption_policy == "Never":
        return f"preemption: {NEVER_PREEMPTS}"
    return f"preemption: {_counted(remedies, node_count)}"


def _counted(reasons: dict[str, int], node_count: int) -> str:
    parts: Iterable[str] = sorted(f"{count} {reason}" for reason, count in reasons.items())
    return f"0/{node_count} nodes are available: {', '.join(parts)}."

"""Do Pods stay evenly spread? Topology spread constraints that forbid (``DoNotSchedule``).

Follows ``pkg/scheduler/framework/plugins/podtopologyspread`` (``PreFilter`` and ``Filter``).
"""

from __future__ import annotations

from collections.abc import Sequence

from podium.api.selectors import LabelSelector, from_struct
from podium.api.types.core_v1 import Pod, TopologySpreadConstraint
from podium.domain.scheduling import taints
from podium.domain.scheduling.filters import Rejection
from podium.domain.scheduling.node_affinity import required_matches
from podium.domain.scheduling.node_info import NodeInfo, PodDemand, forbidding_spread

UNEVEN = "node(s) didn't match pod topology spread constraints"
NO_LABEL = f"{UNEVEN} (missing required label)"


class Spreading:
    """How a Pod's like are spread over *nodes*."""

    def __init__(self, demand: PodDemand, nodes: Sequence[NodeInfo]) -> None:
        constraints = forbidding_spread(demand.pod)
        keys = {constraint.topology_key for constraint in constraints}
        eligible = [n for n in nodes if keys <= n.node.metadata.labels.keys()] if keys else []
        self._constraints = [_Constraint(demand.pod, each, eligible) for each in constraints]

    def rejection(self, info: NodeInfo) -> Rejection | None:
        """Return what speaks against *info*, None when nothing does."""
        for constraint in self._constraints:
            value = info.node.metadata.labels.get(constraint.key)
            if value is None:
                return Rejection((NO_LABEL,), curable=False)
            if constraint.is_uneven_with_one_more_at(value):
                return Rejection((UNEVEN,), curable=True)
        return None


class _Constraint:
    """One constraint, and how many like the Pod are at each value of its label."""

    def __init__(
        self, pod: Pod, constraint: TopologySpreadConstraint, nodes: Sequence[NodeInfo]
    ) -> None:
        self.key = constraint.topology_key
        self._most = constraint.max_skew
        selector = from_struct(constraint.label_selector)
        self._one = int(selector.matches(pod.metadata.labels))
        self._counts: dict[str, int] = {}
        for info in nodes:
            if _is_counted(pod, constraint, info):
                value = info.node.metadata.labels[self.key]
                alike = _alike(pod, selector, info)
                self._counts[value] = self._counts.get(value, 0) + alike
        too_few = len(self._counts) < (constraint.min_domains or 1)
        self._least = 0 if too_few else min(self._counts.values())

    def is_uneven_with_one_more_at(self, value: str) -> bool:
        return self._counts.get(value, 0) + self._one - self._least > self._most


def _is_counted(pod: Pod, constraint: TopologySpreadConstraint, info: NodeInfo) -> bool:
    """``nodeAffinityPolicy`` (Honor by default) and ``nodeTaintsPolicy`` (Ignore by default)."""
    if constraint.node_affinity_policy != "Ignore" and not required_matches(pod, info.node):
        return False
    if constraint.node_taints_policy != "Honor":
        return True
    effects = (taints.NO_SCHEDULE, taints.NO_EXECUTE)
    return not taints.untolerated(info.node.spec.taints, pod.spec.tolerations, effects)


def _alike(pod: Pod, selector: LabelSelector, info: NodeInfo) -> int:
    """Count those that stay; for a selector that says nothing upstream counts nobody."""
    if selector.empty:
        return 0
    return sum(
        other.pod.metadata.namespace == pod.metadata.namespace
        and other.pod.metadata.deletion_timestamp is None
        and selector.matches(other.pod.metadata.labels)
        for other in info.demands
    )

"""May this Pod go beside those that are there? Required affinity and anti-affinity of Pods.

Follows ``pkg/scheduler/framework/plugins/interpodaffinity`` (``Filter``). A topology is a label of
nodes and one of its values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from podium.domain.scheduling.filters import Rejection
from podium.domain.scheduling.node_info import NodeInfo, PodDemand
from podium.domain.scheduling.pod_terms import Term

MISMATCH = "node(s) didn't match pod affinity rules"
ANTI_MISMATCH = "node(s) didn't match pod anti-affinity rules"
REPELLED = "node(s) didn't satisfy existing pods anti-affinity rules"

Topologies = set[tuple[str, str]]


class PodAffinity:
    """Where a Pod finds those that it wants around, and those that keep it away, on *nodes*."""

    def __init__(self, demand: PodDemand, nodes: Sequence[NodeInfo]) -> None:
        self._demand = demand
        self._company: Topologies = set()  # of Pods that all of its affinity is about
        self._avoided: Topologies = set()
        self._repelling: Topologies = set()
        for info in nodes:
            self._look_at(info)

    def _look_at(self, info: NodeInfo) -> None:
        pod, affinity, anti = self._demand.pod, self._demand.affinity, self._demand.anti_affinity
        for other in info.repelling:
            repelling = (term for term in other.anti_affinity if term.matches(pod))
            self._repelling |= _topologies(info, repelling)
        if not affinity and not anti:
            return
        for other in info.demands:
            if affinity and all(term.matches(other.pod) for term in affinity):
                self._company |= _topologies(info, affinity)
            self._avoided |= _topologies(info, (t for t in anti if t.matches(other.pod)))

    def rejection(self, info: NodeInfo) -> Rejection | None:
        """Return what speaks against *info*, None when nothing does."""
        labels = info.node.metadata.labels
        if not self._has_company(info):
            return Rejection((MISMATCH,), curable=False)
        if self._avoided & labels.items():
            return Rejection((ANTI_MISMATCH,), curable=True)
        if self._repelling & labels.items():
            return Rejection((REPELLED,), curable=True)
        return None

    def _has_company(self, info: NodeInfo) -> bool:
        wanted = self._demand.affinity
        there = _topologies(info, wanted)
        if len(there) < len({term.key for term in wanted}):
            return False  # the node lacks one of the labels
        if there <= self._company:
            return True
        # The first of a group that wants to be together has nobody to wait for.
        return not self._company and all(term.matches(self._demand.pod) for term in wanted)


def _topologies(info: NodeInfo, terms: Iterable[Term]) -> Topologies:
    labels = info.node.metadata.labels
    return {(term.key, labels[term.key]) for term in terms if term.key in labels}

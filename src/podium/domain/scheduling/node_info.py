"""A node with what the Pods on it have been promised, kept up to date Pod by Pod."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import msgspec

from podium.api.quantity import to_milli
from podium.api.resources import Amounts, requests_in_use
from podium.api.types.core_v1 import Node, Pod, TopologySpreadConstraint
from podium.domain.scheduling.host_ports import HostPort, host_ports
from podium.domain.scheduling.pod_terms import required_affinity, required_anti_affinity

#: What a container that requests none counts for when nodes are scored, in thousandths: 100m of
#: CPU, 200 MiB (``pkg/scheduler/util/pod_resources.go``).
UNREQUESTED = {"cpu": 100, "memory": 200 * 1024 * 1024 * 1000}


def forbidding_spread(pod: Pod) -> Sequence[TopologySpreadConstraint]:
    """Return the spread constraints that forbid nodes, and not only prefer others."""
    constraints = pod.spec.topology_spread_constraints
    return [each for each in constraints if each.when_unsatisfiable != "ScheduleAnyway"]


class PodDemand:
    """What one Pod takes of a node. Amounts are thousandths, as in ``podium.api.resources``."""

    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.requests: Amounts = {k: v for k, v in requests_in_use(pod).items() if v > 0}
        self.host_ports: list[HostPort] = host_ports(pod)
        self.affinity = required_affinity(pod)
        self.anti_affinity = required_anti_affinity(pod)

    @property
    def priority(self) -> int:
        return self.pod.spec.priority or 0

    @property
    def looks_around(self) -> bool:
        """Whether it depends on other Pods, also of other nodes, where this one may go."""
        return bool(self.affinity or self.anti_affinity or forbidding_spread(self.pod))

    @cached_property
    def scored(self) -> Amounts:
        """CPU and memory with a minimum for containers that request none."""
        return {name: self._with_minimum(name, least) for name, least in UNREQUESTED.items()}

    def _with_minimum(self, name: str, least: int) -> int:
        silent = sum(name not in c.resources.requests for c in self.pod.spec.containers)
        return self.requests.get(name, 0) + silent * least


class _Totals(msgspec.Struct):
    requests: Amounts
    scored: Amounts


class NodeInfo:
    """One node as the scheduler sees it. Pods are told apart by uid."""

    def __init__(self, node: Node, pods: Iterable[Pod] = ()) -> None:
        self._demands: dict[str, PodDemand] = {}
        self._repelling: dict[str, PodDemand] = {}
        self._totals = _Totals({}, dict.fromkeys(UNREQUESTED, 0))
        self.set_node(node)
        for pod in pods:
            self.add(PodDemand(pod))

    def set_node(self, node: Node) -> None:
        """Take over a new version of the node object."""
        self.node = node
        self.allocatable: Amounts = {
            name: to_milli(quantity) for name, quantity in node.status.allocatable.items()
        }

    @property
    def name(self) -> str:
        return self.node.metadata.name

    @property
    def demands(self) -> Iterable[PodDemand]:
        return self._demands.values()

    @property
    def repelling(self) -> Iterable[PodDemand]:
        """Those of the Pods that keep others away, by required anti-affinity."""
        return self._repelling.values()

    @property
    def pod_count(self) -> int:
        return len(self._demands)

    @property
    def requested(self) -> Amounts:
        """What the Pods request, added up. Do not change."""
        return self._totals.requests

    @property
    def scored(self) -> Amounts:
        """The same for scoring, of CPU and memory. Do not change."""
        return self._totals.scored

    def add(self, demand: PodDemand) -> None:
        """Put a Pod on the node, in the place of an earlier version of it."""
        self.remove(demand.pod.metadata.uid)
        self._demands[demand.pod.metadata.uid] = demand
        if demand.anti_affinity:
            self._repelling[demand.pod.metadata.uid] = demand
        self._count(demand, 1)

    def remove(self, uid: str) -> bool:
        """Take a Pod off the node; tell whether it was there."""
        demand = self._demands.pop(uid, None)
        self._repelling.pop(uid, None)
        if demand is not None:
            self._count(demand, -1)
        return demand is not None

    def _count(self, demand: PodDemand, sign: int) -> None:
        for totals, amounts in (
            (self._totals.requests, demand.requests),
            (self._totals.scored, demand.scored),
        ):
            for name, amount in amounts.items():
                totals[name] = totals.get(name, 0) + sign * amount

"""May this Pod go to this node? One function per upstream filter plugin, and their order.

Each returns the reasons against, as upstream words them; none means yes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from podium.domain.scheduling import taints
from podium.domain.scheduling.host_ports import any_conflict
from podium.domain.scheduling.node_affinity import required_matches
from podium.domain.scheduling.node_info import NodeInfo, PodDemand

UNSCHEDULABLE_NODE = "node(s) were unschedulable"
WRONG_NAME = "node(s) didn't match the requested node name"
AFFINITY_MISMATCH = "node(s) didn't match Pod's node affinity/selector"
PORTS_TAKEN = "node(s) didn't have free ports for the requested pod ports"
TOO_MANY_PODS = "Too many pods"


class Shortage(NamedTuple):
    """A resource of which the node has too little left; amounts in thousandths."""

    resource: str
    requested: int
    used: int
    capacity: int

    @property
    def reason(self) -> str:
        return TOO_MANY_PODS if self.resource == "pods" else f"Insufficient {self.resource}"


class Rejection(msgspec.Struct, frozen=True):
    """Why a node cannot take a Pod; *curable* if other Pods' leaving it could change that."""

    reasons: tuple[str, ...]
    curable: bool


def first_rejection(demand: PodDemand, info: NodeInfo) -> Rejection | None:
    """Return what the first filter that objects has to say, None when the Pod may go there."""
    for filter_, curable in _FILTERS:
        reasons = filter_(demand, info)
        if reasons:
            return Rejection(tuple(reasons), curable)
    return None


def shortages(demand: PodDemand, info: NodeInfo) -> list[Shortage]:
    """Return what *info* has too little of for the Pod (upstream's NodeResourcesFit)."""
    short = []
    allowed = info.allocatable.get("pods", 0)
    if (info.pod_count + 1) * 1000 > allowed:
        short.append(Shortage("pods", 1000, info.pod_count * 1000, allowed))
    for name in sorted(demand.requests, key=_resource_order):
        wanted, used = demand.requests[name], info.requested.get(name, 0)
        capacity = info.allocatable.get(name, 0)
        if wanted > capacity - used:
            short.append(Shortage(name, wanted, used, capacity))
    return short


def _resource_order(name: str) -> tuple[int, str]:
    known = ("cpu", "memory", "ephemeral-storage")
    return (known.index(name) if name in known else len(known), name)


def node_unschedulable(demand: PodDemand, info: NodeInfo) -> list[str]:
    if not info.node.spec.unschedulable:
        return []
    if any(taints.tolerates(t, taints.UNSCHEDULABLE) for t in demand.pod.spec.tolerations):
        return []
    return [UNSCHEDULABLE_NODE]


def node_name(demand: PodDemand, info: NodeInfo) -> list[str]:
    wanted = demand.pod.spec.node_name
    return [WRONG_NAME] if wanted and wanted != info.name else []


def taint_toleration(demand: PodDemand, info: NodeInfo) -> list[str]:
    against = taints.untolerated(
        info.node.spec.taints,
        demand.pod.spec.tolerations,
        (taints.NO_SCHEDULE, taints.NO_EXECUTE),
    )
    return [f"node(s) had untolerated taint {{{t.key}: {t.value}}}" for t in against[:1]]


def node_affinity(demand: PodDemand, info: NodeInfo) -> list[str]:
    return [] if required_matches(demand.pod, info.node) else [AFFINITY_MISMATCH]


def node_ports(demand: PodDemand, info: NodeInfo) -> list[str]:
    if not demand.host_ports:
        return []
    used = [port for other in info.demands for port in other.host_ports]
    return [PORTS_TAKEN] if any_conflict(demand.host_ports, used) else []


def node_resources_fit(demand: PodDemand, info: NodeInfo) -> list[str]:
    return [shortage.reason for shortage in shortages(demand, info)]


#: In upstream's order, each with whether its objection may end when other Pods leave the node.
_FILTERS: tuple[tuple[Callable[[PodDemand, NodeInfo], list[str]], bool], ...] = (
    (node_unschedulable, False),
    (node_name, False),
    (taint_toleration, False),
    (node_affinity, False),
    (node_ports, True),
    (node_resources_fit, True),
)

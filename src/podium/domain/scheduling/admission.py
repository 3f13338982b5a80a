"""What a node itself checks before it runs a Pod that was bound to it.

Follows ``pkg/kubelet/lifecycle/predicate.go``: the Pod may have been bound by somebody who knew
less than the node does.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from podium.api.types.core_v1 import Node, Pod
from podium.domain.pods.static import is_static
from podium.domain.scheduling import filters, taints
from podium.domain.scheduling.filters import Shortage
from podium.domain.scheduling.node_info import NodeInfo, PodDemand


class Refusal(msgspec.Struct, frozen=True):
    """One reason not to run a Pod: ``reason`` for ``status.reason``, ``message`` for the event."""

    reason: str
    message: str


def fits(pod: Pod, node: Node, pods_on_node: Iterable[Pod]) -> list[Refusal]:
    """Return what keeps *pod* from *node*, the most telling first; empty when it may run.

    *pods_on_node* are those that run there or are about to, without *pod*. Extended resources that
    the node does not know are not its own to give and do not count.
    """
    info = NodeInfo(node, pods_on_node)
    demand = _demand(pod, info)
    refusals = [_out_of(shortage) for shortage in filters.shortages(demand, info)]
    return refusals + _misfits(pod, demand, info)


def lacking(pod: Pod, node: Node, pods_on_node: Iterable[Pod]) -> dict[str, int]:
    """Return how much more of which resources the Pod needs (in thousandths), where it is nothing
    but resources that keep it from *node*."""
    info = NodeInfo(node, pods_on_node)
    demand = _demand(pod, info)
    if _misfits(pod, demand, info):
        return {}
    return {
        shortage.resource: shortage.requested + shortage.used - shortage.capacity
        for shortage in filters.shortages(demand, info)
    }


def _demand(pod: Pod, info: NodeInfo) -> PodDemand:
    demand = PodDemand(pod)
    demand.requests = {
        name: amount
        for name, amount in demand.requests.items()
        if name in info.allocatable or not is_extended(name)
    }
    return demand


def _misfits(pod: Pod, demand: PodDemand, info: NodeInfo) -> list[Refusal]:
    """What keeps the Pod away beside resources."""
    refusals = []
    if filters.node_affinity(demand, info):
        refusals.append(_predicate("NodeAffinity"))
    if filters.node_name(demand, info):
        refusals.append(_predicate("NodeName"))
    if filters.node_ports(demand, info):
        refusals.append(_predicate("NodePorts"))
    if is_static(pod):
        return refusals
    if taints.untolerated(info.node.spec.taints, pod.spec.tolerations, (taints.NO_EXECUTE,)):
        refusals.append(_predicate("TaintToleration"))
    return refusals


def shortages(pod: Pod, node: Node, pods_on_node: Iterable[Pod]) -> list[Refusal]:
    """Like :func:`fits`, about resources alone."""
    found = filters.shortages(PodDemand(pod), NodeInfo(node, pods_on_node))
    return [_out_of(shortage) for shortage in found]


def _out_of(shortage: Shortage) -> Refusal:
    unit = 1 if shortage.resource == "cpu" else 1000  # only CPU is told in thousandths
    requested, used, capacity = (
        -(-amount // unit) for amount in (shortage.requested, shortage.used, shortage.capacity)
    )
    return Refusal(
        f"OutOf{shortage.resource}",
        f"Node didn't have enough resource: {shortage.resource}, "
        f"requested: {requested}, used: {used}, capacity: {capacity}",
    )


def _predicate(name: str) -> Refusal:
    return Refusal(name, f"Predicate {name} failed")


def is_extended(name: str) -> bool:
    """Whether *name* is in a domain that is not Kubernetes' own."""
    return "/" in name and "kubernetes.io/" not in name and not name.startswith("requests.")

"""The nodes as they will be: with the Pods that are there and those assumed to be on their way.

A Pod that was given a node counts there at once, before the API has heard of it; the informer's
news about it, or a failed binding, settles the matter.
"""

from __future__ import annotations

from collections.abc import Sequence

from podium.api.types.core_v1 import Node, Pod
from podium.domain.pods.claimed_volumes import claim_name
from podium.domain.scheduling.node_info import NodeInfo, PodDemand


class NodeCache:
    """Nodes by name. Pods may be known before their node is."""

    def __init__(self) -> None:
        self._nodes: dict[str, NodeInfo] = {}
        self._placed: dict[str, tuple[str, PodDemand]] = {}  # by uid: node and demand
        self._assumed: set[str] = set()

    def nodes(self) -> Sequence[NodeInfo]:
        return list(self._nodes.values())

    def node(self, name: str) -> NodeInfo | None:
        return self._nodes.get(name)

    def set_node(self, node: Node) -> NodeInfo:
        info = self._nodes.get(node.metadata.name)
        if info is None:
            info = self._nodes[node.metadata.name] = NodeInfo(node)
            for name, demand in self._placed.values():
                if name == info.name:
                    info.add(demand)
        else:
            info.set_node(node)
        return info

    def remove_node(self, name: str) -> None:
        self._nodes.pop(name, None)

    def is_assumed(self, uid: str) -> bool:
        """Whether the Pod was given a node that the API may not know of yet."""
        return uid in self._assumed

    def claim_is_used(self, namespace: str, name: str) -> bool:
        """Whether a Pod that has a node uses that PersistentVolumeClaim."""
        return any(
            demand.pod.metadata.namespace == namespace
            and any(claim_name(demand.pod, volume) == name for volume in demand.pod.spec.volumes)
            for _, demand in self._placed.values()
        )

    def assume(self, demand: PodDemand, node: str) -> None:
        self._assumed.add(demand.pod.metadata.uid)
        self._place(demand, node)

    def confirm(self, pod: Pod) -> None:
        """Take note that *pod* is bound, to whatever node."""
        self._assumed.discard(pod.metadata.uid)
        self._place(PodDemand(pod), pod.spec.node_name)

    def forget(self, uid: str) -> NodeInfo | None:
        """Take a Pod off its node; return that node, None when there was none."""
        self._assumed.discard(uid)
        node, _ = self._placed.pop(uid, ("", None))
        info = self._nodes.get(node)
        if info is not None:
            info.remove(uid)
        return info

    def _place(self, demand: PodDemand, node: str) -> None:
        uid = demand.pod.metadata.uid
        before = self._placed.get(uid)
        if before is not None and before[0] != node:
            self.forget(uid)
        self._placed[uid] = (node, demand)
        info = self._nodes.get(node)
        if info is not None:
            info.add(demand)

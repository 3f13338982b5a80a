"""Says when a node has fallen silent, and taints nodes by their conditions.

A node is alive as long as it renews its Lease in kube-node-lease or posts its status; when was
measured here, by our own clock, as upstream does.
"""

from __future__ import annotations

import msgspec

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.coordination_v1 import Lease
from podium.api.types.core_v1 import Node, ObjectReference, Pod
from podium.client.client import Client
from podium.client.events import EventRecorder
from podium.client.informer import Informer
from podium.client.wire import to_plain
from podium.client.workqueue import WorkQueue
from podium.controllers import node_health
from podium.controllers.loop import work
from podium.domain.pods.readiness import is_ready
from podium.kit.clock import Clock

#: Index of Pods by the node they are on.
BY_NODE = "node"


class GracePeriods(msgspec.Struct, frozen=True):
    """Seconds of silence that are allowed to a node, and to one that never said anything."""

    monitor: float = 40.0
    startup: float = 60.0


class NodeLifecycleController:
    """Keys are names of nodes. *pods* must be indexed by :data:`BY_NODE`."""

    def __init__(
        self,
        client: Client,
        nodes: Informer[Node],
        leases: Informer[Lease],
        pods: Informer[Pod],
        recorder: EventRecorder,
        grace: GracePeriods,
        clock: Clock,
    ) -> None:
        self._client, self._nodes, self._pods = client, nodes, pods
        self._recorder, self._grace, self._clock = recorder, grace, clock
        self._queue: WorkQueue[str] = WorkQueue(clock)
        self._heard: dict[str, float] = {}  # monotonic time of each node's last sign of life
        nodes.on_change(self._node_changed)
        leases.on_change(self._lease_changed)

    async def run(self) -> None:
        await work("node-lifecycle", self._queue, self._reconcile)

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        if new is None:
            assert old is not None
            self._heard.pop(old.metadata.name, None)
            self._event(old, "RemovingNode", f"Removing Node {old.metadata.name} from Controller")
            self._reconsider_all()
            return
        name = new.metadata.name
        if old is None:
            self._event(new, "RegisteredNode", f"Registered Node {name} in Controller")
        if old is None or _heartbeat(old) != _heartbeat(new):
            self._heard[name] = self._clock.monotonic()
        if old is None or node_health.ready_status(old) != node_health.ready_status(new):
            self._reconsider_all()
        elif _differs(old, new):
            self._queue.add(name)

    def _lease_changed(self, old: Lease | None, new: Lease | None) -> None:
        renewed = new is not None and (old is None or old.spec.renew_time != new.spec.renew_time)
        if new is not None and renewed and new.metadata.name in self._heard:
            self._heard[new.metadata.name] = self._clock.monotonic()

    def _reconsider_all(self) -> None:
        """Whether one node is healthy matters to the taints of all others."""
        for node in self._nodes.list():
            self._queue.add(node.metadata.name)

    async def _reconcile(self, name: str) -> None:
        node = self._nodes.get("", name)
        if node is None:
            return
        silence = self._clock.monotonic() - self._heard.get(name, self._clock.monotonic())
        allowed = self._grace.monitor if node_health.ready_status(node) else self._grace.startup
        if silence < allowed:
            self._queue.add_after(name, allowed - silence)
        elif await self._declare_silent(node):
            return  # what was written comes back by the watch
        await self._taint(node)
        if node_health.ready_status(node) in ("False", "Unknown"):
            await self._mark_pods_not_ready(name)

    async def _declare_silent(self, node: Node) -> bool:
        """Write that the node's state is unknown; tell whether there was anything to write."""
        changed = node_health.silent_conditions(node, self._clock.now())
        if not changed:
            return False
        was_ready = node_health.ready_status(node) == "True"
        patch = {"status": {"conditions": to_plain(changed)}}
        await self._client.patch(scheme.NODES, node.metadata.name, patch, subresource="status")
        if was_ready:
            text = f"Node {node.metadata.name} status is now: NodeNotReady"
            self._recorder.event(_reference(node), "Normal", "NodeNotReady", text)
        return True

    async def _taint(self, node: Node) -> None:
        evict = node_health.any_healthy(self._nodes.list())
        wanted = node_health.wanted_taints(node, evict=evict, now=self._clock.now())
        if wanted == node.spec.taints:
            return
        patch = {
            "metadata": {"resourceVersion": node.metadata.resource_version},
            "spec": {"taints": to_plain(wanted) or None},
        }
        await self._client.patch(scheme.NODES, node.metadata.name, patch, patch_type="merge")

    async def _mark_pods_not_ready(self, node: str) -> None:
        """Tell those who route to the node's Pods that nobody vouches for them any more."""
        for pod in self._pods.find(BY_NODE, node):
            if not is_ready(pod):
                continue
            moment = self._clock.now().replace(microsecond=0)
            condition = {"type": "Ready", "status": "False", "lastTransitionTime": moment}
            metadata = pod.metadata
            patch = {"metadata": {"uid": metadata.uid}, "status": {"conditions": [condition]}}
            try:
                await self._client.patch(
                    scheme.PODS,
                    metadata.name,
                    patch,
                    namespace=metadata.namespace,
                    subresource="status",
                )
            except ApiError as exc:
                if exc.code not in (404, 422):  # 422: another Pod has its name by now
                    raise
                continue
            self._recorder.event(pod, "Warning", "NodeNotReady", "Node is not ready")

    def _event(self, node: Node, reason: str, text: str) -> None:
        message = f"Node {node.metadata.name} event: {text}"
        self._recorder.event(_reference(node), "Normal", reason, message)


def _reference(node: Node) -> ObjectReference:
    metadata = node.metadata
    return ObjectReference(api_version="v1", kind="Node", name=metadata.name, uid=metadata.uid)


def _heartbeat(node: Node) -> object:
    ready = next((c for c in node.status.conditions if c.type == "Ready"), None)
    return ready and ready.last_heartbeat_time


def _differs(old: Node, new: Node) -> bool:
    """Whether *new* may need other taints than *old*."""
    return old.spec != new.spec or [(c.type, c.status) for c in old.status.conditions] != [
        (c.type, c.status) for c in new.status.conditions
    ]

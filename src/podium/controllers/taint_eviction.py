"""Deletes Pods from nodes whose NoExecute taints they do not tolerate, or not for that long."""

from __future__ import annotations

from podium.api.types.core_v1 import Node, Pod
from podium.client.client import Client
from podium.client.delta import Key, key_of
from podium.client.events import EventRecorder
from podium.client.informer import Informer
from podium.client.workqueue import WorkQueue
from podium.controllers.loop import work
from podium.controllers.node_lifecycle import BY_NODE
from podium.controllers.pod_garbage import disruption_target
from podium.controllers.pod_removal import remove
from podium.domain.pods.taint_eviction import seconds_left
from podium.kit.clock import Clock

_REASON = "TaintManagerEviction"


class TaintEvictionController:
    """Keys are Pods. *pods* must be indexed by :data:`BY_NODE`."""

    def __init__(
        self,
        client: Client,
        pods: Informer[Pod],
        nodes: Informer[Node],
        recorder: EventRecorder,
        clock: Clock,
    ) -> None:
        self._client, self._pods, self._nodes = client, pods, nodes
        self._recorder, self._clock = recorder, clock
        self._queue: WorkQueue[Key] = WorkQueue(clock)
        #: When each Pod that is on its way out was first found so, by its uid (monotonic).
        self._doomed_since: dict[str, float] = {}
        pods.on_change(self._pod_changed)
        nodes.on_change(self._node_changed)

    async def run(self) -> None:
        await work("taint-eviction-controller", self._queue, self._reconcile)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        if new is None:
            assert old is not None
            self._doomed_since.pop(old.metadata.uid, None)
        elif new.spec.node_name and (
            old is None
            or old.spec.node_name != new.spec.node_name
            or old.spec.tolerations != new.spec.tolerations
        ):
            self._queue.add(key_of(new))

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        if new is not None and (old.spec.taints if old else []) != new.spec.taints:
            for pod in self._pods.find(BY_NODE, new.metadata.name):
                self._queue.add(key_of(pod))

    async def _reconcile(self, key: Key) -> None:
        pod = self._pods.get(*key)
        if pod is None or pod.metadata.deletion_timestamp is not None:
            return
        node, uid = self._nodes.get("", pod.spec.node_name), pod.metadata.uid
        left = seconds_left(node.spec.taints, pod.spec.tolerations) if node else None
        if left is None:
            if self._doomed_since.pop(uid, None) is not None:
                self._tell(pod, f"Cancelling deletion of Pod {key[0]}/{key[1]}")
            return
        now = self._clock.monotonic()
        left = self._doomed_since.setdefault(uid, now) + left - now
        if left > 0:
            self._queue.add_after(key, left)
            return
        self._tell(pod, f"Marking for deletion Pod {key[0]}/{key[1]}")
        condition = disruption_target(
            "DeletionByTaintManager",
            "Taint manager: deleting due to NoExecute taint",
            self._clock.now(),
        )
        patch = {"metadata": {"uid": uid}, "status": {"conditions": [condition]}}
        await remove(self._client, pod, patch)

    def _tell(self, pod: Pod, message: str) -> None:
        self._recorder.event(pod, "Normal", _REASON, message)

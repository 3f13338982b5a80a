"""Removes Pods that nobody else will: of nodes that are gone or out of service, never bound, or too
many that ended.

Upstream looks every 20 s; here each case is found when it arises.
"""

from __future__ import annotations

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.core_v1 import Node, Pod
from podium.client.client import Client
from podium.client.delta import Key, key_of
from podium.client.informer import Informer
from podium.client.workqueue import WorkQueue
from podium.controllers import pod_garbage
from podium.controllers.loop import work
from podium.controllers.node_lifecycle import BY_NODE
from podium.controllers.pod_removal import remove
from podium.kit.clock import Clock

#: Seconds that a node which is not there has to turn up, before its Pods go.
QUARANTINE = 40.0


class PodGarbageCollector:
    """Keys are Pods. *pods* must be indexed by :data:`BY_NODE`."""

    def __init__(
        self,
        client: Client,
        pods: Informer[Pod],
        nodes: Informer[Node],
        threshold: int,
        clock: Clock,
    ) -> None:
        self._client, self._pods, self._nodes = client, pods, nodes
        self._threshold, self._clock = threshold, clock
        self._queue: WorkQueue[Key] = WorkQueue(clock)
        self._over: set[Key] = set()
        self._surplus: set[Key] = set()
        self._missing_since: dict[str, float] = {}
        pods.on_change(self._pod_changed)
        nodes.on_change(self._node_changed)

    async def run(self) -> None:
        for pod in self._pods.list():  # those bound to nodes that went while nobody looked
            self._look_for_node(pod)
        await work("pod-garbage-collector", self._queue, self._reconcile)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        if new is None:
            assert old is not None
            self._over.discard(key_of(old))
            self._surplus.discard(key_of(old))
            return
        key = key_of(new)
        if pod_garbage.is_over(new) and key not in self._over:
            self._over.add(key)
            self._find_surplus()
        if pod_garbage.is_unscheduled_and_terminating(new) or self._is_abandoned(new):
            self._queue.add(key)
        if old is None or old.spec.node_name != new.spec.node_name:
            self._look_for_node(new)

    def _find_surplus(self) -> None:
        if len(self._over) - len(self._surplus) <= self._threshold:
            return
        over = filter(None, (self._pods.get(*key) for key in self._over))
        for pod in pod_garbage.surplus(over, self._threshold):
            self._surplus.add(key_of(pod))
            self._queue.add(key_of(pod))

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        if new is not None:
            self._missing_since.pop(new.metadata.name, None)
            if pod_garbage.is_out_of_service(new):
                for pod in self._pods.find(BY_NODE, new.metadata.name):
                    if self._is_abandoned(pod):
                        self._queue.add(key_of(pod))
        elif old is not None:
            for pod in self._pods.find(BY_NODE, old.metadata.name):
                self._look_for_node(pod)

    def _is_abandoned(self, pod: Pod) -> bool:
        """Whether *pod* is being deleted on a node that will not finish that."""
        if pod.metadata.deletion_timestamp is None or not pod.spec.node_name:
            return False
        node = self._nodes.get("", pod.spec.node_name)
        return node is not None and pod_garbage.is_out_of_service(node)

    def _look_for_node(self, pod: Pod) -> None:
        node = pod.spec.node_name
        if node and self._nodes.synced.is_set() and self._nodes.get("", node) is None:
            self._missing_since.setdefault(node, self._clock.monotonic())
            self._queue.add_after(key_of(pod), QUARANTINE)

    async def _reconcile(self, key: Key) -> None:
        pod = self._pods.get(*key)
        if pod is None:
            return
        terminating = pod_garbage.is_unscheduled_and_terminating(pod) or self._is_abandoned(pod)
        if terminating or key in self._surplus:
            await self._remove(pod, orphaned=False)
        elif await self._is_orphan(pod, key):
            await self._remove(pod, orphaned=True)

    async def _is_orphan(self, pod: Pod, key: Key) -> bool:
        """Whether the Pod's node has been missing for long; asks the server to be sure."""
        node = pod.spec.node_name
        missing_since = self._missing_since.get(node)
        if not node or missing_since is None or self._nodes.get("", node) is not None:
            return False
        remaining = missing_since + QUARANTINE - self._clock.monotonic()
        if remaining > 0:
            self._queue.add_after(key, remaining)
            return False
        try:
            await self._client.get(scheme.NODES, node)
        except ApiError as exc:
            if exc.code == 404:
                return True
            raise
        return False

    async def _remove(self, pod: Pod, *, orphaned: bool) -> None:
        patch = pod_garbage.failed_patch(pod, self._clock.now(), orphaned=orphaned)
        await remove(self._client, pod, patch, grace_period_seconds=0)

"""Registers the node and keeps its status current."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from podium.api import scheme
from podium.api.codec import to_plain
from podium.api.errors import ApiError
from podium.api.patch import strategic
from podium.api.types.core_v1 import Node, NodeStatus
from podium.client.client import Client
from podium.client.errors import Unreachable, log_level
from podium.client.events import EventRecorder
from podium.kit.backoff import Backoff
from podium.kit.clock import Clock
from podium.kubelet.node.machine import Machine
from podium.kubelet.node.node_status import (
    NodeFacts,
    new_node,
    node_labels,
    node_status,
    same_but_heartbeat,
)
from podium.kubelet.options import KubeletOptions
from podium.runtime.image_port import ImageService
from podium.runtime.port import RuntimeCondition, RuntimeFailure, RuntimeService

logger = logging.getLogger(__name__)

_STATUS = "io.k8s.api.core.v1.NodeStatus"


class NodeReporter:
    """``node`` is the Node as the API last had it, or what it will be told of it."""

    def __init__(
        self,
        options: KubeletOptions,
        machine: Machine,
        client: Client,
        runtime: RuntimeService,
        images: ImageService,
        events: EventRecorder,
        clock: Clock,
        port: int,
        pressures: Callable[[], frozenset[str]],
    ) -> None:
        self._options, self._machine, self._client = options, machine, client
        self._runtime, self._images = runtime, images
        self._events, self._clock, self._port = events, clock, port
        self._pressures = pressures
        self._reported_at: datetime | None = None
        self._told: set[str] = set()
        self._news = asyncio.Event()
        self.node = Node()
        self._closing = False

    def close(self) -> None:
        """Tell from now on that the node is shutting down."""
        self._closing = True
        self.report_soon()

    def report_soon(self) -> None:
        """There is news: do not wait until the next report is due."""
        self._news.set()

    async def anticipate(self) -> None:
        """Know the Node as far as it can be known without the API."""
        try:
            self.node = await self._wanted()
        except RuntimeFailure as exc:
            logger.warning("node is not known yet", extra={"error": exc})

    async def register(self) -> None:
        """Create the Node, or take over the one there is; report its first status.

        Tries until it succeeds.
        """
        backoff = Backoff(initial=0.1, maximum=7.0)
        while True:
            try:
                await self._register()
                await self.report()
                return
            except (ApiError, Unreachable, RuntimeFailure) as exc:
                level = log_level(exc, backoff.failures)
                logger.log(level, "node could not be registered", extra={"error": exc})
                await self._clock.sleep(backoff.next())

    def take(self, node: Node) -> None:
        """Take over what the API has of the node.

        Conditions that somebody else changed (a node that was silent for long is declared
        ``Unknown``) are put right at once.
        """
        if node.metadata.uid == self.node.metadata.uid and _version(node) < _version(self.node):
            return  # the watch is behind the answer to what was reported last
        ours, theirs = self.node.status, node.status
        self.node = node
        if {c.type: c.status for c in ours.conditions} != {
            c.type: c.status for c in theirs.conditions
        }:
            self.report_soon()

    async def run(self) -> None:
        """Report the status as often as the configuration says, until cancelled."""
        frequency = self._options.config.node_status_update_frequency
        while True:
            await self._clock.wait(self._news, frequency)
            self._news.clear()
            try:
                await self.report()
            except ApiError as exc:
                logger.warning("node status could not be reported", extra={"error": exc})
                if exc.code == 404:
                    await self.register()
            except (Unreachable, RuntimeFailure) as exc:
                logger.warning("node status could not be reported", extra={"error": exc})

    async def report(self) -> None:
        """Publish the status if it changed, or if it is long since it was."""
        now = self._clock.now()
        status = node_status(await self._facts(), self.node.status, now)
        if same_but_heartbeat(status, self.node.status) and not self._heartbeat_due(now):
            return
        before = {c.type: c.status for c in self.node.status.conditions}
        difference = strategic.diff(to_plain(self.node.status), to_plain(status), _STATUS)
        patch: dict[str, Any] = {"status": difference}
        answer: Node = await self._client.patch(
            scheme.NODES, self._options.node_name, patch, subresource="status"
        )
        self._tell(status, before)
        self._reported_at = now
        if _version(answer) > _version(self.node):  # the watch may have been ahead of the answer
            self.node = answer

    async def _wanted(self) -> Node:
        options = self._options
        labels = node_labels(options.node_name, self._machine, options.labels)
        taints = options.config.register_with_taints
        wanted = new_node(options.node_name, labels, options.pod_cidr, taints)
        wanted.status = node_status(await self._facts(), NodeStatus(), self._clock.now())
        return wanted

    async def _register(self) -> None:
        options, wanted = self._options, await self._wanted()
        try:
            self.node = await self._client.create(scheme.NODES, wanted)
            self._tell(wanted.status, {})
        except ApiError as exc:
            if exc.code != 409:
                raise
            self.node = await self._client.get(scheme.NODES, options.node_name)
            self._tell_return(wanted.status)
            there = self.node.metadata.labels
            missing = {k: v for k, v in wanted.metadata.labels.items() if there.get(k) != v}
            if missing:
                patch = {"metadata": {"labels": missing}}
                self.node = await self._client.patch(scheme.NODES, options.node_name, patch)

    async def _facts(self) -> NodeFacts:
        options = self._options
        conditions: list[RuntimeCondition] = list(await self._runtime.status())
        return NodeFacts(
            machine=self._machine,
            pressures=self._pressures(),
            thresholds=options.config.eviction_thresholds,
            version=await self._runtime.version(),
            conditions=conditions,
            images=await self._images.list_images(),
            address=options.node_ip,
            hostname=options.node_name,
            port=self._port,
            max_pods=options.config.max_pods,
            reserved=options.config.reserved,
            handlers=await self._runtime.runtime_handlers(),
            closing=self._closing,
        )

    def _heartbeat_due(self, now: datetime) -> bool:
        if self._reported_at is None:
            return True
        age = (now - self._reported_at).total_seconds()
        return age >= self._options.config.node_status_report_frequency

    def _tell_return(self, status: NodeStatus) -> None:
        """Events of a node that the API knows: upstream tells all but readiness at each start."""
        boot_id = status.node_info.boot_id
        if self.node.status.node_info.boot_id not in ("", boot_id):
            text = f"Node {self._options.node_name} has been rebooted, boot id: {boot_id}"
            self._events.event(self.node, "Warning", "Rebooted", text)
        self._tell(status, {c.type: c.status for c in status.conditions if c.type == "Ready"})

    def _tell(self, status: NodeStatus, before: dict[str, str]) -> None:
        """Events about conditions that are not as they were *before*, with upstream's words."""
        name = self._options.node_name
        for condition in status.conditions:
            if before.get(condition.type) == condition.status:
                continue
            reason = condition.reason
            if condition.type == "Ready":
                reason = "NodeReady" if condition.status == "True" else "NodeNotReady"
            elif condition.reason.startswith("KubeletHas"):
                reason = f"Node{condition.reason.removeprefix('Kubelet')}"
            else:
                continue
            text = f"Node {name} status is now: {reason}"
            self._events.event(self.node, "Normal", reason, text)


def _version(node: Node) -> int:
    return int(node.metadata.resource_version or 0)

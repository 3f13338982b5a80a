"""The node's graceful shutdown: no new Pods, and those there end in the order of their priorities.

What is decided is in ``podium.domain.pods.shutdown``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from podium.api.types.core_v1 import Pod
from podium.client.events import EventRecorder
from podium.domain.pods.identity import pod_key
from podium.domain.pods.shutdown import (
    MESSAGE,
    TERMINATED,
    ShutdownGrace,
    ShutdownGroup,
    shutdown_groups,
)
from podium.domain.pods.status import Verdict
from podium.kit.clock import Clock
from podium.kubelet.node.registration import NodeReporter
from podium.kubelet.pods import PodManager
from podium.kubelet.status_manager import StatusManager

logger = logging.getLogger(__name__)

#: Seconds that a container has at least, and that its end may take after SIGKILL.
LEAST, LEEWAY = 1.0, 1.0
#: Seconds that the API has to take the last news.
LAST_WORDS = 5.0


class NodeShutdown:
    """Tells by ``under_way`` whether the node takes on Pods no more."""

    def __init__(
        self,
        pods: PodManager,
        status: StatusManager,
        events: EventRecorder,
        reporter: NodeReporter,
        clock: Clock,
    ) -> None:
        self._pods, self._status, self._events = pods, status, events
        self._reporter, self._clock = reporter, clock
        self.under_way = False

    async def run(self, classes: Sequence[ShutdownGrace]) -> None:
        """Return when all Pods have ended that will within the time of their class."""
        self.under_way = True
        text = "Shutdown manager detected shutdown event"
        self._events.event(self._reporter.node, "Normal", "Shutdown", text)
        self._reporter.close()
        groups = shutdown_groups(classes, list(self._pods.active_pods()))
        for group in groups:
            await self._end(group)
        await self._say_last_words([pod for group in groups for pod, _ in group.graces])

    async def _say_last_words(self, pods: Sequence[Pod]) -> None:
        """Wait until statuses and events are with the API, as long as it takes them."""
        said = asyncio.Event()

        async def say() -> None:
            for pod in pods:
                await self._status.settled(pod.metadata.uid)
            await self._events.flush()
            said.set()

        async with asyncio.TaskGroup() as tasks:
            saying = tasks.create_task(say(), name="last words")
            await self._clock.wait(said, LAST_WORDS)
            saying.cancel()

    async def _end(self, group: ShutdownGroup) -> None:
        ended: list[asyncio.Event] = []
        for pod, grace in group.graces:
            logger.info("ending pod", extra={"pod": pod_key(pod), "grace": grace})
            verdict = Verdict(TERMINATED, MESSAGE, grace=max(grace, LEAST), disruption=MESSAGE)
            over = self._pods.end(pod.metadata.uid, verdict)
            if over is not None:
                ended.append(over)
        until = self._clock.monotonic() + max(group.seconds, LEAST) + LEEWAY
        for event in ended:
            left = until - self._clock.monotonic()
            if not await self._clock.wait(event, max(left, 0.0)):
                logger.warning("pods have not ended in their time")
                return

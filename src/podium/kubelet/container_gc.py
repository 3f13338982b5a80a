"""Keeps the number of dead containers on the node within its bound, where it has one.

What is superfluous of one living Pod its worker removes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from podium.api.types.core_v1 import Node, Pod
from podium.client.events import EventRecorder
from podium.domain.pods import identity
from podium.domain.pods.garbage import DeadContainer, DeadContainerPolicy, beyond
from podium.kit.clock import Clock
from podium.runtime.port import Container, ContainerState, RuntimeFailure, RuntimeService

logger = logging.getLogger(__name__)

#: Seconds between two looks.
INTERVAL = 60.0


class ContainerCollector:
    """*living* are the Pods that need the last run of each of their containers."""

    def __init__(
        self,
        runtime: RuntimeService,
        living: Callable[[], Iterable[Pod]],
        policy: DeadContainerPolicy,
        events: EventRecorder,
        node: Callable[[], Node],
        clock: Clock,
    ) -> None:
        self._runtime, self._living, self._policy = runtime, living, policy
        self._events, self._node, self._clock = events, node, clock

    async def run(self) -> None:
        """Look now and then, until cancelled; return at once where any number may stay."""
        while self._policy.on_node >= 0:
            await self._clock.sleep(INTERVAL)
            try:
                await self.collect()
            except RuntimeFailure as exc:
                logger.warning("dead containers could not be removed", extra={"error": exc})
                self._events.event(self._node(), "Warning", "ContainerGCFailed", str(exc))

    async def collect(self, keep: int | None = None) -> None:
        """Remove dead containers beyond *keep*, or beyond the bound. Raises RuntimeFailure."""
        bound = self._policy.on_node if keep is None else keep
        living = {pod.metadata.uid for pod in self._living()}
        latest: set[tuple[str, str]] = set()
        dead = []
        found = await self._runtime.list_containers()
        youngest = self._clock.now().timestamp() - self._policy.minimum_age
        for container in sorted(found, key=lambda c: (c.created_at, c.metadata.attempt))[::-1]:
            owner = _owner(container)
            needed = owner[0] in living and owner not in latest
            latest.add(owner)
            if needed or container.state is not ContainerState.EXITED:
                continue
            if container.created_at / 1e9 <= youngest:
                dead.append(DeadContainer(container.id, owner, container.created_at))
        for container_id in beyond(dead, bound):
            await self._runtime.remove_container(container_id)


def _owner(container: Container) -> tuple[str, str]:
    return container.labels.get(identity.POD_UID, ""), container.metadata.name

"""Keeps the node from running out: looks at what is left, and ends Pods where that is too little.

What is decided is in ``podium.domain.pods.eviction`` and ``podium.domain.pods.local_storage``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from podium.api.types.core_v1 import Node
from podium.client.events import EventRecorder
from podium.domain.pods.eviction import (
    AT_ONCE,
    RESOURCES,
    ContainerUse,
    Look,
    Observations,
    PodUse,
    State,
    Threshold,
    eviction_annotations,
    eviction_message,
    is_critical,
    look,
    ranked,
    satisfied,
)
from podium.domain.pods.local_storage import StorageUse, is_limited, too_much
from podium.kit.clock import Clock
from podium.kubelet.config import KubeletConfiguration
from podium.kubelet.pods import PodManager
from podium.kubelet.stats.reader import StatsReader
from podium.kubelet.stats.readings import PodReading, Reading
from podium.runtime.port import RuntimeFailure

logger = logging.getLogger(__name__)

#: Seconds between two looks, and for which a Pod that goes is waited for.
INTERVAL, CLEANUP = 10.0, 30.0
#: Counting what Pods keep on disk pauses for so many times what it took, but not for longer (s).
COUNTING_SHARE, LONGEST_PAUSE = 20.0, 300.0
_ON_DISKS = ("ephemeral-storage", "inodes")


class EvictionManager:
    """``conditions`` are the node's, as of the last look; ``on_change`` hears of others.

    ``reclaim`` are ways to free disks of what nobody needs, before any Pod has to go.
    """

    def __init__(
        self,
        config: KubeletConfiguration,
        signals: Callable[[], Observations],
        stats: StatsReader,
        pods: PodManager,
        events: EventRecorder,
        clock: Clock,
    ) -> None:
        self._config, self._signals, self._stats = config, signals, stats
        self._pods, self._events, self._clock = pods, events, clock
        self._thresholds: Sequence[Threshold] = config.eviction_thresholds
        self._state = State()
        self._count_at = float("-inf")
        self.conditions: frozenset[str] = frozenset()
        self.on_change: Callable[[], None] = lambda: None
        self.reclaim: Sequence[Callable[[], Awaitable[object]]] = ()

    def observe(self) -> tuple[Look, Observations]:
        """Look at what is left; end nothing."""
        try:
            observed = self._signals()
        except OSError as exc:
            logger.warning("what is left of the node cannot be told", extra={"error": exc})
            return Look(self._state, self.conditions, ()), {}
        seen = look(
            self._thresholds,
            observed,
            self._state,
            self._clock.now(),
            self._config.eviction_pressure_transition_period,
        )
        self._state = seen.state
        if seen.conditions != self.conditions:
            self.conditions = seen.conditions
            self.on_change()
        return seen, observed

    async def run(self, node: Callable[[], Node]) -> None:
        """Look again and again, until cancelled. *node* is what events about shortages are of."""
        while True:
            going: Sequence[asyncio.Event] = ()
            try:
                going = await self._turn(node)
            except (RuntimeFailure, OSError) as exc:
                logger.warning("eviction put off", extra={"error": exc})
            if going:
                for over in going:
                    await self._clock.wait(over, CLEANUP)
            else:
                await self._clock.sleep(INTERVAL)

    async def _turn(self, node: Callable[[], Node]) -> Sequence[asyncio.Event]:
        """Return the ends of the Pods that have to go."""
        seen, observed = self.observe()
        greedy = await self._end_greedy()
        if greedy or not seen.due:
            return greedy
        first = seen.due[0]
        resource = RESOURCES[first.signal]
        text = f"Attempting to reclaim {resource}"
        self._events.event(node(), "Warning", "EvictionThresholdMet", text)
        if self.reclaim and resource in _ON_DISKS:
            await self._reclaim()
            if satisfied(self._thresholds, self._signals()):
                return ()
        return await self._end_one(first, seen.due, observed)

    async def _reclaim(self) -> None:
        """Free what can be freed; what fails keeps neither the other ways nor Pods from going."""
        for free in self.reclaim:
            try:
                await free()
            except (RuntimeFailure, OSError) as exc:
                logger.warning("disks could not be freed", extra={"error": exc})

    async def _end_one(
        self, first: Threshold, due: Sequence[Threshold], observed: Observations
    ) -> Sequence[asyncio.Event]:
        resource = RESOURCES[first.signal]
        reading = await self._stats.read(disks=resource in _ON_DISKS, idle=True)
        uses = {p.pod.metadata.uid: _use(p, reading, first.signal) for p in reading.pods}
        pods = [pod for pod in self._pods.active_pods() if not is_critical(pod)]
        for pod in ranked(first.signal, pods, uses):
            use = uses.get(pod.metadata.uid)
            message = eviction_message(pod, use, resource, due, observed)
            grace = AT_ONCE if first.hard else float(self._config.eviction_max_pod_grace_period)
            notes = eviction_annotations(pod, use, resource)
            over = self._pods.evict(
                pod.metadata.uid, message, grace, for_node=True, annotations=notes
            )
            if over is not None:
                return [over]
        logger.warning("no pod can be evicted", extra={"resource": resource})
        return ()

    async def _end_greedy(self) -> Sequence[asyncio.Event]:
        """End the Pods that keep more on disk than they may."""
        began = self._clock.monotonic()
        if began < self._count_at:
            return []
        limited = [p for p in self._pods.active_pods() if is_limited(p) and not is_critical(p)]
        readings = await self._stats.read_disks(limited) if limited else ()
        self._count_at = self._clock.monotonic() + counting_pause(self._clock.monotonic() - began)
        found = []
        for reading in readings:
            message = too_much(reading.pod, _storage(reading))
            if message:
                over = self._pods.evict(reading.pod.metadata.uid, message, AT_ONCE)
                found += [over] if over is not None else []
        return found


def counting_pause(took: float) -> float:
    """How long not to count again (seconds) where it *took* so long, so that large trees do not
    keep a core busy."""
    return min(took * COUNTING_SHARE, LONGEST_PAUSE)


def _storage(reading: PodReading) -> StorageUse:
    return StorageUse(
        volumes={volume.name: volume.used.bytes for volume in reading.volumes if volume.ephemeral},
        containers=_disks(reading),
        total=reading.ephemeral_storage.bytes,
    )


def _disks(reading: PodReading) -> Mapping[str, int]:
    return {
        c.name: sum(part.bytes for part in (c.rootfs, c.logs) if part is not None)
        for c in reading.containers
    }


def _use(reading: PodReading, of_node: Reading, signal: str) -> PodUse:
    """What counts of a Pod where *signal* tells of too little: its disk use on that device."""
    node = of_node.node
    device = (node.images if signal.startswith("imagefs") else node.file_system).device
    parts = [c.rootfs for c in reading.containers if node.containers.device == device]
    if node.file_system.device == device:
        parts += [c.logs for c in reading.containers]
        parts += [volume.used for volume in reading.volumes if volume.ephemeral]
    known = [part for part in parts if part is not None]
    disks = _disks(reading)
    return PodUse(
        memory=reading.usage.memory_working_set_bytes if reading.usage else 0,
        processes=reading.processes,
        disk=sum(part.bytes for part in known),
        inodes=sum(part.inodes for part in known),
        containers=[
            ContainerUse(c.name, c.usage.memory_working_set_bytes, disks[c.name])
            for c in reading.containers
        ],
    )

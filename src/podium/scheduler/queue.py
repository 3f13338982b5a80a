"""Pods that wait for a node: to be tried now, after a back-off, or once something has changed.

The semantics are those of upstream's scheduling queue: higher priority first, then first come,
first served; a Pod that was tried waits 1 s, doubling to 10 s, before it is tried again; one that
fits nowhere waits until :meth:`SchedulingQueue.move` says that it might now.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable

import msgspec

from podium.api.types.core_v1 import Pod
from podium.domain.scheduling.node_info import PodDemand
from podium.kit.backoff import delay_after
from podium.kit.clock import Clock

FIRST_BACKOFF, LAST_BACKOFF = 1.0, 10.0


class Waiting(msgspec.Struct):
    """A Pod in the queue, told apart by its uid."""

    demand: PodDemand
    attempts: int = 0
    #: Monotonic time before which it is not tried again.
    not_before: float = 0.0

    @property
    def pod(self) -> Pod:
        return self.demand.pod

    @property
    def uid(self) -> str:
        return self.demand.pod.metadata.uid


class SchedulingQueue:
    """One consumer, which calls :meth:`pop` and then, unless the Pod was placed, a way back in."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pods: dict[str, Waiting] = {}  # every Pod in here, wherever
        self._active: list[tuple[int, int, str]] = []
        self._backing_off: list[tuple[float, int, str]] = []
        self._parked: set[str] = set()
        self._queued: set[str] = set()  # uids in the two heaps; their other entries are stale
        self._order = itertools.count()
        self._news = asyncio.Event()

    def __len__(self) -> int:
        return len(self._pods)

    def lengths(self) -> dict[tuple[str, ...], float]:
        """Return how many Pods wait where, under upstream's names of its queues."""
        backing_off = sum(uid in self._queued for _, _, uid in self._backing_off)
        return {
            ("active",): len(self._queued) - backing_off,
            ("backoff",): backing_off,
            ("unschedulable",): len(self._parked),
        }

    def add(self, pod: Pod) -> None:
        """Queue a new Pod, or a new version of one: what it asks for may have changed."""
        waiting = self._pods.get(pod.metadata.uid)
        if waiting is None:
            waiting = self._pods[pod.metadata.uid] = Waiting(PodDemand(pod))
            self._enqueue(waiting)
            return
        changed = asks_differently(waiting.pod, pod)
        waiting.demand = PodDemand(pod)
        if changed and waiting.uid in self._parked:
            self._parked.discard(waiting.uid)
            self._enqueue(waiting)

    def remove(self, uid: str) -> None:
        """Forget a Pod: it is gone, or somebody has placed it."""
        self._pods.pop(uid, None)
        self._parked.discard(uid)
        self._queued.discard(uid)

    async def pop(self) -> Waiting:
        """Return the next Pod to try, waiting for one; it has left the queue."""
        while True:
            self._release()
            while self._active:
                uid = heapq.heappop(self._active)[2]
                if uid in self._queued:
                    self._queued.discard(uid)
                    waiting = self._pods.pop(uid)
                    waiting.attempts += 1
                    return waiting
            self._news.clear()
            next_ = self._backing_off[0][0] - self._clock.monotonic() if self._backing_off else None
            await self._clock.wait(self._news, next_)

    def park(self, waiting: Waiting) -> None:
        """Take a Pod back that fits nowhere, until it is moved."""
        self._count_attempt(waiting)
        self._parked.add(waiting.uid)

    def hold(self, waiting: Waiting) -> None:
        """Take a Pod back that does not want to be tried, until it has changed."""
        waiting.attempts -= 1
        self._pods[waiting.uid] = waiting
        self._parked.add(waiting.uid)

    def retry(self, waiting: Waiting) -> None:
        """Take a Pod back whose placement failed for no fault of its own."""
        self._count_attempt(waiting)
        self._enqueue(waiting)

    def move(self, may_fit: Callable[[PodDemand], bool]) -> None:
        """Have those parked Pods tried again for which *may_fit*."""
        for uid in [uid for uid in self._parked if may_fit(self._pods[uid].demand)]:
            self._parked.discard(uid)
            self._enqueue(self._pods[uid])

    def _count_attempt(self, waiting: Waiting) -> None:
        delay = delay_after(waiting.attempts - 1, FIRST_BACKOFF, LAST_BACKOFF)
        waiting.not_before = self._clock.monotonic() + delay
        self._pods[waiting.uid] = waiting

    def _enqueue(self, waiting: Waiting) -> None:
        self._queued.add(waiting.uid)
        if waiting.not_before > self._clock.monotonic():
            entry = (waiting.not_before, next(self._order), waiting.uid)
            heapq.heappush(self._backing_off, entry)
        else:
            self._activate(waiting)
        self._news.set()

    def _activate(self, waiting: Waiting) -> None:
        entry = (-waiting.demand.priority, next(self._order), waiting.uid)
        heapq.heappush(self._active, entry)

    def _release(self) -> None:
        now = self._clock.monotonic()
        while self._backing_off and self._backing_off[0][0] <= now:
            uid = heapq.heappop(self._backing_off)[2]
            if uid in self._queued:
                self._activate(self._pods[uid])


def asks_differently(old: Pod, new: Pod) -> bool:
    """Whether *new* may fit where *old* did not."""
    return old.spec != new.spec or old.metadata.labels != new.metadata.labels

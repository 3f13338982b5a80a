"""Keys waiting to be reconciled: each at most once, delayed or rate-limited where asked.

The semantics are those of ``client-go``'s workqueue: a key added while it is being worked on comes
back when that is done, so that one key is never worked on by two at a time and no news is lost.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

from podium.client.workqueue_metrics import QueueMetrics
from podium.kit.backoff import delay_after
from podium.kit.clock import Clock

K = TypeVar("K", bound=Hashable)

#: Seconds before the first and before the latest repetition of a key that keeps failing.
FIRST_RETRY, LAST_RETRY = 0.005, 1000.0


class WorkQueue(Generic[K]):
    """For any number of workers; each calls :meth:`get`, works, then :meth:`done`."""

    def __init__(
        self, clock: Clock, *, first_retry: float = FIRST_RETRY, last_retry: float = LAST_RETRY
    ) -> None:
        self._clock = clock
        self._first_retry, self._last_retry = first_retry, last_retry
        self._ready: deque[K] = deque()
        self._wanted: set[K] = set()  # ready, or to become ready when done
        self._working: set[K] = set()
        self._failures: dict[K, int] = {}
        self._delayed: list[tuple[float, int, K]] = []
        self._due: dict[K, float] = {}  # the earliest time of each delayed key
        self._order = itertools.count()
        self._news = asyncio.Event()
        self._metrics: QueueMetrics | None = None

    def measure(self, name: str) -> None:
        """Count from here on what happens to keys, under *name*."""
        self._metrics = QueueMetrics(name, self._clock)
        for key in self._ready:
            self._metrics.ready(key)

    def __len__(self) -> int:
        """Return how many keys could be taken now."""
        return len(self._ready)

    def add(self, key: K) -> None:
        if key in self._wanted:
            return
        self._wanted.add(key)
        if key not in self._working:
            self._make_ready(key)

    def add_after(self, key: K, seconds: float) -> None:
        """Add *key* in that many seconds; an earlier time asked for before stays."""
        if seconds <= 0:
            self.add(key)
            return
        when = self._clock.monotonic() + seconds
        if when < self._due.get(key, float("inf")):
            self._due[key] = when
            heapq.heappush(self._delayed, (when, next(self._order), key))
            self._news.set()

    def add_rate_limited(self, key: K) -> float:
        """Add *key* after a delay that doubles each time until :meth:`forget`; return the delay."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        if self._metrics:
            self._metrics.retried()
        delay = delay_after(failures, self._first_retry, self._last_retry)
        self.add_after(key, delay)
        return delay

    def forget(self, key: K) -> None:
        """Let the next :meth:`add_rate_limited` of *key* start from the shortest delay."""
        self._failures.pop(key, None)

    async def get(self) -> K:
        """Return the next key, waiting for one; it is being worked on until :meth:`done`."""
        while True:
            self._release_due()
            if self._ready:
                key = self._ready.popleft()
                self._wanted.discard(key)
                self._working.add(key)
                if self._metrics:
                    self._metrics.taken(key)
                return key
            self._news.clear()
            await self._clock.wait(self._news, self._until_next())

    def done(self, key: K) -> None:
        self._working.discard(key)
        if self._metrics:
            self._metrics.done(key)
        if key in self._wanted:
            self._make_ready(key)

    def _make_ready(self, key: K) -> None:
        self._ready.append(key)
        self._news.set()
        if self._metrics:
            self._metrics.ready(key)

    def _release_due(self) -> None:
        now = self._clock.monotonic()
        while self._delayed and self._delayed[0][0] <= now:
            when, _, key = heapq.heappop(self._delayed)
            if self._due.get(key) == when:  # else moved to an earlier time, and added then
                del self._due[key]
                self.add(key)

    def _until_next(self) -> float | None:
        return self._delayed[0][0] - self._clock.monotonic() if self._delayed else None

"""Committed writes on their way to the watchers of this process.

A watcher that does not keep up is cut off, never waited for and never buffered without bound: it
lists again, as Kubernetes' clients do.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from podium.store.port import Event, StoreClosed

MAX_EVENTS = 20_000
MAX_BYTES = 64 * 1024 * 1024


class Subscription:
    """One watcher's queue of batches, in the order of the writes: all published after *since*."""

    def __init__(self, prefix: str, since: int, max_events: int, max_bytes: int) -> None:
        self._prefix, self.since = prefix, since
        self._max_events, self._max_bytes = max_events, max_bytes
        self._batches: deque[Sequence[Event]] = deque()
        self._events = self._bytes = 0
        self._ended: str | None = None
        self._news = asyncio.Event()

    def offer(self, events: Sequence[Event]) -> None:
        """Queue what of *events* is below the prefix; cut the watcher off when it is too much."""
        wanted = [event for event in events if event.key.startswith(self._prefix)]
        if not wanted or self._ended is not None:
            return
        self._events += len(wanted)
        self._bytes += sum(len(event.value or b"") for event in wanted)
        if self._events > self._max_events or self._bytes > self._max_bytes:
            self._batches.clear()
            self.end("the watcher fell too far behind")
            return
        self._batches.append(wanted)
        self._news.set()

    def end(self, why: str) -> None:
        """Let the watcher fail with StoreClosed once it has taken what is queued."""
        if self._ended is None:
            self._ended = why
        self._news.set()

    async def take(self) -> Sequence[Event]:
        """Return the next events, waiting for them. Raises StoreClosed. Loses nothing if
        cancelled."""
        while not self._batches:
            if self._ended is not None:
                raise StoreClosed(self._ended)
            self._news.clear()
            await self._news.wait()
        taken = [event for batch in self._batches for event in batch]
        self._batches.clear()
        self._events = self._bytes = 0
        return taken


class Feed:
    """Everyone who watches. *max_events* and *max_bytes* bound what waits for one watcher."""

    def __init__(self, max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES) -> None:
        self._max_events, self._max_bytes = max_events, max_bytes
        self._subscriptions: set[Subscription] = set()
        self._closed = False

    def publish(self, events: Sequence[Event]) -> None:
        for subscription in self._subscriptions:
            subscription.offer(events)

    @contextmanager
    def subscribed(self, prefix: str, since: int) -> Iterator[Subscription]:
        """Give a queue that gets every write published from now on. Raises StoreClosed.

        *since* is the revision published last.
        """
        if self._closed:
            raise StoreClosed("the store is closed")
        subscription = Subscription(prefix, since, self._max_events, self._max_bytes)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def close(self) -> None:
        self._closed = True
        for subscription in self._subscriptions:
            subscription.end("the store is closed")

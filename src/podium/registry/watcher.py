"""Those who watch a resource, found by what they are interested in.

A change is offered only to the watchers whose index it touches; a watcher that does not keep up is
cut off.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence

from podium.registry.change import Change
from podium.registry.predicate import EVERYTHING, Interest, Predicate
from podium.registry.types import Stored, WatchEvent

MAX_EVENTS = 8192
MAX_BYTES = 32 * 1024 * 1024


class Watcher:
    """One watch's queue. ``news`` is set when there is something to take, or when it is over."""

    def __init__(
        self, predicate: Predicate, *, max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES
    ) -> None:
        self.news = asyncio.Event()
        self.cut_off = False
        self._predicate = predicate
        self._max_events, self._max_bytes = max_events, max_bytes
        self._events: deque[WatchEvent] = deque()
        self._bytes = 0

    def offer(self, change: Change) -> None:
        if self.cut_off:
            return
        event = change.event_for(self._predicate)
        if event is None:
            return
        self._bytes += len(event.data)
        self._events.append(event)
        if len(self._events) > self._max_events or self._bytes > self._max_bytes:
            self.cut_off = True
            self._events.clear()
        self.news.set()

    def take(self) -> Sequence[WatchEvent]:
        """Return what has queued up."""
        taken = list(self._events)
        self._events.clear()
        self._bytes = 0
        self.news.clear()
        return taken


class Watchers:
    """All watchers of a resource, each under the one index that its predicate is narrowed to."""

    def __init__(self, indexed: Iterable[str]) -> None:
        self._indexed = tuple(indexed)
        self._by_interest: defaultdict[Interest, set[Watcher]] = defaultdict(set)

    def add(self, interest: Interest, watcher: Watcher) -> None:
        self._by_interest[interest].add(watcher)

    def remove(self, interest: Interest, watcher: Watcher) -> None:
        there = self._by_interest[interest]
        there.discard(watcher)
        if not there:
            del self._by_interest[interest]

    def __len__(self) -> int:
        return sum(len(there) for there in self._by_interest.values())

    def notify(self, change: Change) -> None:
        if not self._by_interest:
            return
        for interest in self._touched(change.old, change.new):
            for watcher in self._by_interest.get(interest, ()):
                watcher.offer(change)

    def _touched(self, old: Stored | None, new: Stored | None) -> Iterator[Interest]:
        """Yield each interest that the change from *old* to *new* may concern, once."""
        yield EVERYTHING
        either = new or old
        assert either is not None
        key = either.fields["metadata.name"]
        namespace = either.fields.get("metadata.namespace")
        if namespace:
            yield Interest("namespace", namespace)
            key = f"{namespace}/{key}"
        yield Interest("key", key)
        for label in self._indexed:
            for value in {stored.fields[label] for stored in (old, new) if stored is not None}:
                yield Interest(label, value)

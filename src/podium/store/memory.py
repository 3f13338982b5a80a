"""The store in memory: the history and a feed. For tests; nothing survives the process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from podium.store import history
from podium.store.feed import Feed, Subscription
from podium.store.history import History
from podium.store.port import Entry, Event, FutureRevision, Page, StoreClosed


class MemoryStore:
    """A ``Store``. Every method is done when it returns; there is nothing to wait for."""

    def __init__(self, feed: Feed | None = None) -> None:
        self._history = History()
        self._feed = feed or Feed()
        self._closed = False

    async def revision(self) -> int:
        self._check_open()
        return self._history.revision

    async def get(self, key: str) -> Entry | None:
        self._check_open()
        return self._history.get(key)

    async def list(
        self,
        prefix: str,
        *,
        limit: int | None = None,
        after: str = "",
        revision: int | None = None,
    ) -> Page:
        self._check_open()
        return self._history.page(prefix, limit, after, revision)

    async def create(self, key: str, value: bytes) -> Entry:
        self._check_open()
        return self._commit(history.created(key, value, self._history.get(key), self._next))

    async def update(self, key: str, value: bytes, expected: int) -> Entry:
        self._check_open()
        current = self._history.get(key)
        return self._commit(history.updated(key, value, expected, current, self._next))

    async def delete(self, key: str, expected: int) -> Entry:
        self._check_open()
        current = self._history.get(key)
        return self._commit(history.deleted(key, expected, current, self._next))

    @asynccontextmanager
    async def watch(self, prefix: str, after: int) -> AsyncIterator[AsyncIterator[Sequence[Event]]]:
        self._check_open()
        with self._feed.subscribed(prefix, since=self._history.revision) as subscription:
            yield self._events(prefix, after, subscription)

    async def compact(self, revision: int) -> None:
        self._check_open()
        self._history.compact(revision)

    async def close(self) -> None:
        self._closed = True
        self._feed.close()

    @property
    def _next(self) -> int:
        return self._history.revision + 1

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosed("the store is closed")

    def _commit(self, event: Event) -> Entry:
        self._history.append(event)
        self._feed.publish((event,))
        return history.entry_after(event)

    async def _events(
        self, prefix: str, after: int, subscription: Subscription
    ) -> AsyncIterator[Sequence[Event]]:
        if after > self._history.revision:
            raise FutureRevision(after, self._history.revision)
        if after < subscription.since:
            past = self._history.events(prefix, after)
            past = [event for event in past if event.revision <= subscription.since]
            if past:
                yield past
        while True:
            fresh = [event for event in await subscription.take() if event.revision > after]
            if fresh:
                yield fresh

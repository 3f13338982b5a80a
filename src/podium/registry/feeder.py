"""From the store's writes to the watch caches: one watch of everything, sorted by resource."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
from collections.abc import Callable, Sequence

from podium.kit import collector
from podium.kit.clock import Clock
from podium.registry import keys, versions
from podium.registry.caches import Caches
from podium.registry.change import Change
from podium.registry.watch_cache import WatchCache
from podium.store.port import Event, Store, StoreClosed

logger = logging.getLogger(__name__)

#: Seconds that a read waits for a revision which no write has reached, as upstream.
_PATIENCE = 3.0
_FILL_PAGE = 500

#: Told of every change, after the cache has it.
OnChange = Callable[[WatchCache, Change], None]


class Feeder:
    """Fills the caches and keeps them current. ``revision`` is the one they all have reached."""

    def __init__(self, store: Store, caches: Caches, clock: Clock, on_change: OnChange) -> None:
        self._store, self._caches, self._clock, self._on_change = store, caches, clock, on_change
        self.revision = 0
        self._waiting: list[tuple[int, int, asyncio.Event]] = []
        self._order = itertools.count()

    async def fill(self) -> None:
        """Read all present objects, as of one revision."""
        self.revision = await self._store.revision()
        self._caches.filled_at = self._caches.revision = self.revision
        with collector.paused():
            await self._fill()

    async def _fill(self) -> None:
        after = ""
        while True:
            page = await self._store.list(
                keys.ROOT, limit=_FILL_PAGE, after=after, revision=self.revision
            )
            for cache, entries in itertools.groupby(
                page.entries, lambda one: self._cache_of(one.key)
            ):
                if cache is not None:
                    cache.fill(entries)
            if not page.remaining:
                return
            after = page.entries[-1].key

    async def run(self) -> None:
        """Follow the store until it closes."""
        while True:
            try:
                async with self._store.watch(keys.ROOT, self.revision) as batches:
                    async for events in batches:
                        self._apply(events)
            except StoreClosed as ended:
                if await self._is_closed():
                    return
                logger.warning("the watch caches fell behind", extra={"error": str(ended)})

    async def reached(self, revision: int) -> None:
        """Wait until the caches have *revision*. Raises ApiError (504) when that takes long."""
        if revision <= self.revision:
            return
        reached = asyncio.Event()
        waiting = (revision, next(self._order), reached)
        heapq.heappush(self._waiting, waiting)
        try:
            if not await self._clock.wait(reached, _PATIENCE):
                raise versions.too_large(revision, self.revision)
        finally:
            if not reached.is_set():
                self._waiting.remove(waiting)
                heapq.heapify(self._waiting)

    async def current(self) -> None:
        """Wait until the caches have every write that was acknowledged before this call."""
        revision = await self._store.revision()
        if revision > self.revision:
            await self.reached(revision)

    async def _is_closed(self) -> bool:
        try:
            await self._store.revision()
        except StoreClosed:
            return True
        return False

    def _apply(self, events: Sequence[Event]) -> None:
        for event in events:
            cache = self._cache_of(event.key)
            if cache is not None:
                self._on_change(cache, cache.apply(event))
                for view in self._caches.views(cache.prefix):
                    view.apply(event)
            self.revision = self._caches.revision = event.revision
        while self._waiting and self._waiting[0][0] <= self.revision:
            heapq.heappop(self._waiting)[2].set()

    def _cache_of(self, key: str) -> WatchCache | None:
        """Find the cache by the first one or two parts of the key below the root."""
        end = key.find("/", len(keys.ROOT)) + 1
        cache = self._caches.under(key[:end])
        if cache is None and end:
            cache = self._caches.under(key[: key.find("/", end) + 1])
        return cache

"""Removes objects that live for a time only (events), that long after their last write.

The times are kept in memory. After a restart an object counts as written when it says so itself
(``lastTimestamp``, or its creation), which can only be too early by the updates that do not say.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from itertools import islice
from typing import Any

from podium.kit.clock import Clock
from podium.registry.change import Change
from podium.registry.watch_cache import WatchCache
from podium.store.port import RevisionMismatch, Store, StoreFailed

logger = logging.getLogger(__name__)

#: Removed at a time; they share the store's commits.
_AT_ONCE = 100
_RETRY_AFTER = 5.0


class Expiry:
    """Watches over one resource; *time_to_live* in seconds."""

    def __init__(self, store: Store, cache: WatchCache, clock: Clock, time_to_live: float) -> None:
        self._store, self._cache, self._clock = store, cache, clock
        self._time_to_live = time_to_live
        # By key: when it is due, in the clock's monotonic time. Every write puts its key at the
        # end, so that the first is always the next.
        self._due: dict[str, float] = {}
        self._first_came = asyncio.Event()

    def begin(self) -> None:
        """Take in what is there at start."""
        now = self._clock.now()
        ages = {key: _age(obj, now) for key, obj in self._cache.objects()}
        for key in sorted(ages, key=ages.__getitem__, reverse=True):
            self._put(key, self._time_to_live - ages[key])

    def note(self, change: Change) -> None:
        """Take in a change that the cache has applied."""
        if change.new is not None:
            self._due.pop(change.new.key, None)
            self._put(change.new.key, self._time_to_live)
        elif change.old is not None:
            self._due.pop(change.old.key, None)

    async def run(self) -> None:
        while True:
            self._first_came.clear()
            now = self._clock.monotonic()
            due = list(islice(self._due.items(), _AT_ONCE))
            over = [key for key, at in due if at <= now]
            if over:
                await self._remove(over)
            elif due:
                await self._clock.sleep(due[0][1] - now)
            else:
                await self._first_came.wait()

    def _put(self, key: str, after: float) -> None:
        self._due[key] = self._clock.monotonic() + max(after, 0)
        self._first_came.set()

    async def _remove(self, keys: list[str]) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                for key in keys:
                    tasks.create_task(self._remove_one(key))
        except* StoreFailed as failures:
            why = str(failures.exceptions[0])
            logger.warning("expired objects could not be removed", extra={"error": why})
            await self._clock.sleep(_RETRY_AFTER)

    async def _remove_one(self, key: str) -> None:
        entry = await self._store.get(key)
        due = self._due.get(key)
        if entry is not None and due is not None and due <= self._clock.monotonic():
            try:
                await self._store.delete(key, entry.revision)
            except RevisionMismatch:
                return  # written or removed meanwhile: the change that comes of it sets the time
        self._due.pop(key, None)


def _age(obj: Any, now: datetime) -> float:
    """Seconds since *obj* was last written, as far as it tells."""
    written = getattr(obj, "last_timestamp", None) or obj.metadata.creation_timestamp
    return (now - written).total_seconds() if written else 0.0

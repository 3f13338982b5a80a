"""Watches: what is there, then every change, bookmarks in between.

Follows ``k8s.io/apiserver/pkg/storage/cacher`` and the API concepts' "efficient detection of
changes".
"""

from __future__ import annotations

import math
import random
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from functools import cache
from typing import Any

import msgspec

from podium.api import codec, errors
from podium.api.errors import ApiError
from podium.api.scheme import Resource
from podium.kit.clock import Clock
from podium.registry import keys, versions
from podium.registry.change import Change
from podium.registry.feeder import Feeder
from podium.registry.predicate import Predicate
from podium.registry.types import ListOptions, Stored, WatchEvent
from podium.registry.watch_cache import WatchCache
from podium.registry.watcher import Watcher
from podium.store.port import Compacted, Event, Store, StoreClosed

_BOOKMARK_EVERY = 60.0
#: A watch that ends by itself gets a bookmark this long before, to resume from.
_BOOKMARK_BEFORE_END = 2.0
#: A watch without a timeout ends after this and up to as much again, so that clients spread.
_DEFAULT_TIMEOUT = 1800.0
_BATCH = 500


class WatchStream:
    """The events of one watch, one by one or in batches.

    It ends when its time is over, and when its reader does not keep up: then the reader may watch
    again from the last resourceVersion it has.
    """

    def __init__(self, batches: AsyncIterator[Sequence[WatchEvent]]) -> None:
        self._batches = batches
        self._pending: Iterator[WatchEvent] = iter(())

    async def batch(self) -> Sequence[WatchEvent]:
        """Return the next events, waiting for them; none when the watch is over."""
        try:
            return await anext(self._batches)  # with a default it fails in Python 3.11
        except StopAsyncIteration:
            return ()

    def __aiter__(self) -> WatchStream:
        return self

    async def __anext__(self) -> WatchEvent:
        while True:
            event = next(self._pending, None)
            if event is not None:
                return event
            batch = await self.batch()
            if not batch:
                raise StopAsyncIteration
            self._pending = iter(batch)


class WatchOpener:
    """Opens watches of one resource."""

    def __init__(self, store: Store, feeder: Feeder, cache: WatchCache, clock: Clock) -> None:
        self.events_sent = 0
        self._store, self._feeder, self._cache, self._clock = store, feeder, cache, clock

    @asynccontextmanager
    async def open(self, predicate: Predicate, options: ListOptions) -> AsyncIterator[WatchStream]:
        """Raises ApiError; a resourceVersion that is too old is told by an ERROR event, though."""
        versions.check_watch_options(options)
        asked = versions.parse(options.resource_version)
        if not options.resource_version:
            await self._feeder.current()
        elif options.send_initial_events:
            try:
                await self._feeder.reached(asked)
            except ApiError as ahead:  # told as upstream's watch cache tells it
                yield WatchStream(_only(failure_event(ahead)))
                return
        with self._watching(predicate) as watcher:
            # What is taken from the cache here, and what the watcher is told from here on, meet:
            # nothing may be awaited in between.
            if asked and not options.send_initial_events:
                first = self._resumed(predicate, asked)
            else:
                first = self._initial(predicate, options)
            async with aclosing(self._batches(first, watcher, options, asked)) as batches:
                yield WatchStream(batches)

    @contextmanager
    def _watching(self, predicate: Predicate) -> Iterator[Watcher]:
        watcher = Watcher(predicate)
        self._cache.watchers.add(predicate.interest, watcher)
        try:
            yield watcher
        finally:
            self._cache.watchers.remove(predicate.interest, watcher)

    def _initial(
        self, predicate: Predicate, options: ListOptions
    ) -> AsyncGenerator[Sequence[WatchEvent], None]:
        """Take what is there, as ADDED events, and a bookmark where one is asked for."""
        found: Sequence[Stored] = ()
        if options.send_initial_events is not False:
            found = list(self._cache.select(predicate))
        end = None
        if options.send_initial_events and options.allow_watch_bookmarks:
            end = bookmark(self._cache.resource, self._feeder.revision, initial_events_end=True)
        return _added(found, end)

    def _resumed(
        self, predicate: Predicate, asked: int
    ) -> AsyncGenerator[Sequence[WatchEvent], None]:
        """Take the changes behind *asked*, from the cache or, where they are older, the store."""
        changes = self._cache.changes_since(asked)
        if changes is None:
            return self._from_history(predicate, asked, self._feeder.revision)
        return _matching(changes, predicate)

    async def _from_history(
        self, predicate: Predicate, asked: int, upto: int
    ) -> AsyncGenerator[Sequence[WatchEvent], None]:
        """The store's writes in (asked, upto]; the watcher is told of all that follow."""
        prefix = self._cache.prefix
        try:
            # All keys are watched because the write *upto*, by which the end is known, may be to
            # any of them.
            async with self._store.watch(keys.ROOT, asked) as batches:
                async for batch in batches:
                    changes = [
                        self._change(event)
                        for event in batch
                        if event.revision <= upto and event.key.startswith(prefix)
                    ]
                    events = [change.event_for(predicate) for change in changes]
                    if shown := [event for event in events if event is not None]:
                        yield shown
                    if batch[-1].revision >= upto:
                        return
        except Compacted as gone:
            yield (error_event(gone.asked, gone.oldest),)

    def _change(self, event: Event) -> Change:
        old = new = None
        if event.previous is not None:
            previous = event.previous
            old = self._cache.stored(event.key, previous.value, previous.revision)
        if event.value is not None:
            new = self._cache.stored(event.key, event.value, event.revision)
        return Change(event.revision, old, new)

    async def _batches(
        self,
        first: AsyncGenerator[Sequence[WatchEvent], None],
        watcher: Watcher,
        options: ListOptions,
        asked: int,
    ) -> AsyncGenerator[Sequence[WatchEvent], None]:
        timeout = options.timeout_seconds or _DEFAULT_TIMEOUT * (1 + random.random())
        end = self._clock.monotonic() + timeout
        # Before the first event: who reads these slowly is not to go without.
        next_bookmark = self._next_bookmark(end) if options.allow_watch_bookmarks else math.inf
        try:
            async with aclosing(first):
                async for batch in first:
                    self.events_sent += len(batch)
                    yield batch
                    if batch[-1].type == "ERROR":
                        return
        except StoreClosed:
            return  # the client reads the past more slowly than it goes on
        while not watcher.cut_off:
            # The time is looked at in every turn: a watch that is never idle has an end, too.
            now = self._clock.monotonic()
            events = watcher.take()
            if asked:  # a revision that lies ahead is waited for
                events = [e for e in events if e.stored is not None and e.stored.revision > asked]
            self.events_sent += len(events)
            if next_bookmark <= now:  # late where this was held up, but not never
                next_bookmark = self._next_bookmark(end)
                told = max(asked, self._feeder.revision)
                events = [*events, bookmark(self._cache.resource, told)]
            if events:
                yield events
            if now >= end:
                return
            if not events:
                await self._clock.wait(watcher.news, min(end, next_bookmark) - now)

    def _next_bookmark(self, end: float) -> float:
        now = self._clock.monotonic()
        before_end = end - _BOOKMARK_BEFORE_END
        regular = now + _BOOKMARK_EVERY
        return before_end if now < before_end < regular else regular


async def _added(
    found: Sequence[Stored], end: WatchEvent | None
) -> AsyncGenerator[Sequence[WatchEvent], None]:
    for start in range(0, len(found), _BATCH):
        yield [WatchEvent("ADDED", one.data, one) for one in found[start : start + _BATCH]]
    if end is not None:
        yield (end,)


async def _matching(
    changes: Sequence[Change], predicate: Predicate
) -> AsyncGenerator[Sequence[WatchEvent], None]:
    events = [change.event_for(predicate) for change in changes]
    if shown := [event for event in events if event is not None]:
        yield shown


def bookmark(resource: Resource, revision: int, *, initial_events_end: bool = False) -> WatchEvent:
    """Return the event that says: all up to *revision* has been told."""
    metadata: dict[str, object] = {"resourceVersion": str(revision), "creationTimestamp": None}
    if initial_events_end:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    return WatchEvent("BOOKMARK", msgspec.json.encode({**_empty(resource), "metadata": metadata}))


@cache
def _empty(resource: Resource) -> dict[str, Any]:
    """Return an object with nothing set, as Go writes it: lists are null where they are there."""

    def nulled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: nulled(item) for name, item in value.items()}
        return None if value == [] else value

    plain: dict[str, Any] = nulled(codec.to_plain(resource.type()))
    return plain


def error_event(asked: int, oldest: int) -> WatchEvent:
    """Return the event that ends a watch whose past is forgotten."""
    return failure_event(errors.expired(f"too old resource version: {asked} ({oldest})"))


def failure_event(failure: ApiError) -> WatchEvent:
    return WatchEvent("ERROR", msgspec.json.encode(failure.status))


async def _only(event: WatchEvent) -> AsyncGenerator[Sequence[WatchEvent], None]:
    yield (event,)

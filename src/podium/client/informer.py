"""A local, current copy of a resource's objects, watched for as long as it runs.

After ``client-go``'s reflector: a watch begins with what there is, or behind a list where the
server refuses that (422); a watch that ends is resumed from the last revision seen
(bookmarks keep that one fresh), a revision that is too old (410) leads to a new list, whose
differences to the cache become ordinary changes. Nothing is polled.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any, Generic, TypeVar

from podium.api.errors import ApiError
from podium.api.scheme import Resource
from podium.client import delta
from podium.client.cache import Cache, IndexFunction
from podium.client.client import Client
from podium.client.errors import Unreachable, log_level
from podium.kit.backoff import Backoff
from podium.kit.clock import Clock

logger = logging.getLogger(__name__)

T = TypeVar("T")
Handler = Callable[[T | None, T | None], None]

#: The server is asked to end a watch after a random time between these (seconds), so that
#: watches spread over the servers there are.
WATCH_SECONDS = (300, 600)
#: A watch that ends sooner than this (seconds), and without news, counts as failed.
SHORT_WATCH = 1.0


class Informer(Generic[T]):
    """Objects of one resource, as the server has them now or had them a moment ago.

    Callbacks run synchronously, right after the cache holds the change, in the order of the
    changes; they must not block and not raise. Objects handed out are shared: treat them as
    immutable. :attr:`synced` is set once the first list is in the cache and has been reported.
    """

    def __init__(
        self,
        client: Client,
        resource: Resource,
        *,
        namespace: str = "",
        field_selector: str = "",
        label_selector: str = "",
        clock: Clock,
        metadata_only: bool = False,
    ) -> None:
        self.synced = asyncio.Event()
        self._client, self._resource, self._clock = client, resource, clock
        self._namespace, self._metadata_only = namespace, metadata_only
        self._selectors = {"field_selector": field_selector, "label_selector": label_selector}
        self._cache: Cache[T] = Cache()
        self._handlers: list[Handler[T]] = []
        self._revision = ""  # empty: begin with what there is
        self._lists = False  # the server cannot begin a watch with that
        # Seldom longer than a restart of the server takes: what is cached is stale meanwhile.
        self._backoff = Backoff(initial=0.05, maximum=5.0, jitter=1.0)

    # -- reading

    def get(self, namespace: str, name: str) -> T | None:
        return self._cache.get(namespace, name)

    def list(self) -> list[T]:
        return list(self._cache.objects.values())

    def in_namespace(self, namespace: str) -> Sequence[T]:
        return self._cache.find("namespace", namespace)

    def find(self, index: str, value: str) -> Sequence[T]:
        """Return the objects that :meth:`add_index`'s function gave *value*."""
        return self._cache.find(index, value)

    # -- wiring

    def add_index(self, name: str, function: IndexFunction[T]) -> None:
        self._cache.add_index(name, function)

    def on_change(self, handler: Handler[T]) -> None:
        """Have *handler* called with (old, new) for each change; what is cached already, at once.

        ``old`` is None for an object that is new, ``new`` is None for one that is gone.
        """
        self._handlers.append(handler)
        for obj in self.list():
            handler(None, obj)

    # -- running

    async def run(self, wanted: Callable[[], bool] = lambda: True) -> None:
        """Keep the copy current until cancelled; or until there would be something to be asked
        again, and it is no longer *wanted*."""
        while wanted():
            try:
                if self._lists and not self._revision:
                    await self._relist()
                await self._follow()
            except ApiError as exc:
                if exc.code == 410 and self._revision:
                    self._revision = ""
                    continue
                if exc.code == 422 and not self._lists:
                    self._lists = True
                    continue
                await self._pause(exc, wanted)
            except Unreachable as exc:
                await self._pause(exc, wanted)

    async def _relist(self) -> None:
        found = await self._client.list(
            self._resource, self._namespace, metadata_only=self._metadata_only, **self._selectors
        )
        self._replace(found.items, found.resource_version)

    def _replace(self, objects: Sequence[Any], revision: str) -> None:
        for obj in objects:
            _forget_owners(obj)
        for step in delta.changes(self._cache.objects, objects):
            self._apply(step)
        self._revision = revision
        self.synced.set()

    async def _follow(self) -> None:
        """Watch until the server ends it; raise Unreachable when it ended at once."""
        started = self._clock.monotonic()
        news = False
        found: dict[delta.Key, Any] | None = None if self._revision else {}
        events = self._client.watch(
            self._resource,
            self._namespace,
            resource_version=self._revision,
            timeout_seconds=random.randint(*WATCH_SECONDS),
            metadata_only=self._metadata_only,
            initial=found is not None,
            **self._selectors,
        )
        async with aclosing(events):
            async for type_, obj in events:
                if found is not None:
                    found = self._gather(found, type_, obj)
                    continue
                news = True
                self._backoff.reset()
                self._take(type_, obj)
        if not news and self._clock.monotonic() - started < SHORT_WATCH:
            raise Unreachable(f"the watch of {self._resource.plural} ended as soon as it began")
        self._backoff.reset()

    def _gather(
        self, found: dict[delta.Key, Any], type_: str, obj: Any
    ) -> dict[delta.Key, Any] | None:
        """Take one event of those that tell what there is; return None behind the last."""
        match type_:
            case "SYNCED":
                self._replace(list(found.values()), obj.metadata.resource_version)
                return None
            case "ADDED" | "MODIFIED":
                found[delta.key_of(obj)] = obj
            case "DELETED":
                found.pop(delta.key_of(obj), None)
        return found

    def _take(self, type_: str, obj: Any) -> None:
        self._revision = obj.metadata.resource_version
        if type_ == "BOOKMARK":
            return
        _forget_owners(obj)
        cached = self._cache.objects.get(delta.key_of(obj))
        if type_ == "DELETED":
            if cached is not None:
                self._apply(delta.Change(cached, None))
            return
        for step in delta.steps(cached, obj):
            self._apply(step)

    def _apply(self, step: delta.Change) -> None:
        self._cache.apply(step)
        for handler in self._handlers:
            handler(step.old, step.new)

    async def _pause(self, exc: Exception, wanted: Callable[[], bool]) -> None:
        if not wanted():
            return
        level = log_level(exc, self._backoff.failures)
        delay = self._backoff.next()
        logger.log(
            level,
            "list or watch failed",
            extra={"resource": self._resource.plural, "error": exc, "retry_in": f"{delay:.2f}s"},
        )
        await self._clock.sleep(delay)


def _forget_owners(obj: Any) -> None:
    """Drop managedFields: nobody decides by them, they are half of an object's size, and the
    server keeps them when an update leaves them out."""
    if hasattr(obj.metadata, "managed_fields"):  # some read less than the whole of metadata
        obj.metadata.managed_fields = []

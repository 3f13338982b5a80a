"""Lists: consistent unless the client asks for less, in pages over one snapshot.

A page comes from the watch cache where that has the state which is asked for, else from the
store's history. Follows ``k8s.io/apiserver/pkg/storage/cacher`` and ``.../etcd3``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from msgspec.structs import replace

from podium.api import errors
from podium.api.types.meta_v1 import ListMeta
from podium.registry import continue_token, keys, versions
from podium.registry.feeder import Feeder
from podium.registry.metrics import StoreRequests
from podium.registry.predicate import Predicate
from podium.registry.types import ListOptions, ListResult, Stored
from podium.registry.watch_cache import WatchCache
from podium.store.port import Compacted, FutureRevision, Store

_TOO_OLD = "The resourceVersion for the provided list is too old."
_CONTINUE_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can "
    "start a new list without the continue parameter, or use the continue token in this response "
    "to retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)
_STORE_PAGE = 500


class Lister:
    """Lists one resource."""

    def __init__(
        self, store: Store, feeder: Feeder, cache: WatchCache, requests: StoreRequests
    ) -> None:
        self._store, self._feeder, self._cache = store, feeder, cache
        self._requests = requests

    async def page(self, predicate: Predicate, options: ListOptions) -> ListResult:
        """Raises ApiError."""
        versions.check_list_options(options)
        asked = versions.parse(options.resource_version)
        if options.continue_:
            return await self._continued(predicate, options, asked)
        exact = options.resource_version_match == versions.EXACT or (
            asked > 0 and options.limit > 0 and not options.resource_version_match
        )
        if exact:
            return await self._at(predicate, options, asked, after="")
        if not options.resource_version:
            await self._feeder.current()
        else:
            await self._feeder.reached(asked)
        if options.resource_version == "0":  # as upstream: whatever is at hand, and all of it
            options = replace(options, limit=0)
        return self._from_cache(predicate, options, self._feeder.revision, after="")

    async def _continued(
        self, predicate: Predicate, options: ListOptions, asked: int
    ) -> ListResult:
        prefix = self._prefix(predicate)
        position = continue_token.decode(options.continue_, prefix)
        if asked:
            text = "specifying resource version is not allowed when using continue"
            raise errors.bad_request(text)
        if position.revision < 0:
            await self._feeder.current()
            revision = self._feeder.revision
            return self._from_cache(predicate, options, revision, after=position.after)
        try:
            return await self._at(predicate, options, position.revision, after=position.after)
        except _Expired as expired:
            failure = errors.expired(_CONTINUE_TOO_OLD)
            token = continue_token.encode(position.after, prefix, continue_token.INCONSISTENT)
            failure.status.metadata = ListMeta(continue_=token)
            raise failure from expired

    async def _at(
        self, predicate: Predicate, options: ListOptions, revision: int, *, after: str
    ) -> ListResult:
        """List the state as of *revision* exactly. Raises _Expired (an ApiError)."""
        if self._cache.changed_at <= revision <= self._feeder.revision:
            return self._from_cache(predicate, options, revision, after=after)
        try:
            return await self._from_store(predicate, options, revision, after)
        except Compacted as gone:
            raise _Expired from gone
        except FutureRevision as future:
            raise versions.too_large(future.asked, future.current) from future

    def _from_cache(
        self, predicate: Predicate, options: ListOptions, revision: int, *, after: str
    ) -> ListResult:
        found = self._cache.select(predicate, after)
        if options.limit <= 0:
            return ListResult(list(found), str(revision))
        items = list(islice(found, options.limit))
        behind = self._count(found, predicate)
        return self._cut(predicate, items, revision, behind)

    def _count(self, found: Iterator[Stored], predicate: Predicate) -> int:
        """Count what follows; under a selector it is enough to know that something does."""
        if predicate.selects:
            return 0 if next(found, None) is None else 1
        return sum(1 for _ in found)

    async def _from_store(
        self, predicate: Predicate, options: ListOptions, revision: int, after: str
    ) -> ListResult:
        prefix = self._prefix(predicate)
        items: list[Stored] = []
        while True:
            read = self._store.list(prefix, limit=_STORE_PAGE, after=after, revision=revision)
            page = await self._requests.timed("list", read)
            for index, entry in enumerate(page.entries, start=1):
                after = entry.key
                stored = self._cache.stored(entry.key, entry.value, entry.revision)
                if not predicate.matches(stored):
                    continue
                items.append(stored)
                if len(items) == options.limit:
                    behind = len(page.entries) - index + page.remaining
                    return self._cut(predicate, items, revision, behind)
            if not page.remaining:
                return ListResult(items, str(revision))

    def _cut(
        self, predicate: Predicate, items: list[Stored], revision: int, behind: int
    ) -> ListResult:
        if not behind:
            return ListResult(items, str(revision))
        token = continue_token.encode(items[-1].key, self._prefix(predicate), revision)
        remaining = None if predicate.selects else behind
        return ListResult(items, str(revision), token, remaining)

    def _prefix(self, predicate: Predicate) -> str:
        return keys.prefix(self._cache.resource, predicate.namespace)


class _Expired(errors.ApiError):
    """410: the state as of that revision is forgotten."""

    def __init__(self) -> None:
        super().__init__(errors.expired(_TOO_OLD).status)

"""What watches and lists promise holds under load: many writers, readers that come and go, a past
that is forgotten meanwhile, on every store. ``support.watch_history`` says what is promised."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from podium.api import codec
from podium.api.errors import ApiError
from podium.api.scheme import SERVICEACCOUNTS
from podium.api.types.core_v1 import ServiceAccount
from podium.api.types.meta_v1 import DeleteOptions
from podium.kit.clock import SystemClock
from podium.registry.patching import MERGE_PATCH
from podium.registry.registry import Registry
from podium.registry.types import ListOptions
from podium.store.feed import MAX_BYTES, MAX_EVENTS, Feed
from podium.store.memory import MemoryStore
from podium.store.port import Store
from podium.store.sqlite import SqliteStore
from support import watch_load
from support.registries import context, serving
from support.watch_history import State, Told
from support.watch_load import Asked, Gone, Page, said, told_of, version_of

OpenStore = Callable[[Path, Feed], Store]


class RegistryDoor:
    """The registry itself; objects are ServiceAccounts, which have no rules of their own."""

    def __init__(self, registry: Registry, store: Store) -> None:
        self._registry, self._store = registry, store

    async def create(self, key: str, state: State) -> int | None:
        namespace, _, name = key.partition("/")
        obj = codec.from_plain(ServiceAccount, {"metadata": {"name": name, **said(state)}})
        try:
            made = await self._registry.create(SERVICEACCOUNTS, namespace, obj, context())
        except ApiError as refused:
            return _expected(refused, 409)
        return made.revision

    async def change(self, key: str, state: State) -> int | None:
        namespace, _, name = key.partition("/")
        change = {"metadata": said(state)}
        try:
            changed = await self._registry.patch(
                SERVICEACCOUNTS, namespace, name, change, MERGE_PATCH, context()
            )
        except ApiError as refused:
            return _expected(refused, 404)
        return changed.revision

    async def delete(self, key: str) -> int | None:
        namespace, _, name = key.partition("/")
        try:
            gone = await self._registry.delete(
                SERVICEACCOUNTS, namespace, name, DeleteOptions(), context()
            )
        except ApiError as refused:
            return _expected(refused, 404)
        return gone.stored.revision

    async def list(self, asked: Asked) -> Page:
        namespace = asked.wants.namespace
        try:
            result = await self._registry.list(SERVICEACCOUNTS, namespace, _options(asked))
        except ApiError as refused:
            _expected(refused, 410)
            raise Gone from refused
        items = [version_of(json.loads(stored.data)) for stored in result.items]
        return Page(int(result.resource_version), items, result.continue_)

    @asynccontextmanager
    async def watch(self, asked: Asked) -> AsyncIterator[AsyncIterator[Told]]:
        wants = asked.wants
        async with self._registry.watch(
            SERVICEACCOUNTS, wants.namespace, _options(asked)
        ) as stream:
            yield (told_of(event.type, json.loads(event.data)) async for event in stream)

    async def compact(self, revision: int) -> None:
        await self._store.compact(revision)
        self._registry._forget(revision)


def _expected(refused: ApiError, code: int) -> None:
    if refused.code != code:
        raise refused


def _options(asked: Asked) -> ListOptions:
    wants = asked.wants
    return ListOptions(
        label_selector=f"app={wants.app}" if wants.app else "",
        field_selector=f"metadata.name={wants.name}" if wants.name else "",
        resource_version=asked.version,
        resource_version_match=asked.match,
        limit=asked.limit,
        continue_=asked.continue_,
        allow_watch_bookmarks=asked.initial,
        send_initial_events=asked.initial or None,
    )


# ---------------------------------------------------------------------- stores


def memory(_: Path, feed: Feed) -> Store:
    return MemoryStore(feed)


def sqlite(directory: Path, feed: Feed) -> Store:
    return SqliteStore.open(directory / "state.db", feed)


@asynccontextmanager
async def _door(open_store: OpenStore, directory: Path, feed: Feed) -> AsyncIterator[RegistryDoor]:
    store = open_store(directory, feed)
    try:
        async with serving(store, SystemClock(), resources=(SERVICEACCOUNTS,)) as registry:
            yield RegistryDoor(registry, store)
    finally:
        await store.close()


@pytest.mark.parametrize("max_events", [MAX_EVENTS, 3], ids=["roomy", "feeds-that-are-cut-off"])
@pytest.mark.parametrize("open_store", [memory, sqlite])
async def test_what_is_promised_holds_under_load(
    open_store: OpenStore, max_events: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch_load.tighten(monkeypatch)
    async with _door(open_store, tmp_path, Feed(max_events, MAX_BYTES)) as door:
        record = await watch_load.run(door, seed=1, pause=40)
    watch_load.check(record)

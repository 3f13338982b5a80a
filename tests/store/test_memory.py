"""The store in memory keeps the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from contracts.store import MakeStore, StoreContract
from podium.store.feed import MAX_BYTES, MAX_EVENTS, Feed
from podium.store.memory import MemoryStore
from podium.store.port import Store


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def make_store(self) -> MakeStore:
        @asynccontextmanager
        async def make(
            max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES
        ) -> AsyncIterator[Store]:
            store = MemoryStore(Feed(max_events, max_bytes))
            yield store
            await store.close()

        return make

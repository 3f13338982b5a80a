"""Every store against a dumb twin, which keeps a copy of everything for every revision."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from contracts.store import collect
from podium.store.history import prefix_end
from podium.store.memory import MemoryStore
from podium.store.port import (
    Compacted,
    Entry,
    Event,
    FutureRevision,
    KeyExists,
    Page,
    RevisionMismatch,
    Store,
)
from podium.store.sqlite import SqliteStore

KEYS = st.sampled_from(["/p/a", "/p/a/b", "/p/b", "/p", "/q/a"])
PREFIXES = st.sampled_from(["", "/", "/p/", "/p", "/p/a", "/q/", "/r/"])
VALUES = st.binary(max_size=3)
#: Chooses among the revisions up to one that lies ahead.
PLACES = st.floats(0, 1)


class Twin:
    """A list of whole states, one a revision, and a list of events."""

    def __init__(self) -> None:
        self.states: list[dict[str, Entry]] = [{}]
        self.events: list[Event] = []
        self.oldest = 0

    @property
    def now(self) -> dict[str, Entry]:
        return self.states[-1]

    def put(self, key: str, value: bytes | None) -> Entry:
        revision = len(self.states)
        state = dict(self.now)
        previous = state.pop(key, None)
        self.events.append(Event(key, revision, value, previous))
        if value is not None:
            first = previous.created if previous else revision
            result = state[key] = Entry(key, value, revision, first)
        else:
            assert previous is not None
            result = Entry(key, previous.value, revision, previous.created)
        self.states.append(state)
        return result

    def list(self, prefix: str, limit: int | None, after: str, revision: int) -> Page:
        state = self.states[revision]
        keys = sorted(key for key in state if key.startswith(prefix) and key > after)
        shown = keys if limit is None else keys[:limit]
        return Page([state[key] for key in shown], revision, len(keys) - len(shown))


class StoreMachine(RuleBasedStateMachine):
    """Random verbs on a store and its twin; they must never differ."""

    open: Callable[[Path], Store]

    def __init__(self) -> None:
        super().__init__()
        self.twin = Twin()
        self.runner = asyncio.Runner()
        self.directory = tempfile.TemporaryDirectory(prefix="podium-store-")
        self.store = self.do(self._opened())

    async def _opened(self) -> Store:
        return type(self).open(Path(self.directory.name) / "state.db")

    def do(self, verb: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(verb)

    def teardown(self) -> None:
        self.do(self.store.close())
        self.runner.close()
        self.directory.cleanup()

    def revision_at(self, place: float) -> int:
        return round(place * len(self.twin.states))

    @rule(key=KEYS, value=VALUES)
    def create(self, key: str, value: bytes) -> None:
        if key in self.twin.now:
            with pytest.raises(KeyExists):
                self.do(self.store.create(key, value))
        else:
            assert self.do(self.store.create(key, value)) == self.twin.put(key, value)

    @rule(key=KEYS, value=VALUES, stale=st.booleans())
    def update(self, key: str, value: bytes, stale: bool) -> None:
        current = self.twin.now.get(key)
        if current is None or stale:
            self._mismatch(key, lambda wrong: self.store.update(key, value, wrong))
        else:
            stored = self.do(self.store.update(key, value, current.revision))
            assert stored == self.twin.put(key, value)

    @rule(key=KEYS, stale=st.booleans())
    def delete(self, key: str, stale: bool) -> None:
        current = self.twin.now.get(key)
        if current is None or stale:
            self._mismatch(key, lambda wrong: self.store.delete(key, wrong))
        else:
            assert self.do(self.store.delete(key, current.revision)) == self.twin.put(key, None)

    def _mismatch(self, key: str, verb: Callable[[int], Coroutine[Any, Any, Any]]) -> None:
        current = self.twin.now.get(key)
        with pytest.raises(RevisionMismatch) as refused:
            self.do(verb(current.revision + 1 if current else 1))
        assert refused.value.current == current

    @rule(
        prefix=PREFIXES,
        limit=st.none() | st.integers(1, 3),
        after=st.just("") | KEYS,
        place=PLACES,
    )
    def list(self, prefix: str, limit: int | None, after: str, place: float) -> None:
        revision = self.revision_at(place)
        listing = self.store.list(prefix, limit=limit, after=after, revision=revision)
        if revision >= len(self.twin.states):
            with pytest.raises(FutureRevision):
                self.do(listing)
        elif revision < self.twin.oldest:
            with pytest.raises(Compacted):
                self.do(listing)
        else:
            assert _plain(self.do(listing)) == _plain(
                self.twin.list(prefix, limit, after, revision)
            )

    @rule(prefix=PREFIXES, place=PLACES)
    def watch(self, prefix: str, place: float) -> None:
        after = min(self.revision_at(place), len(self.twin.events))
        expected = [e for e in self.twin.events[after:] if e.key.startswith(prefix)]
        if after < self.twin.oldest:
            with pytest.raises(Compacted):
                self.do(collect(self.store, prefix, after, 1))
        else:
            assert self.do(collect(self.store, prefix, after, len(expected))) == expected

    @rule(place=PLACES)
    def compact(self, place: float) -> None:
        revision = min(self.revision_at(place), len(self.twin.events))
        self.do(self.store.compact(revision))
        self.twin.oldest = max(self.twin.oldest, revision)

    @invariant()
    def the_present_is_the_same(self) -> None:
        assert self.do(self.store.revision()) == len(self.twin.events)
        page = self.do(self.store.list("/"))
        assert {entry.key: entry for entry in page.entries} == self.twin.now


class MemoryMachine(StoreMachine):
    open = staticmethod(lambda _: MemoryStore())


class SqliteMachine(StoreMachine):
    open = staticmethod(SqliteStore.open)

    @rule()
    def reopen(self) -> None:
        self.do(self.store.close())
        self.store = self.do(self._opened())


def _plain(page: Page) -> tuple[list[Entry], int, int]:
    return list(page.entries), page.revision, page.remaining


_LIMITS = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestMemoryTwin = MemoryMachine.TestCase
TestMemoryTwin.settings = _LIMITS
TestSqliteTwin = SqliteMachine.TestCase
TestSqliteTwin.settings = settings(_LIMITS, max_examples=25)


@pytest.mark.parametrize(
    ("prefix", "inside", "outside"),
    [("/p/", "/p/~", "/p0"), ("/p", "/p/a", "/q"), ("", "/anything", "\U0010ffff")],
)
def test_the_end_of_a_prefix(prefix: str, inside: str, outside: str) -> None:
    assert prefix <= inside < prefix_end(prefix) <= outside

"""What every store must do: one suite for all implementations.

A test module makes it its own by subclassing :class:`StoreContract` with a fixture ``make_store``.
Guarantees of watches are named functions over what was written and what was seen.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager

import pytest

from podium.store.port import (
    Compacted,
    Entry,
    Event,
    FutureRevision,
    KeyExists,
    RevisionMismatch,
    Store,
    StoreClosed,
)

#: Opens a new, empty store, with room for so many events waiting for one watcher.
MakeStore = Callable[..., AbstractAsyncContextManager[Store]]


# ---------------------------------------------------------------------- guarantees of a watch


def ordered(seen: Sequence[Event]) -> bool:
    """Revisions only grow."""
    return all(one.revision < next_.revision for one, next_ in itertools.pairwise(seen))


def unique(seen: Sequence[Event]) -> bool:
    """No write is told twice."""
    return len({event.revision for event in seen}) == len(seen)


def gapless(seen: Sequence[Event], written: Sequence[Event], prefix: str, after: int) -> bool:
    """Every write below the prefix between the first revision asked for and the last seen is told,
    as it was written."""
    upto = seen[-1].revision if seen else after
    expected = [
        event
        for event in written
        if event.key.startswith(prefix) and after < event.revision <= upto
    ]
    return list(seen) == expected


def resumable(first: Sequence[Event], second: Sequence[Event], whole: Sequence[Event]) -> bool:
    """A watch that ends and one that goes on behind its last revision show what one shows."""
    return [*first, *second] == list(whole)


def explains(seen: Sequence[Event], state: dict[str, bytes]) -> bool:
    """Applied in order, the events of a watch from the beginning make up the present state, and
    each says truly what it replaced."""
    there: dict[str, Entry] = {}
    for event in seen:
        if event.previous != there.get(event.key):
            return False
        if event.value is None:
            del there[event.key]
        else:
            created = event.previous.created if event.previous else event.revision
            there[event.key] = Entry(event.key, event.value, event.revision, created)
    return {key: entry.value for key, entry in there.items()} == state


async def collect(
    store: Store, prefix: str, after: int, count: int, at_most: float = 60
) -> list[Event]:
    """Return the first *count* events of a watch."""
    seen: list[Event] = []
    async with asyncio.timeout(at_most), store.watch(prefix, after) as batches:
        while len(seen) < count:
            seen.extend(await anext(batches))
    return seen


# ---------------------------------------------------------------------- the suite


class StoreContract:
    @pytest.fixture
    def make_store(self) -> MakeStore:
        raise AssertionError("subclasses say how to make a store")

    @pytest.fixture
    async def store(self, make_store: MakeStore) -> AsyncIterator[Store]:
        async with make_store() as store:
            yield store

    # ------------------------------------------------------------------ writing

    async def test_a_new_store_is_empty_at_revision_zero(self, store: Store) -> None:
        assert await store.revision() == 0
        page = await store.list("/")
        assert (list(page.entries), page.revision, page.remaining) == ([], 0, 0)

    async def test_each_write_takes_the_next_revision(self, store: Store) -> None:
        first = await store.create("/a", b"1")
        second = await store.create("/b", b"1")
        third = await store.update("/a", b"2", first.revision)
        fourth = await store.delete("/b", second.revision)
        assert [entry.revision for entry in (first, second, third, fourth)] == [1, 2, 3, 4]
        assert await store.revision() == 4

    async def test_an_entry_keeps_the_revision_it_was_created_at(self, store: Store) -> None:
        await store.create("/other", b"")
        made = await store.create("/a", b"1")
        changed = await store.update("/a", b"2", made.revision)
        assert changed == Entry("/a", b"2", 3, created=2)
        assert await store.get("/a") == changed

    async def test_create_refuses_a_key_that_is_taken(self, store: Store) -> None:
        await store.create("/a", b"1")
        with pytest.raises(KeyExists):
            await store.create("/a", b"2")
        assert await store.revision() == 1

    async def test_a_deleted_key_can_be_created_again(self, store: Store) -> None:
        made = await store.create("/a", b"1")
        await store.delete("/a", made.revision)
        assert await store.get("/a") is None
        assert await store.create("/a", b"2") == Entry("/a", b"2", 3, created=3)

    async def test_delete_returns_what_stood_there_at_the_revision_of_the_deletion(
        self, store: Store
    ) -> None:
        made = await store.create("/a", b"1")
        assert await store.delete("/a", made.revision) == Entry("/a", b"1", 2, created=1)

    @pytest.mark.parametrize("verb", ["update", "delete"])
    async def test_a_write_that_expects_another_revision_is_told_the_current_one(
        self, store: Store, verb: str
    ) -> None:
        made = await store.create("/a", b"1")
        changed = await store.update("/a", b"2", made.revision)
        attempt: Awaitable[Entry] = (
            store.update("/a", b"3", made.revision)
            if verb == "update"
            else store.delete("/a", made.revision)
        )
        with pytest.raises(RevisionMismatch) as refused:
            await attempt
        assert refused.value.current == changed
        assert await store.get("/a") == changed

    async def test_a_write_to_an_absent_key_is_told_that_there_is_none(self, store: Store) -> None:
        with pytest.raises(RevisionMismatch) as refused:
            await store.update("/a", b"1", 1)
        assert refused.value.current is None

    async def test_of_many_writers_that_expect_the_same_exactly_one_wins(
        self, store: Store
    ) -> None:
        made = await store.create("/a", b"")
        outcomes = await asyncio.gather(
            *(store.update("/a", b"%d" % number, made.revision) for number in range(50)),
            return_exceptions=True,
        )
        winners = [one for one in outcomes if isinstance(one, Entry)]
        losers = [one for one in outcomes if isinstance(one, RevisionMismatch)]
        assert (len(winners), len(losers)) == (1, 49)
        assert await store.get("/a") == winners[0]
        assert {loser.current for loser in losers} == {winners[0]}

    async def test_concurrent_writes_take_distinct_dense_revisions(self, store: Store) -> None:
        entries = await asyncio.gather(*(store.create(f"/k{number}", b"") for number in range(200)))
        assert sorted(entry.revision for entry in entries) == list(range(1, 201))

    async def test_an_empty_value_is_a_value(self, store: Store) -> None:
        await store.create("/a", b"")
        assert await store.get("/a") == Entry("/a", b"", 1, 1)
        assert (await collect(store, "/", 0, 1))[0].value == b""

    # ------------------------------------------------------------------ listing

    async def test_a_list_shows_a_prefix_in_the_order_of_its_keys(self, store: Store) -> None:
        for key in ("/p/b", "/p/a/z", "/p/a", "/q/a", "/p", "/p/c"):
            await store.create(key, b"")
        page = await store.list("/p/")
        assert [entry.key for entry in page.entries] == ["/p/a", "/p/a/z", "/p/b", "/p/c"]

    async def test_a_list_in_pages_shows_each_key_once(self, store: Store) -> None:
        names = [f"/p/{number:02}" for number in range(10)]
        for name in names:
            await store.create(name, b"")
        await store.create("/q/behind", b"")
        shown, remaining, after = [], [], ""
        for _ in range(4):
            page = await store.list("/p/", limit=3, after=after)
            shown += [entry.key for entry in page.entries]
            remaining.append(page.remaining)
            after = shown[-1]
        assert shown == names
        assert remaining == [7, 4, 1, 0]

    async def test_a_list_of_the_past_shows_the_past(self, store: Store) -> None:
        first = await store.create("/a", b"1")
        second = await store.create("/b", b"1")
        await store.update("/a", b"2", first.revision)
        await store.delete("/b", second.revision)
        await store.create("/c", b"1")
        shown = [
            {entry.key: entry.value for entry in (await store.list("/", revision=at)).entries}
            for at in range(6)
        ]
        assert shown == [
            {},
            {"/a": b"1"},
            {"/a": b"1", "/b": b"1"},
            {"/a": b"2", "/b": b"1"},
            {"/a": b"2"},
            {"/a": b"2", "/c": b"1"},
        ]

    async def test_a_page_of_the_past_goes_on_in_the_past(self, store: Store) -> None:
        for key in ("/a", "/b", "/c"):
            await store.create(key, b"1")
        page = await store.list("/", limit=1)
        await store.create("/bb", b"")
        rest = await store.list("/", after="/a", revision=page.revision)
        assert [entry.key for entry in rest.entries] == ["/b", "/c"]

    async def test_the_future_cannot_be_listed(self, store: Store) -> None:
        await store.create("/a", b"")
        with pytest.raises(FutureRevision):
            await store.list("/", revision=2)

    # ------------------------------------------------------------------ watching

    async def test_a_watch_tells_the_past_and_then_what_comes(self, store: Store) -> None:
        written = await self._history(store)
        seen: list[Event] = []
        async with asyncio.timeout(60), store.watch("/p/", 0) as batches:
            while len(seen) < len([event for event in written if event.key.startswith("/p/")]):
                seen.extend(await anext(batches))
            more = await store.create("/p/new", b"x")
            await store.create("/q/new", b"x")
            last = await store.delete("/p/new", more.revision)
            while seen[-1].revision < last.revision:
                seen.extend(await anext(batches))
        written += [
            Event("/p/new", more.revision, b"x", None),
            Event("/p/new", last.revision, None, more),
        ]
        assert ordered(seen)
        assert unique(seen)
        assert gapless(seen, written, "/p/", 0)

    async def test_a_watch_of_everything_explains_the_present(self, store: Store) -> None:
        written = await self._history(store)
        seen = await collect(store, "/", 0, len(written))
        state = {entry.key: entry.value for entry in (await store.list("/")).entries}
        assert explains(seen, state)
        assert gapless(seen, written, "/", 0)

    async def test_a_watch_can_be_resumed_at_any_revision(self, store: Store) -> None:
        written = await self._history(store)
        whole = await collect(store, "/", 0, len(written))
        for cut in range(len(written)):
            second = await collect(store, "/", cut, len(written) - cut) if cut else whole
            assert resumable(whole[:cut], second, whole)

    async def test_watching_while_many_write_misses_and_repeats_nothing(self, store: Store) -> None:
        for number in range(50):
            await store.create(f"/before/{number}", b"")

        async def write(number: int) -> None:
            entry = await store.create(f"/k/{number}", b"1")
            entry = await store.update(entry.key, b"2", entry.revision)
            await store.delete(entry.key, entry.revision)

        async with asyncio.TaskGroup() as tasks:
            watches = [
                tasks.create_task(collect(store, "/", 25, 25 + 300), name=f"watch-{number}")
                for number in range(3)
            ]
            for number in range(100):
                tasks.create_task(write(number))
        for watch in watches:
            seen = watch.result()
            assert ordered(seen)
            assert [event.revision for event in seen] == list(range(26, 351))

    async def test_a_write_that_returned_is_on_its_way_to_every_watcher(self, store: Store) -> None:
        async with asyncio.timeout(60), store.watch("/", 0) as batches:
            for revision in range(1, 20):
                await store.create(f"/{revision}", b"")
                seen = await anext(batches)
                assert [event.revision for event in seen] == [revision]

    async def test_a_watch_from_the_future_is_refused(self, store: Store) -> None:
        async with store.watch("/", 1) as batches:
            with pytest.raises(FutureRevision):
                await anext(batches)

    async def test_a_watcher_that_does_not_read_is_cut_off(self, make_store: MakeStore) -> None:
        async with make_store(max_events=10) as store:
            await store.create("/first", b"")
            async with asyncio.timeout(60), store.watch("/", 0) as batches:
                await anext(batches)
                for number in range(11):
                    await store.create(f"/k{number}", b"")
                with pytest.raises(StoreClosed):
                    await anext(batches)
            assert len(await collect(store, "/", 1, 11)) == 11  # it may come back

    async def test_large_values_count_for_more(self, make_store: MakeStore) -> None:
        async with make_store(max_bytes=1000) as store:
            await store.create("/first", b"")
            async with asyncio.timeout(60), store.watch("/", 0) as batches:
                await anext(batches)
                await store.create("/large", b"x" * 600)
                await store.create("/larger", b"x" * 600)
                with pytest.raises(StoreClosed):
                    await anext(batches)

    async def test_a_cancelled_watcher_leaves_nothing_behind(self, store: Store) -> None:
        watching = asyncio.ensure_future(collect(store, "/", 0, 1))
        await asyncio.sleep(0)
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching
        await store.create("/a", b"")
        assert len(await collect(store, "/", 0, 1)) == 1

    # ------------------------------------------------------------------ compaction

    async def test_compaction_forgets_the_past_and_keeps_the_present(self, store: Store) -> None:
        written = await self._history(store)
        last = written[-1].revision
        before = (await store.list("/")).entries
        at = last - 2
        then = (await store.list("/", revision=at)).entries
        await store.compact(at)
        assert (await store.list("/")).entries == before
        assert (await store.list("/", revision=at)).entries == then
        with pytest.raises(Compacted) as gone:
            await store.list("/", revision=at - 1)
        assert (gone.value.asked, gone.value.oldest) == (at - 1, at)

    async def test_a_watch_goes_on_behind_the_compacted_revision(self, store: Store) -> None:
        written = await self._history(store)
        at = written[-1].revision - 3
        await store.compact(at)
        assert await collect(store, "/", at, 3) == written[-3:]
        async with store.watch("/", at - 1) as batches:
            with pytest.raises(Compacted):
                await anext(batches)

    async def test_a_watch_under_way_outlives_compaction(self, store: Store) -> None:
        await store.create("/a", b"1")
        async with asyncio.timeout(60), store.watch("/", 1) as batches:
            changed = await store.update("/a", b"2", 1)
            await store.compact(changed.revision)
            assert [event.revision for event in await anext(batches)] == [2]

    async def test_the_revision_survives_compaction_of_a_deletion(self, store: Store) -> None:
        made = await store.create("/a", b"")
        await store.delete("/a", made.revision)
        await store.compact(2)
        assert await store.revision() == 2
        assert (await store.create("/a", b"")).revision == 3

    async def test_compacting_backwards_changes_nothing(self, store: Store) -> None:
        written = await self._history(store)
        at = written[-1].revision - 2
        await store.compact(at)
        await store.compact(1)
        with pytest.raises(Compacted):
            await store.list("/", revision=at - 1)
        assert await collect(store, "/", at, 2) == written[-2:]

    async def test_the_future_cannot_be_compacted(self, store: Store) -> None:
        with pytest.raises(FutureRevision):
            await store.compact(1)

    # ------------------------------------------------------------------ closing

    async def test_a_closed_store_refuses_and_ends_its_watches(self, store: Store) -> None:
        await store.create("/a", b"")
        async with store.watch("/", 1) as batches:
            await store.close()
            with pytest.raises(StoreClosed):
                await anext(batches)
        for attempt in (
            store.create("/b", b""),
            store.get("/a"),
            store.list("/"),
            store.revision(),
            store.compact(1),
        ):
            with pytest.raises(StoreClosed):
                await attempt

    async def _history(self, store: Store) -> list[Event]:
        """Write a few creates, updates and deletes; return them as events."""
        a = await store.create("/p/a", b"1")
        b = await store.create("/p/b", b"1")
        q = await store.create("/q/a", b"1")
        a2 = await store.update("/p/a", b"2", a.revision)
        gone = await store.delete("/p/b", b.revision)
        b2 = await store.create("/p/b", b"2")
        a3 = await store.update("/p/a", b"3", a2.revision)
        q2 = await store.delete("/q/a", q.revision)
        return [
            Event("/p/a", a.revision, b"1", None),
            Event("/p/b", b.revision, b"1", None),
            Event("/q/a", q.revision, b"1", None),
            Event("/p/a", a2.revision, b"2", a),
            Event("/p/b", gone.revision, None, b),
            Event("/p/b", b2.revision, b"2", None),
            Event("/p/a", a3.revision, b"3", a2),
            Event("/q/a", q2.revision, None, q),
        ]

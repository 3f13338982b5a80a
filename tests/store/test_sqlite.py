"""The store on SQLite keeps the contract, and its file survives what may happen to it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from contracts.store import MakeStore, StoreContract, collect, explains
from podium.store.feed import MAX_BYTES, MAX_EVENTS, Feed
from podium.store.port import (
    Entry,
    KeyExists,
    RevisionMismatch,
    Store,
    StoreFailed,
    StoreLocked,
)
from podium.store.sqlite import SqliteStore
from podium.store.sqlite_file import WAL_SIZE_LIMIT, connect, prepare, wal_size
from podium.store.sqlite_writer import Checkpointer


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> MakeStore:
        @asynccontextmanager
        async def make(
            max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES
        ) -> AsyncIterator[Store]:
            store = SqliteStore.open(tmp_path / "state.db", Feed(max_events, max_bytes))
            try:
                yield store
            finally:
                await store.close()

        return make


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore.open(path)
    try:
        yield store
    finally:
        await store.close()


# ---------------------------------------------------------------------- groups


async def test_writes_that_are_committed_together_find_each_others(tmp_path: Path) -> None:
    async with opened(tmp_path / "state.db") as store:
        await store.create("/there", b"1")
        outcomes = await asyncio.gather(
            store.create("/a", b"1"),
            store.create("/a", b"2"),
            store.update("/a", b"3", 2),
            store.update("/there", b"2", 1),
            store.delete("/a", 3),
            store.delete("/there", 1),
            store.update("/a", b"4", 3),
            store.create("/a", b"5"),
            return_exceptions=True,
        )
        seen = await collect(store, "/", 0, 6)
        assert await store.get("/a") == Entry("/a", b"5", 6, 6)
    assert [each for each in outcomes if isinstance(each, Entry)] == [
        Entry("/a", b"1", 2, 2),
        Entry("/a", b"3", 3, 2),
        Entry("/there", b"2", 4, 1),
        Entry("/a", b"3", 5, 2),
        Entry("/a", b"5", 6, 6),
    ]
    refused = [each for each in outcomes if not isinstance(each, Entry)]
    assert [type(each) for each in refused] == [KeyExists, RevisionMismatch, RevisionMismatch]
    assert [getattr(each, "current", None) for each in refused[1:]] == [
        Entry("/there", b"2", 4, 1),
        None,
    ]
    assert explains(seen, {"/a": b"5", "/there": b"2"})


@pytest.mark.parametrize("count", [1, 2, 3, 31, 32, 33, 100])
async def test_groups_of_any_size_are_committed_whole(tmp_path: Path, count: int) -> None:
    path = tmp_path / "state.db"
    present = {f"/k{number}": b"%d" % number for number in range(count)}
    async with opened(path) as store:
        made = await asyncio.gather(*(store.create(key, b"") for key in present))
        await asyncio.gather(
            *(store.update(entry.key, present[entry.key], entry.revision) for entry in made)
        )
    async with opened(path) as store:
        page = await store.list("/")
        assert {entry.key: entry.value for entry in page.entries} == present
        assert page.revision == 2 * count
        assert explains(await collect(store, "/", 0, 2 * count), present)


# ---------------------------------------------------------------------- opening


async def test_what_was_written_is_there_when_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with opened(path) as store:
        made = await store.create("/a", b"1")
        changed = await store.update("/a", b"2", made.revision)
        gone = await store.create("/b", b"1")
        await store.delete("/b", gone.revision)
    async with opened(path) as store:
        assert await store.revision() == 4
        assert await store.get("/a") == changed
        assert [event.revision for event in await collect(store, "/", 1, 3)] == [2, 3, 4]
        assert (await store.create("/c", b"")).revision == 5


async def test_the_revision_survives_reopening_after_its_deletion_was_compacted(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state.db"
    async with opened(path) as store:
        made = await store.create("/a", b"1")
        await store.delete("/a", made.revision)
        await store.compact(2)
    async with opened(path) as store:
        assert (await store.create("/a", b"")).revision == 3


async def test_all_of_its_files_are_the_owners_alone(tmp_path: Path) -> None:
    async with opened(tmp_path / "state.db") as store:
        await store.create("/a", b"secret")
        modes = _modes(tmp_path)
    assert modes == dict.fromkeys(
        ("state.db", "state.db-wal", "state.db-shm", "state.db.lock"), 0o600
    )


def _modes(directory: Path) -> dict[str, int]:
    return {each.name: stat.S_IMODE(each.stat().st_mode) for each in directory.iterdir()}


_SECOND = """
import asyncio, pathlib, sys
from podium.store.port import StoreLocked
from podium.store.sqlite import SqliteStore

async def main():
    try:
        SqliteStore.open(pathlib.Path(sys.argv[1]))
    except StoreLocked as refused:
        print(refused)

asyncio.run(main())
"""


async def test_a_second_opener_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with opened(path):
        second = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _SECOND, path, stdout=asyncio.subprocess.PIPE
        )
        answer, _ = await second.communicate()
    assert answer.decode() == (
        f"{path} is in use by another process (pid {os.getpid()}); "
        "a store has one process at a time\n"
    )


async def test_the_same_process_cannot_open_it_twice_either(tmp_path: Path) -> None:
    async with opened(tmp_path / "state.db"):
        with pytest.raises(StoreLocked):
            SqliteStore.open(tmp_path / "state.db")


async def test_a_foreign_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    foreign = sqlite3.connect(path)
    foreign.execute("CREATE TABLE theirs (x)")
    foreign.close()
    with pytest.raises(StoreFailed, match="not a store of ours"):
        SqliteStore.open(path)


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"no database at all " * 100)
    with pytest.raises(StoreFailed, match="not a database"):
        SqliteStore.open(path)


async def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with opened(path):
        pass
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(StoreFailed, match="schema version 99; this program knows version 1"):
        SqliteStore.open(path)


async def test_an_empty_file_that_a_crash_left_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.touch()
    async with opened(path) as store:
        stored = await store.create("/a", b"")
    assert stored.revision > 0


# ---------------------------------------------------------------------- failing


async def test_a_write_that_the_disk_refuses_fails_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with opened(path) as store:
        await store.create("/a", b"1")
        pages = store._writes.execute("PRAGMA page_count").fetchone()[0]
        store._writes.execute(f"PRAGMA max_page_count = {pages + 2}")  # a disk that is almost full
        with pytest.raises(StoreFailed, match="full"):
            await store.create("/large", b"x" * 100_000)
        assert await store.get("/large") is None
        store._writes.execute("PRAGMA max_page_count = 1000000")
        assert (await store.create("/b", b"")).revision == 2


async def test_a_write_that_cannot_be_taken_back_either_is_answered(tmp_path: Path) -> None:
    def judge(action: int, argument: str | None, *_: str | None) -> int:
        is_rollback = action == sqlite3.SQLITE_TRANSACTION and argument == "ROLLBACK"
        return sqlite3.SQLITE_DENY if is_rollback or action == sqlite3.SQLITE_INSERT else 0

    async with opened(tmp_path / "state.db") as store:
        store._writes.set_authorizer(judge)
        for _ in range(2):
            with pytest.raises(StoreFailed):
                await asyncio.wait_for(store.create("/a", b""), 60)
        store._writes.set_authorizer(None)


# ---------------------------------------------------------------------- growing and shrinking


async def test_the_files_stay_bounded_while_one_key_is_written_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with opened(path) as store:
        entry = await store.create("/a", b"x" * 10_000)
        for _ in range(6):
            for _ in range(500):
                entry = await store.update("/a", b"x" * 10_000, entry.revision)
            await store.compact(entry.revision)
        await store.create("/b", b"")
        wal = wal_size(path)
    assert path.stat().st_size < 20_000_000  # 30 MB have been written
    assert wal <= 3 * WAL_SIZE_LIMIT


def test_a_writer_that_never_lets_go_of_the_lock_is_held_up_until_the_wal_starts_anew(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state.db"
    prepare(path)
    writes, checkpoints = connect(path), connect(path)
    checkpointer = Checkpointer(checkpoints, path, every_writes=10)
    checkpointer.start()
    writes.execute("CREATE TABLE filler (value)")
    writes.execute("BEGIN IMMEDIATE")
    for _ in range(6 * WAL_SIZE_LIMIT // 1_000_000):
        writes.execute("INSERT INTO filler VALUES (zeroblob(1000000))")
        writes.execute("COMMIT")
        checkpointer.written(10)
        writes.execute("BEGIN IMMEDIATE")
    writes.execute("COMMIT")
    wal = wal_size(path)
    checkpointer.stop()
    checkpointer.join()
    writes.close()
    checkpoints.close()
    assert wal <= 3 * WAL_SIZE_LIMIT


async def test_compaction_gives_the_space_back(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with opened(path) as store:
        entries = await asyncio.gather(
            *(store.create(f"/{number}", b"x" * 10_000) for number in range(1000))
        )
        for entry in entries:
            await store.delete(entry.key, entry.revision)
        await store.compact(await store.revision())
    assert path.stat().st_size < 2_000_000  # 10 MB have been written


# ---------------------------------------------------------------------- kill -9

_WRITER = """
import asyncio, pathlib, sys
from podium.store.sqlite import SqliteStore

async def main():
    store = SqliteStore.open(pathlib.Path(sys.argv[1]))
    async def write(name):
        entry = await store.create(f"/{name}", b"0")
        count = 0
        while True:
            count += 1
            entry = await store.update(entry.key, b"%d" % count, entry.revision)
            sys.stdout.write(f"{entry.key} {count} {entry.revision}\\n")
            sys.stdout.flush()
    async with asyncio.TaskGroup() as tasks:
        for name in range(8):
            tasks.create_task(write(name))

asyncio.run(main())
"""


@pytest.mark.parametrize("acknowledged", [1, 40, 500])
async def test_every_acknowledged_write_survives_kill_9(tmp_path: Path, acknowledged: int) -> None:
    path = tmp_path / "state.db"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WRITER, path, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            told = [await process.stdout.readline() for _ in range(acknowledged)]
    finally:
        process.kill()
    rest = await process.stdout.read()
    await process.wait()
    # A line that was cut short was never fully told.
    told += [line for line in rest.splitlines(keepends=True) if line.endswith(b"\n")]
    last: dict[str, tuple[int, int]] = {}
    for line in told:
        key, count, revision = line.decode().split()
        last[key] = (int(count), int(revision))
    async with opened(path) as store:
        for key, (count, revision) in last.items():
            entry = await store.get(key)
            assert entry is not None
            assert int(entry.value) >= count
            assert entry.revision >= revision
        revisions = [event.revision for event in await collect(store, "/", 0, len(told))]
        assert revisions == list(range(1, len(revisions) + 1))
        await store.create("/after", b"")


# ---------------------------------------------------------------------- telling


async def test_watchers_are_told_of_a_write_before_anybody_hears_of_its_revision(
    tmp_path: Path,
) -> None:
    """So nobody who reads what a watcher keeps has to wait for it."""
    seen, watching, compared = 0, asyncio.Event(), 0

    async def watch() -> None:
        nonlocal seen
        async with store.watch("/", 0) as batches:
            watching.set()
            async for events in batches:
                seen = events[-1].revision

    async def compare() -> None:
        nonlocal compared
        while True:
            assert await store.revision() <= seen
            compared += 1
            await asyncio.sleep(0)

    async with opened(tmp_path / "state.db") as store, asyncio.TaskGroup() as tasks:
        watcher = tasks.create_task(watch())
        await watching.wait()
        comparing = tasks.create_task(compare())
        for number in range(30):
            made = await asyncio.gather(*(store.create(f"/{number}/{n}", b"") for n in range(3)))
            assert await store.revision() == made[-1].revision <= seen
        comparing.cancel()
        watcher.cancel()
    assert compared > 30

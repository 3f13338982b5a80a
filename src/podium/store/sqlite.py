"""The store in one SQLite file.

WAL with ``synchronous=FULL``: a write is on disk when it returns. One thread writes and shares
each fsync among all that wait (``sqlite_writer``). Point reads run where they are asked, on a
connection of their own, and wait for no writer; lists and old history are read on a second thread.
Watches are fed from the committed groups in process, and from the log for what came before.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

from podium.store import history
from podium.store import sqlite_queries as queries
from podium.store.feed import Feed, Subscription
from podium.store.port import Entry, Event, FutureRevision, Page, StoreClosed
from podium.store.sqlite_file import FileLock, connect, prepare, translated
from podium.store.sqlite_writer import Checkpointer, Compact, Decide, Write, Writer

_HISTORY_BATCH = 500


class SqliteStore:
    """A ``Store``. Make one by :meth:`open`, inside the event loop that will use it."""

    def __init__(self, path: Path, lock: FileLock, feed: Feed) -> None:
        self._path, self._lock, self._feed = path, lock, feed
        self._loop = asyncio.get_running_loop()
        self._points = connect(path, read_only=True)
        self._lists = connect(path, read_only=True)
        self._reader = ThreadPoolExecutor(1, "store-reader")
        self._revision = queries.last_revision(self._points)
        self._checkpoints = connect(path)
        self._checkpointer = Checkpointer(self._checkpoints, path)
        self._writes = connect(path)
        self._writer = Writer(
            self._writes, self._revision, self._loop, self._publish, self._checkpointer.written
        )
        self._published = self._revision
        self._closed = False

    @classmethod
    def open(cls, path: Path, feed: Feed | None = None) -> SqliteStore:
        """Open the file at *path*, making it when there is none; its directory must exist.

        Raises StoreLocked when another process has it open, StoreFailed when it is not a store.
        """
        lock = FileLock(path)
        try:
            prepare(path)
            with translated(path):
                store = cls(path, lock, feed or Feed())
        except BaseException:
            lock.release()
            raise
        store._checkpointer.start()
        store._writer.start()
        return store

    async def revision(self) -> int:
        self._check_open()
        return self._revision

    async def get(self, key: str) -> Entry | None:
        self._check_open()
        with translated(self._path):
            entry = queries.get(self._points, key)
        if entry is not None:
            self._saw(entry.revision)
        return entry

    async def list(
        self,
        prefix: str,
        *,
        limit: int | None = None,
        after: str = "",
        revision: int | None = None,
    ) -> Page:
        self._check_open()
        page = await self._loop.run_in_executor(
            self._reader, self._read_page, prefix, limit, after, revision
        )
        self._saw(page.revision)
        return page

    async def create(self, key: str, value: bytes) -> Entry:
        return await self._write(
            key, lambda current, revision: history.created(key, value, current, revision)
        )

    async def update(self, key: str, value: bytes, expected: int) -> Entry:
        return await self._write(
            key, lambda current, revision: history.updated(key, value, expected, current, revision)
        )

    async def delete(self, key: str, expected: int) -> Entry:
        return await self._write(
            key, lambda current, revision: history.deleted(key, expected, current, revision)
        )

    @asynccontextmanager
    async def watch(self, prefix: str, after: int) -> AsyncIterator[AsyncIterator[Sequence[Event]]]:
        self._check_open()
        with self._feed.subscribed(prefix, since=self._published) as subscription:
            # All that is published from here on comes by the feed; the log has the rest.
            yield self._events(prefix, after, subscription)

    async def compact(self, revision: int) -> None:
        self._check_open()
        if revision > self._revision:
            raise FutureRevision(revision, self._revision)
        done: asyncio.Future[None] = self._loop.create_future()
        self._writer.submit(Compact(revision, done))
        await done

    async def close(self) -> None:
        """Finish the writes under way and let go of the file. May be repeated."""
        if self._closed:
            return
        self._closed = True
        self._feed.close()
        self._writer.stop()
        await self._loop.run_in_executor(None, self._shut_down)
        self._lock.release()

    def _shut_down(self) -> None:
        self._writer.join()
        self._checkpointer.stop()
        self._checkpointer.join()
        self._reader.shutdown()
        for connection in (self._points, self._lists, self._checkpoints, self._writes):
            connection.close()  # the last one copies the WAL back and removes it

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosed("the store is closed")

    async def _write(self, key: str, decide: Decide) -> Entry:
        self._check_open()
        done: asyncio.Future[Entry] = self._loop.create_future()
        self._writer.submit(Write(key, decide, done))
        try:
            return await done
        finally:
            del done  # a refusal in it holds this frame: nothing may go in circles

    def _publish(self, events: Sequence[Event]) -> None:
        """Tell the watchers first, then whoever asks for the revision, and then the writers.

        Each of the three is told in the loop's next turn, in this order: nobody has to wait for a
        watcher to catch up with a write that nobody knows to be done.
        """
        self._published = events[-1].revision
        self._feed.publish(events)
        self._loop.call_soon(self._saw, self._published)

    def _saw(self, revision: int) -> None:
        """A read may see a commit before the loop hears of it; whoever asks for the revision
        afterwards must not be told an older one."""
        self._revision = max(self._revision, revision)

    def _read_page(self, prefix: str, limit: int | None, after: str, revision: int | None) -> Page:
        with translated(self._path), queries.snapshot(self._lists):
            return queries.page(self._lists, prefix, limit, after, revision)

    def _read_events(self, after: int, upto: int) -> Sequence[Event]:
        with translated(self._path), queries.snapshot(self._lists):
            return queries.events(self._lists, after, upto, _HISTORY_BATCH)

    async def _events(
        self, prefix: str, after: int, subscription: Subscription
    ) -> AsyncIterator[Sequence[Event]]:
        self._saw(self._published)
        if after > self._revision:
            raise FutureRevision(after, self._revision)
        seen, published = after, subscription.since
        while seen < published:
            self._check_open()
            past = await self._loop.run_in_executor(
                self._reader, self._read_events, seen, published
            )
            if past:
                seen = past[-1].revision
                wanted = [event for event in past if event.key.startswith(prefix)]
                if wanted:
                    yield wanted
            if len(past) < _HISTORY_BATCH:
                break
        while True:
            fresh = [event for event in await subscription.take() if event.revision > seen]
            if fresh:
                yield fresh

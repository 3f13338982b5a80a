"""The one thread that writes: what has queued up is committed as one group.

A lone write costs its own fsync and nothing else; many at once share one. Results go back to the
event loop after the commit, in the order of the revisions and before anybody is told, so that
whoever saw a write acknowledged finds it published.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

import msgspec

from podium.store import sqlite_queries as queries
from podium.store.history import entry_after
from podium.store.port import Entry, Event, StoreClosed, StoreError, StoreFailed
from podium.store.sqlite_file import WAL_SIZE_LIMIT, wal_size

MAX_GROUP = 512
#: Revisions compacted in one transaction, and pages given back after it: writers wait that long.
_COMPACT_STEP = 500
_VACUUM_PAGES = 500
#: Free pages that stay in the file for the next writes.
_SPARE_PAGES = 256
#: Bytes of WAL beyond which the writer itself waits for a checkpoint.
_LONGEST_WAL = 2 * WAL_SIZE_LIMIT

#: Decides a write, given what stands there and the revision it would take. Raises StoreError.
Decide = Callable[[Entry | None, int], Event]


class Write(msgspec.Struct, frozen=True, eq=False):
    key: str
    decide: Decide
    done: asyncio.Future[Entry]


class Compact(msgspec.Struct, frozen=True, eq=False):
    revision: int
    done: asyncio.Future[None]


class _Stop(msgspec.Struct, frozen=True):
    pass


class _Outcome(msgspec.Struct):
    """What one group came to: the committed writes, and per write its event or its refusal."""

    results: list[tuple[Write, Event | StoreError]] = msgspec.field(default_factory=list)

    @property
    def events(self) -> Sequence[Event]:
        return [result for _, result in self.results if isinstance(result, Event)]


class Writer:
    """Owns *connection* from :meth:`start` to :meth:`stop`.

    *publish* is called on *loop* with each group's events. *written* is called on the writer's
    thread after a group, with the number of writes.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        revision: int,
        loop: asyncio.AbstractEventLoop,
        publish: Callable[[Sequence[Event]], None],
        written: Callable[[int], None],
    ) -> None:
        self._connection, self._revision = connection, revision
        self._loop, self._publish, self._written = loop, publish, written
        self._queue: SimpleQueue[Write | Compact | _Stop] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._stopped = True

    def start(self) -> None:
        self._stopped = False
        self._thread.start()

    def submit(self, job: Write | Compact) -> None:
        """Raises StoreClosed."""
        if self._stopped:
            raise StoreClosed("the store is closed")
        self._queue.put(job)

    def stop(self) -> None:
        """Finish what is queued, then end the thread; returns at once, :meth:`join` waits."""
        self._stopped = True
        self._queue.put(_Stop())

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        try:
            while True:
                writes, other = self._next_group()
                if writes:
                    self._commit(writes)
                if isinstance(other, Compact):
                    self._compact(other)
                elif other is not None:
                    return
        finally:
            self._stopped = True
            self._refuse_rest()

    def _next_group(self) -> tuple[list[Write], Compact | _Stop | None]:
        """Wait for a job; return the writes at the head of the queue and what stands behind."""
        job = self._queue.get()
        writes: list[Write] = []
        while True:
            if not isinstance(job, Write):
                return writes, job
            writes.append(job)
            if len(writes) == MAX_GROUP:
                return writes, None
            try:
                job = self._queue.get_nowait()
            except Empty:
                return writes, None

    def _commit(self, writes: Sequence[Write]) -> None:
        try:
            outcome = self._transact(writes)
        except sqlite3.Error as error:
            self._roll_back()
            failure = StoreFailed(f"the store could not write: {error}")
            outcome = _Outcome([(write, failure) for write in writes])
        events = outcome.events
        if events:
            self._revision = events[-1].revision
        self._loop.call_soon_threadsafe(self._report, outcome)
        self._written(len(events))

    def _transact(self, writes: Sequence[Write]) -> _Outcome:
        """Few statements do for many writes: at each the other threads get the interpreter, and it
        has to be won back from them."""
        outcome = _Outcome()
        revision = self._revision
        self._connection.execute("BEGIN IMMEDIATE")
        current = queries.get_all(self._connection, list({write.key for write in writes}))
        for write in writes:
            try:
                event = write.decide(current.get(write.key), revision + 1)
            except StoreError as refusal:
                # Its traceback would hold this frame, and this frame it.
                outcome.results.append((write, refusal.with_traceback(None)))
                continue
            outcome.results.append((write, event))
            revision = event.revision
            if event.value is None:
                del current[write.key]
            else:
                current[write.key] = entry_after(event)
        queries.insert_all(self._connection, outcome.events)
        self._connection.execute("COMMIT")
        return outcome

    def _roll_back(self) -> None:
        """A transaction that cannot even be taken back stands in the way of all that follow, and
        they are told so one by one."""
        if self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")

    def _report(self, outcome: _Outcome) -> None:
        """On the event loop: publish first, then tell the writers."""
        events = outcome.events
        if events:
            self._publish(events)
        for write, result in outcome.results:
            if write.done.done():
                continue  # its waiter was cancelled
            if isinstance(result, Event):
                write.done.set_result(entry_after(result))
            else:
                write.done.set_exception(result)

    def _compact(self, job: Compact) -> None:
        """Do one step; the rest queues up behind the writes that came meanwhile."""
        try:
            finished = self._compact_step(job.revision)
        except sqlite3.Error as error:
            self._roll_back()
            failure = StoreFailed(f"the store could not be compacted: {error}")
            self._loop.call_soon_threadsafe(_finish, job.done, failure)
            return
        if finished:
            self._loop.call_soon_threadsafe(_finish, job.done, None)
        else:
            self._queue.put(job)

    def _compact_step(self, revision: int) -> bool:
        """Forget some revisions, then give back some pages; tell whether nothing is left to do."""
        oldest = queries.oldest_revision(self._connection)
        upto = min(oldest + _COMPACT_STEP, revision)
        if upto > oldest:
            self._connection.execute("BEGIN IMMEDIATE")
            queries.forget(self._connection, oldest, upto)
            self._connection.execute("COMMIT")
        free = self._connection.execute("PRAGMA freelist_count").fetchone()[0] - _SPARE_PAGES
        if free > 0:
            pages = min(free, _VACUUM_PAGES)
            # A step gives one page back, and only executescript steps to the end.
            self._connection.executescript(f"PRAGMA incremental_vacuum({pages})")
            self._written(pages)
        return upto >= revision and free <= _VACUUM_PAGES

    def _refuse_rest(self) -> None:
        closed = StoreClosed("the store is closed")
        while True:
            try:
                job = self._queue.get_nowait()
            except Empty:
                return
            if isinstance(job, Write | Compact):
                self._loop.call_soon_threadsafe(_finish, job.done, closed)


def _finish(done: asyncio.Future[None] | asyncio.Future[Entry], error: StoreError | None) -> None:
    if done.done():
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(None)  # type: ignore[arg-type]  # only compactions end without an entry


class Checkpointer:
    """A thread that copies the WAL back into the file at *path*, so that no write pays for it.

    Where that cannot keep up, because the writes never pause, the writer waits until the WAL has
    started anew. SQLite's own lock would not see to it: it is asked for in turns of up to 100 ms,
    and on a slow disk the writer hardly ever lets go of it.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, every_writes: int = 250) -> None:
        self._connection, self._path, self._every = connection, path, every_writes
        self._writes = 0
        self._longest = _LONGEST_WAL
        self._wake, self._restarted = threading.Event(), threading.Event()
        self._restarted.set()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="store-checkpoint", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def written(self, count: int) -> None:
        """Called by the writer's thread behind each transaction; may hold it up."""
        self._writes += count
        if wal_size(self._path) > self._longest:
            self._restarted.clear()
        elif self._writes < self._every:
            return
        self._writes = 0
        self._wake.set()
        self._restarted.wait()

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._stopped:
                return
            if self._restarted.is_set():
                self._checkpoint("PASSIVE")
            else:
                restarted = self._checkpoint("RESTART")
                # One that a long read was in the way of is tried again when the WAL has grown.
                self._longest = _LONGEST_WAL if restarted else self._longest + WAL_SIZE_LIMIT
                self._restarted.set()

    def _checkpoint(self, mode: str) -> bool:
        """Return whether it did all that was to do. A busy or failing checkpoint is tried again
        after more writes; the WAL keeps what it would have copied."""
        try:
            row = self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        except sqlite3.Error:
            return False
        return not row[0]

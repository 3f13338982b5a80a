"""What is asked of the log, in SQL; the answers are those of ``history.History``.

Every function takes a connection and is one read, or reads in one snapshot when its caller holds a
transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

from podium.store.history import check_readable, prefix_end
from podium.store.port import Compacted, Entry, Event, Page

T = TypeVar("T")

#: Rows that one statement asks for or adds.
_MOST_AT_ONCE = 32

_GET = "SELECT revision, value, created FROM log WHERE key = ? ORDER BY revision DESC LIMIT 1"

# The last row of each key up to a revision, walked in the order of the index, so that a page costs
# what it shows.
_LATEST = """
FROM log AS row
WHERE key {over} :start AND key < :end AND revision <= :revision
AND value IS NOT NULL
AND NOT EXISTS (
    SELECT 1 FROM log AS later
    WHERE later.key = row.key AND later.revision > row.revision AND later.revision <= :revision
)
"""
_LIST = f"SELECT key, value, revision, created {_LATEST} ORDER BY key LIMIT :limit"
_LIST_FROM, _LIST_BEHIND = _LIST.format(over=">="), _LIST.format(over=">")
_COUNT_BEHIND = f"SELECT count(*) {_LATEST}".format(over=">")

_EVENTS = """
SELECT log.key, log.revision, log.value, old.value, old.revision, old.created
FROM log LEFT JOIN log AS old ON old.revision = log.previous
WHERE log.revision > ? AND log.revision <= ? ORDER BY log.revision LIMIT ?
"""


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Let all reads inside see the same state."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


def get(connection: sqlite3.Connection, key: str) -> Entry | None:
    row = connection.execute(_GET, (key,)).fetchone()
    if row is None or row[1] is None:
        return None
    return Entry(key, row[1], row[0], row[2])


def get_all(connection: sqlite3.Connection, keys: Sequence[str]) -> dict[str, Entry]:
    """Return what stands at those of *keys* that are there."""
    found = {}
    for some in _parts(keys):
        for key, value, revision, created in connection.execute(_get_all(len(some)), some):
            if value is not None:
                found[key] = Entry(key, value, revision, created)
    return found


@cache
def _get_all(count: int) -> str:
    return (
        f"WITH wanted(key) AS (VALUES {', '.join(['(?)'] * count)}) "
        "SELECT log.key, log.value, log.revision, log.created FROM wanted JOIN log ON log.revision "
        "= (SELECT max(revision) FROM log AS row WHERE row.key = wanted.key)"
    )


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut *items* into parts whose lengths are powers of two: as many statements are prepared."""
    at, size = 0, _MOST_AT_ONCE
    while at < len(items):
        while size > len(items) - at:
            size //= 2
        yield items[at : at + size]
        at += size


def oldest_revision(connection: sqlite3.Connection) -> int:
    """The revision last compacted to."""
    return int(connection.execute("SELECT revision FROM compaction").fetchone()[0])


def last_revision(connection: sqlite3.Connection) -> int:
    """The revision of the last write, also when that was a deletion and has been compacted."""
    last = connection.execute("SELECT max(revision) FROM log").fetchone()[0] or 0
    return max(int(last), oldest_revision(connection))


def page(
    connection: sqlite3.Connection,
    prefix: str,
    limit: int | None,
    after: str,
    revision: int | None,
) -> Page:
    """See ``Store.list``. Reads several times: hold a snapshot."""
    current = last_revision(connection)
    at = current if revision is None else revision
    check_readable(at, oldest=oldest_revision(connection), current=current)
    scope = {"end": prefix_end(prefix), "revision": at, "limit": -1 if limit is None else limit}
    if after >= prefix:
        rows = connection.execute(_LIST_BEHIND, {**scope, "start": after})
    else:
        rows = connection.execute(_LIST_FROM, {**scope, "start": prefix})
    entries = [Entry(*row) for row in rows]
    remaining = 0
    if limit is not None and len(entries) == limit:
        behind = entries[-1].key if entries else max(after, prefix)
        remaining = connection.execute(_COUNT_BEHIND, {**scope, "start": behind}).fetchone()[0]
    return Page(entries, at, remaining)


def events(connection: sqlite3.Connection, after: int, upto: int, limit: int) -> Sequence[Event]:
    """Return the first *limit* writes in (after, upto]. Raises Compacted.

    Reads several times: hold a snapshot.
    """
    oldest = oldest_revision(connection)
    if after < oldest:
        raise Compacted(after, oldest)
    rows = connection.execute(_EVENTS, (after, upto, limit))
    return [_event(*row) for row in rows]


def _event(
    key: str,
    revision: int,
    value: bytes | None,
    old_value: bytes | None,
    old_revision: int | None,
    old_created: int | None,
) -> Event:
    if old_value is None or old_revision is None or old_created is None:
        return Event(key, revision, value, None)
    return Event(key, revision, value, Entry(key, old_value, old_revision, old_created))


def insert_all(connection: sqlite3.Connection, events: Sequence[Event]) -> None:
    for some in _parts(events):
        connection.execute(_insert_all(len(some)), [each for event in some for each in _row(event)])


@cache
def _insert_all(count: int) -> str:
    rows = ", ".join(["(?, ?, ?, ?, ?)"] * count)
    return f"INSERT INTO log (revision, key, value, created, previous) VALUES {rows}"


def _row(event: Event) -> tuple[int, str, bytes | None, int, int]:
    previous = event.previous
    created, replaced = (previous.created, previous.revision) if previous else (event.revision, 0)
    return event.revision, event.key, event.value, created, replaced


def forget(connection: sqlite3.Connection, oldest: int, upto: int) -> None:
    """Compact from *oldest*, where the log stands compacted already, to *upto*.

    What a write in between replaced is superseded, and a deletion in between is over.
    """
    bounds = (oldest, upto)
    connection.execute(
        "DELETE FROM log WHERE revision IN (SELECT previous FROM log"
        " WHERE revision > ? AND revision <= ? AND previous > 0)",
        bounds,
    )
    connection.execute(
        "DELETE FROM log WHERE revision > ? AND revision <= ? AND value IS NULL", bounds
    )
    connection.execute("UPDATE compaction SET revision = ?", (upto,))

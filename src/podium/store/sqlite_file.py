"""The SQLite file: who may open it, how it is set up, and the connections to it.

One table holds the log of all writes; a key's present value is its last row. ``previous`` is the
revision of the row that a write replaced (0: none), which lets a watch tell what stood there and
lets compaction find what is superseded without a scan. Row numbers are the revisions.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from podium.kit.files import sync_directory
from podium.store.port import StoreFailed, StoreLocked

SCHEMA_VERSION = 1
_APPLICATION_ID = 0x506F6469  # "Podi": file(1) and we tell our files from others by it

_SCHEMA = """
CREATE TABLE log (
    revision INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    value BLOB,
    created INTEGER NOT NULL,
    previous INTEGER NOT NULL
);
CREATE UNIQUE INDEX log_by_key ON log (key, revision);
CREATE TABLE compaction (revision INTEGER NOT NULL);
INSERT INTO compaction VALUES (0);
"""

#: The WAL is cut back to this when it starts anew, so that one burst does not keep its size.
WAL_SIZE_LIMIT = 16 * 1024 * 1024
#: Page cache of a connection; the kernel caches the file anyway.
_CACHE_KIB = 512


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite raises into StoreFailed."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreFailed(f"{path}: {error}") from error


class FileLock:
    """Held for as long as the store is open; the kernel lets go of it when the process dies."""

    def __init__(self, database: Path) -> None:
        """Raises StoreLocked when another holder is alive."""
        path = database.with_name(database.name + ".lock")
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            raise StoreLocked(
                f"{database} is in use by another process (pid {holder}); "
                "a store has one process at a time"
            ) from error
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        os.close(self._fd)


def prepare(path: Path) -> None:
    """Make the file with its schema when it is new; check that it is ours when it is not.

    Raises StoreFailed.
    """
    new = not path.exists()
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    os.chmod(path, 0o600)  # the WAL and its index take over the file's mode
    with translated(path):
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            if new or _is_blank(connection):
                _create(connection)
            _check(path, connection)
        finally:
            connection.close()
    if new:
        sync_directory(path.parent)


def _is_blank(connection: sqlite3.Connection) -> bool:
    """True for a file that a crash left behind before its schema was committed."""
    return not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # takes effect before the first table
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(
        f"BEGIN IMMEDIATE;{_SCHEMA}"
        f"PRAGMA application_id = {_APPLICATION_ID};PRAGMA user_version = {SCHEMA_VERSION};COMMIT;"
    )


def _check(path: Path, connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
        raise StoreFailed(f"{path} is an SQLite file, but not a store of ours")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA_VERSION:
        raise StoreFailed(
            f"{path} has schema version {version}; this program knows version {SCHEMA_VERSION}"
        )


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Return a connection for one thread at a time. Its commits are on disk when they return."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=10, cached_statements=32
    )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute("PRAGMA wal_autocheckpoint = 0")  # the checkpointer's thread does it
    connection.execute(f"PRAGMA journal_size_limit = {WAL_SIZE_LIMIT}")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    return connection


def wal_size(path: Path) -> int:
    """Return how many bytes the WAL of the file at *path* takes; 0 before the first write."""
    try:
        return os.stat(f"{path}-wal").st_size
    except FileNotFoundError:
        return 0

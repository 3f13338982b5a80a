"""The store as a port: an ordered key space with revisions, watch and compare-and-swap.

Keys and values are as etcd has them under ``/registry/<resource>/<namespace>/<name>``; the store
knows bytes and revisions, and no object. A revision is one growing integer for the whole store:
each write takes the next one.

Every implementation passes ``tests/contracts/store.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec


class StoreError(Exception):
    """Base of what a store refuses."""


class KeyExists(StoreError):
    """Create found the key taken."""

    def __init__(self, key: str) -> None:
        super().__init__(f"key {key} exists")
        self.key = key


class RevisionMismatch(StoreError):
    """Update or delete expected another revision than *current* (None: there is no such key)."""

    def __init__(self, key: str, expected: int, current: Entry | None) -> None:
        at = f"at revision {current.revision}" if current else "absent"
        super().__init__(f"key {key}: expected revision {expected}, is {at}")
        self.key, self.expected, self.current = key, expected, current


class Compacted(StoreError):
    """History before *oldest* is gone; list again."""

    def __init__(self, asked: int, oldest: int) -> None:
        super().__init__(f"revision {asked} has been compacted; the oldest is {oldest}")
        self.asked, self.oldest = asked, oldest


class FutureRevision(StoreError):
    """A revision was asked for that no write has reached yet."""

    def __init__(self, asked: int, current: int) -> None:
        super().__init__(f"revision {asked} is in the future; the current one is {current}")
        self.asked, self.current = asked, current


class StoreClosed(StoreError):
    """The store was closed, or a watcher was cut off because it fell too far behind."""


class StoreLocked(StoreError):
    """Another process has the store open."""


class StoreFailed(StoreError):
    """The medium refused a read or a write (full, broken, not a store); nothing was changed."""


class Entry(msgspec.Struct, frozen=True):
    """A key's value as of *revision*, the write that put it there."""

    key: str
    value: bytes
    revision: int
    created: int  #: revision of the write that created the key


class Page(msgspec.Struct, frozen=True):
    """A consistent cut of a prefix: *entries* in key order, all as of *revision*."""

    entries: Sequence[Entry]
    revision: int
    remaining: int  #: how many more keys follow behind the last entry


class Event(msgspec.Struct, frozen=True):
    """One write. ``value`` is None when the key was deleted; ``previous`` is what it replaced."""

    key: str
    revision: int
    value: bytes | None
    previous: Entry | None


class Store(Protocol):
    """See the module's text. All methods may be called concurrently from one event loop.

    A write that returned is on the medium, and every read and ``revision`` that begins afterwards
    shows it. A write whose waiter was cancelled may or may not have happened.
    """

    async def revision(self) -> int:
        """The revision of the last committed write, read as ``get`` reads (linearizable)."""
        ...

    async def get(self, key: str) -> Entry | None: ...

    async def list(
        self,
        prefix: str,
        *,
        limit: int | None = None,
        after: str = "",
        revision: int | None = None,
    ) -> Page:
        """Return the entries below *prefix*, at most *limit*, from behind the key *after* on.

        Raises Compacted or FutureRevision where *revision* cannot be served. The revision last
        compacted to is the oldest that can.
        """
        ...

    async def create(self, key: str, value: bytes) -> Entry:
        """Raises KeyExists."""
        ...

    async def update(self, key: str, value: bytes, expected: int) -> Entry:
        """Replace the value whose revision is *expected*. Raises RevisionMismatch."""
        ...

    async def delete(self, key: str, expected: int) -> Entry:
        """Remove the key whose revision is *expected*; return what stood there, with the
        revision of the deletion. Raises RevisionMismatch."""
        ...

    def watch(
        self, prefix: str, after: int
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Event]]]:
        """Yield the writes below *prefix* behind revision *after*, in order, none missing.

        Raises from the iterator: Compacted when *after* is before the revision last compacted to,
        FutureRevision when no write has reached it, and StoreClosed when the watcher falls too
        far behind or the store closes.
        """
        ...

    async def compact(self, revision: int) -> None:
        """Forget history before *revision*; the present values stay. Raises FutureRevision."""
        ...

    async def close(self) -> None: ...

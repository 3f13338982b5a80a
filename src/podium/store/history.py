"""The history of a key space as a value: which revisions exist and what they say.

Pure. ``memory.py`` is this and a feed; ``sqlite.py`` asks its table the same questions in SQL and
takes the decisions on writes from here. The contract suite holds both to the same answers.

Compaction to revision C forgets every value that C's state does not show, and every deletion up
to C. Lists as of C and later, and watches from behind C on, stay exact.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from podium.store.port import (
    Compacted,
    Entry,
    Event,
    FutureRevision,
    KeyExists,
    Page,
    RevisionMismatch,
)

_LAST = "\U0010ffff"


def prefix_end(prefix: str) -> str:
    """Return the first string behind all that begin with *prefix* (keys are printable ASCII)."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1) if prefix else _LAST


def created(key: str, value: bytes, current: Entry | None, revision: int) -> Event:
    """Return the write *revision* that creates *key*. Raises KeyExists."""
    if current is not None:
        raise KeyExists(key)
    return Event(key, revision, value, None)


def updated(key: str, value: bytes, expected: int, current: Entry | None, revision: int) -> Event:
    """Return the write *revision* that replaces *current*. Raises RevisionMismatch."""
    return Event(key, revision, value, _as_expected(key, expected, current))


def deleted(key: str, expected: int, current: Entry | None, revision: int) -> Event:
    """Return the write *revision* that removes *current*. Raises RevisionMismatch."""
    return Event(key, revision, None, _as_expected(key, expected, current))


def _as_expected(key: str, expected: int, current: Entry | None) -> Entry:
    if current is None or current.revision != expected:
        raise RevisionMismatch(key, expected, current)
    return current


def entry_after(event: Event) -> Entry:
    """Return what the author of *event* gets back: the new entry, or for a deletion what stood
    there, at the revision of the deletion."""
    previous = event.previous
    if event.value is not None:
        first = previous.created if previous else event.revision
        return Entry(event.key, event.value, event.revision, first)
    assert previous is not None  # a deletion always removes something
    return Entry(event.key, previous.value, event.revision, previous.created)


def check_readable(revision: int, *, oldest: int, current: int) -> None:
    """Raises Compacted or FutureRevision unless a list as of *revision* can be served."""
    if revision < oldest:
        raise Compacted(revision, oldest)
    if revision > current:
        raise FutureRevision(revision, current)


class History:
    """All writes since the last compaction, and the state they start from."""

    def __init__(self) -> None:
        self.revision = 0
        self.oldest = 0  #: the revision compacted to; states from here on can be read
        self._base: dict[str, Entry] = {}  # the state as of ``oldest``
        self._live: dict[str, Entry] = {}
        self._log: list[Event] = []

    def get(self, key: str) -> Entry | None:
        return self._live.get(key)

    def append(self, event: Event) -> None:
        """Take in the next write. Its revision must be the one after the last."""
        assert event.revision == self.revision + 1
        self._log.append(event)
        self.revision = event.revision
        _apply(self._live, event)

    def page(self, prefix: str, limit: int | None, after: str, revision: int | None) -> Page:
        """See ``Store.list``."""
        at = self.revision if revision is None else revision
        check_readable(at, oldest=self.oldest, current=self.revision)
        state = self._live if at == self.revision else self._state(at)
        keys = sorted(key for key in state if key.startswith(prefix) and key > after)
        shown = keys if limit is None else keys[:limit]
        return Page([state[key] for key in shown], at, len(keys) - len(shown))

    def events(self, prefix: str, after: int) -> Sequence[Event]:
        """Return the writes below *prefix* behind revision *after*. Raises Compacted."""
        if after < self.oldest:
            raise Compacted(after, self.oldest)
        return [event for event in self._behind(after) if event.key.startswith(prefix)]

    def compact(self, revision: int) -> None:
        """Forget what the state as of *revision* does not show. Going back is no effect."""
        if revision > self.revision:
            raise FutureRevision(revision, self.revision)
        if revision <= self.oldest:
            return
        self._base = self._state(revision)
        self._log = list(self._behind(revision))
        self.oldest = revision

    def _state(self, revision: int) -> dict[str, Entry]:
        state = dict(self._base)
        for event in self._log:
            if event.revision > revision:
                break
            _apply(state, event)
        return state

    def _behind(self, revision: int) -> Iterable[Event]:
        start = bisect_right(self._log, revision, key=lambda event: event.revision)
        return self._log[start:]


def _apply(state: dict[str, Entry], event: Event) -> None:
    if event.value is None:
        del state[event.key]
    else:
        state[event.key] = entry_after(event)

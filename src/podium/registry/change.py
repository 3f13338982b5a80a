"""One write to one object, as watchers see it."""

from __future__ import annotations

import msgspec

from podium.api import codec
from podium.registry.predicate import Predicate
from podium.registry.types import EventType, Stored, WatchEvent


class Change:
    """What was there (None: nothing), and what is there now (None: it was deleted).

    Events are made on demand and shared by all watchers.
    """

    __slots__ = ("_events", "new", "old", "revision")

    def __init__(self, revision: int, old: Stored | None, new: Stored | None) -> None:
        self.revision, self.old, self.new = revision, old, new
        self._events: dict[EventType, WatchEvent] = {}

    def event_for(self, predicate: Predicate) -> WatchEvent | None:
        """Return what a watcher of *predicate* is told, None when it does not concern it.

        An object that stops matching is DELETED to it, one that starts to is ADDED.
        """
        old, new, plain = self.old, self.new, predicate.is_plain
        was = old is not None and (plain or predicate.matches(old))
        now = new is not None and (plain or predicate.matches(new))
        if now:
            return self._event("MODIFIED" if was else "ADDED")
        return self._event("DELETED") if was else None

    def _event(self, kind: EventType) -> WatchEvent:
        event = self._events.get(kind)
        if event is None:
            stored = self.new
            if kind == "DELETED":
                assert self.old is not None
                stored = at_revision(self.old, self.revision)
            assert stored is not None
            event = self._events[kind] = WatchEvent(kind, stored.data, stored)
        return event


def at_revision(stored: Stored, revision: int) -> Stored:
    """Return the same object with another resourceVersion, as deletions report it."""
    metadata = msgspec.structs.replace(stored.obj.metadata, resource_version=str(revision))
    obj = msgspec.structs.replace(stored.obj, metadata=metadata)
    return Stored(stored.key, codec.encode(obj), revision, obj, stored.fields)

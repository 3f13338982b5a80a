"""The present objects of one resource, indexed, and the changes that led there.

Fed by ``feeder.py`` from the store, in order. Reading never waits: whoever needs a certain
revision waits for the feeder first. Each object is encoded and decoded once; lists and watch
events are made of the same bytes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from podium.api import codec
from podium.api.fields import sets
from podium.api.scheme import Resource
from podium.registry import keys
from podium.registry.change import Change
from podium.registry.predicate import Interest, Predicate
from podium.registry.strategies import strategy_for
from podium.registry.strategies.base import Strategy
from podium.registry.types import Stored
from podium.registry.watcher import Watchers
from podium.store.history import prefix_end
from podium.store.port import Entry, Event

#: How many changes are kept for watches that resume; older ones come from the store's history.
_WINDOW = 256
#: How many objects of a kind are kept decoded, too: those written or asked for last. A decoded
#: object takes three times the memory of its bytes, and the garbage collector's time; to decode
#: it anew takes less than a fiftieth of what most requests for a single object do.
_DECODED = 512


class WatchCache:
    """See the module's text. *revision* is that of the state it is filled with at first."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.prefix = keys.prefix(resource)
        self.received = 0  #: changes that have come from the store
        self.changed_at = 0  #: revision of the last change; the objects are the same ever since
        self.watchers = Watchers(resource.indexed_fields)
        self._objects: dict[str, Stored] = {}
        self._order: list[str] = []
        self._indexes: dict[str, defaultdict[str, dict[str, None]]] = {
            label: defaultdict(dict) for label in resource.indexed_fields
        }
        self._window: deque[Change] = deque(maxlen=_WINDOW)
        self._window_from = 0
        self._expected: dict[int, Any] = {}
        self._decoded_ones: deque[Stored] = deque()

    @cached_property
    def strategy(self) -> Strategy[Any]:
        """Its rules, loaded when there is an object: most kinds have none in most clusters."""
        return strategy_for(self.resource)

    # ------------------------------------------------------------------ filling

    def fill(self, entries: Iterable[Entry]) -> None:
        """Take in the objects that are there at start, in the order of their keys."""
        for entry in entries:
            self._put(self.stored(entry.key, entry.value, entry.revision))

    def begin(self, revision: int) -> None:
        """Note that what was filled in is the state as of *revision*."""
        self.changed_at = self._window_from = revision

    def forget_before(self, revision: int) -> None:
        """Have watches resume from *revision* or later only."""
        self._window_from = max(self._window_from, revision)

    def expect(self, value: bytes, obj: Any) -> None:
        """Spare the decoding of *value*, which is about to be written and is *obj* encoded."""
        self._expected[id(value)] = obj

    def forget(self, value: bytes) -> None:
        """End :meth:`expect`; *value* must have been kept alive meanwhile."""
        self._expected.pop(id(value), None)

    def apply(self, event: Event) -> Change:
        """Take in the next write and tell the watchers."""
        old = self._objects.get(event.key)
        new = None
        if event.value is not None:
            new = self.stored(event.key, event.value, event.revision)
        change = Change(event.revision, old, new)
        self._remove(event.key) if new is None else self._put(new)
        self.changed_at = event.revision
        self.received += 1
        if len(self._window) == _WINDOW:
            self._window_from = self._window[0].revision
        self._window.append(change)
        self.watchers.notify(change)
        return change

    def stored(self, key: str, value: bytes, revision: int) -> Stored:
        """Return the object that the store holds as *value*."""
        obj = self._expected.get(id(value))
        if obj is None:
            obj = self.decode(value)
        obj.metadata.resource_version = str(revision)
        return self._held(key, codec.stamp(value, revision), revision, obj)

    def _held(self, key: str, data: bytes, revision: int, obj: Any) -> Stored:
        found = Stored(key, data, revision, obj, self.strategy.fields(obj), self._decode_again)
        self._keep_decoded(found)
        return found

    def _decode_again(self, stored: Stored) -> Any:
        self._keep_decoded(stored)
        return self._decoded(stored.data)

    def _keep_decoded(self, stored: Stored) -> None:
        """Note that *stored* is decoded; the one for which that is longest ago is no more."""
        self._decoded_ones.append(stored)
        if len(self._decoded_ones) > _DECODED:
            self._decoded_ones.popleft().drop_decoded()

    def encode(self, obj: Any) -> bytes:
        """Return *obj* as the store holds it."""
        return codec.encode_stored(obj)

    def decode(self, value: bytes) -> Any:
        """Return a new struct of what the registry has encoded; the caller may change it."""
        return self._decoded(value)

    def copy(self, stored: Stored) -> Any:
        """Return the object anew, for changing."""
        return self._decoded(stored.data)

    def _decoded(self, data: bytes) -> Any:
        obj = codec.decode_stored(self.resource.type, data)
        for entry in obj.metadata.managed_fields:
            if entry.fields_v1:  # many objects are owned alike; one copy of that is enough
                entry.fields_v1 = sets.shared(entry.fields_v1)
        return obj

    # ------------------------------------------------------------------ reading

    def get(self, namespace: str, name: str) -> Stored | None:
        inside = f"{namespace}/{name}" if namespace and self.resource.namespaced else name
        return self._objects.get(self.prefix + inside)

    def current(self, key: str) -> Stored | None:
        return self._objects.get(key)

    def objects(self) -> Iterator[tuple[str, Any]]:
        """Yield every object under its key in the store."""
        return ((key, stored.obj) for key, stored in self._objects.items())

    def everything(self) -> Iterator[Stored]:
        return iter(self._objects.values())

    def select(self, predicate: Predicate, after: str = "") -> Iterator[Stored]:
        """Return what *predicate* matches behind the key *after*, in the order of the keys.

        Costs what the predicate's index holds, not what the cache holds.
        """
        found = map(self._objects.__getitem__, self._candidates(predicate.interest, after))
        return found if predicate.is_interest else filter(predicate.matches, found)

    def __len__(self) -> int:
        return len(self._objects)

    def changes_since(self, revision: int) -> Sequence[Change] | None:
        """Return the changes behind *revision*, or None when they are no longer all here."""
        if revision >= self.changed_at:
            return ()
        if revision < self._window_from:
            return None
        start = bisect_right(self._window, revision, key=lambda change: change.revision)
        return [self._window[index] for index in range(start, len(self._window))]

    def _candidates(self, interest: Interest, after: str) -> Iterable[str]:
        if interest.kind == "key":
            key = self.prefix + interest.value
            return [key] if key in self._objects and key > after else []
        if interest.kind in self._indexes:
            found = self._indexes[interest.kind].get(interest.value, {})
            return sorted(key for key in found if key > after)
        prefix = self.prefix
        if interest.kind == "namespace":
            prefix = keys.prefix(self.resource, interest.value)
        start = max(bisect_left(self._order, prefix), bisect_right(self._order, after))
        return self._order[start : bisect_left(self._order, prefix_end(prefix))]

    def _put(self, new: Stored) -> None:
        old = self._objects.get(new.key)
        if old is None:
            if self._order and new.key > self._order[-1]:
                self._order.append(new.key)
            else:
                insort(self._order, new.key)
        self._objects[new.key] = new
        if self._indexes:
            self._index(old, new)

    def _remove(self, key: str) -> None:
        old = self._objects.pop(key, None)
        if old is None:
            return
        del self._order[bisect_left(self._order, key)]
        if self._indexes:
            self._index(old, None)

    def _index(self, old: Stored | None, new: Stored | None) -> None:
        for label, index in self._indexes.items():
            before = old.fields[label] if old is not None else None
            behind = new.fields[label] if new is not None else None
            if old is not None and before is not None and before != behind:
                keys_there = index[before]
                keys_there.pop(old.key, None)
                if not keys_there:
                    del index[before]
            if new is not None and behind is not None:
                index[behind][new.key] = None

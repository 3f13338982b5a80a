"""Which of a component's events become new objects, which raise a count, which are dropped.

The rules and numbers are those of ``client-go``'s ``EventCorrelator``. No I/O; time is passed in.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import msgspec

from podium.api.types.core_v1 import Event

#: Objects and events remembered; the least recently used are forgotten first.
REMEMBERED = 4096
#: Events that differ only in their message are combined from the tenth on, until none came for
#: ten minutes.
COMBINE_FROM = 10
COMBINE_INTERVAL = timedelta(minutes=10)
COMBINED = "(combined from similar events): "
#: Events about one object: a burst, then one in five minutes.
BURST = 25
REFILL_SECONDS = 300.0

T = TypeVar("T")


class Post(msgspec.Struct, frozen=True):
    """Create *event*, or, where *count_up*, patch the one of that name to its count."""

    event: Event
    count_up: bool


class EventCorrelator:
    """The memory of one component's recent events."""

    def __init__(self) -> None:
        self._similar: _Recent[_Similar] = _Recent()
        self._seen: _Recent[_Seen] = _Recent()
        self._budgets: _Recent[_Budget] = _Recent()

    def correlate(self, event: Event, now: datetime) -> Post | None:
        """Return what to tell the server about *event*, None when it would be one too many.

        *event* has its final name, count 1 and both timestamps; it is not changed.
        """
        event, key = self._combine(event, now)
        seen = self._seen.get(key)
        count_up = seen is not None
        if seen is not None:
            seen.count += 1
            event = _counted(event, seen)
        else:
            assert event.first_timestamp is not None
            self._seen.put(key, _Seen(event.metadata.name, 1, event.first_timestamp))
        return Post(event, count_up) if self._affordable(event, now) else None

    def _combine(self, event: Event, now: datetime) -> tuple[Event, Hashable]:
        group = (_about(event), event.type, event.reason)
        similar = self._similar.get(group)
        if similar is None or now - similar.latest > COMBINE_INTERVAL:
            similar = self._similar.put(group, _Similar(now))
        similar.latest = now
        similar.messages.add(event.message)
        if len(similar.messages) < COMBINE_FROM:
            return event, (*group, event.involved_object.field_path, event.message)
        similar.messages.discard(event.message)  # bounded: the threshold stays one message away
        combined = msgspec.structs.replace(event, message=COMBINED + event.message)
        return combined, group

    def _affordable(self, event: Event, now: datetime) -> bool:
        about = _about(event)
        budget = self._budgets.get(about) or self._budgets.put(about, _Budget(BURST, now))
        return budget.spend(now)


def _about(event: Event) -> Hashable:
    about = event.involved_object
    return (
        event.source.component,
        event.source.host,
        about.kind,
        about.namespace,
        about.name,
        about.uid,
        about.api_version,
    )


def _counted(event: Event, seen: _Seen) -> Event:
    metadata = msgspec.structs.replace(event.metadata, name=seen.name)
    return msgspec.structs.replace(
        event, metadata=metadata, count=seen.count, first_timestamp=seen.first
    )


class _Similar(msgspec.Struct):
    """Events of one object, type and reason: the messages so far, and when the latest came."""

    latest: datetime
    messages: set[str] = msgspec.field(default_factory=set)


class _Seen(msgspec.Struct):
    """An event that was posted."""

    name: str
    count: int
    first: datetime


class _Budget(msgspec.Struct):
    """A token bucket."""

    tokens: float
    at: datetime

    def spend(self, now: datetime) -> bool:
        refill = (now - self.at).total_seconds() / REFILL_SECONDS
        self.tokens, self.at = min(BURST, self.tokens + refill), now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class _Recent(Generic[T]):
    """A dictionary that forgets what was not used for longest."""

    def __init__(self) -> None:
        self._entries: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: Hashable, entry: T) -> T:
        self._entries[key] = entry
        self._entries.move_to_end(key)
        if len(self._entries) > REMEMBERED:
            self._entries.popitem(last=False)
        return entry

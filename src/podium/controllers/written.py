"""What a controller has written and its informer has not shown yet.

A controller whose objects have generated names must not decide by a copy that lacks what it has
just made: it would make it again.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from podium.kit.clock import Clock


class Written:
    """Objects by the key that they were written for.

    After :data:`PATIENCE` seconds nothing is waited for any more: what was written may have been
    deleted by somebody else, and the list that would have shown it replaced by a newer one.
    """

    PATIENCE = 5.0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        #: uid to resourceVersion and when that was written.
        self._expected: dict[Hashable, dict[str, tuple[int, float]]] = {}
        self._dropped: dict[Hashable, dict[str, float]] = {}

    def note(self, key: Hashable, obj: Any) -> None:
        """*obj* is what the server has answered to a write."""
        version = int(obj.metadata.resource_version)
        entry = version, self._clock.monotonic()
        self._expected.setdefault(key, {})[obj.metadata.uid] = entry

    def drop(self, key: Hashable, obj: Any) -> None:
        """*obj* is being deleted."""
        self._expected.get(key, {}).pop(obj.metadata.uid, None)
        self._dropped.setdefault(key, {})[obj.metadata.uid] = self._clock.monotonic()

    def forget(self, key: Hashable) -> None:
        self._expected.pop(key, None)
        self._dropped.pop(key, None)

    def is_in(self, key: Hashable, shown: Iterable[Any]) -> bool:
        """Whether *shown* is as new as everything that was noted for *key*."""
        versions = {obj.metadata.uid: int(obj.metadata.resource_version) for obj in shown}
        now = self._clock.monotonic()
        waiting = {
            uid: entry
            for uid, entry in self._expected.pop(key, {}).items()
            if versions.get(uid, -1) < entry[0] and now - entry[1] < self.PATIENCE
        }
        going = {
            uid: when
            for uid, when in self._dropped.pop(key, {}).items()
            if uid in versions and now - when < self.PATIENCE
        }
        if waiting:
            self._expected[key] = waiting
        if going:
            self._dropped[key] = going
        return not waiting and not going

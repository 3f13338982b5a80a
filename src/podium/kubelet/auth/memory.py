"""Answers that are kept for a while."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from podium.kit.clock import Clock

T = TypeVar("T")


class Memory(Generic[T]):
    """The last *most* answers, each until its time is over."""

    def __init__(self, clock: Clock, most: int) -> None:
        self._clock, self._most = clock, most
        self._kept: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        found = self._kept.get(key)
        if found is None:
            return None
        until, value = found
        if self._clock.monotonic() >= until:
            del self._kept[key]
            return None
        return value

    def put(self, key: Hashable, value: T, seconds: float) -> None:
        if seconds <= 0:
            return
        self._kept[key] = (self._clock.monotonic() + seconds, value)
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

"""What work queues tell of themselves, under the names of ``client-go``'s."""

from __future__ import annotations

from collections.abc import Hashable

from podium.kit.clock import Clock
from podium.kit.metrics import PROCESS

_BOUNDS = tuple(10.0**power for power in range(-8, 2))
_NAME = ("name",)

_DEPTH = PROCESS.gauge("workqueue_depth", "Keys that could be taken now.", _NAME)
_ADDS = PROCESS.counter("workqueue_adds", "Keys that became ready.", _NAME)
_RETRIES = PROCESS.counter("workqueue_retries", "Keys that came back after a failure.", _NAME)
_WAITED = PROCESS.histogram(
    "workqueue_queue_duration_seconds", "Seconds that keys were ready for.", _BOUNDS, _NAME
)
_WORKED = PROCESS.histogram(
    "workqueue_work_duration_seconds", "Seconds that keys were worked on.", _BOUNDS, _NAME
)


class QueueMetrics:
    """Counts for one queue; told of each key's steps."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._name, self._clock = name, clock
        self._since: dict[Hashable, float] = {}

    def ready(self, key: Hashable) -> None:
        self._since[key] = self._clock.monotonic()
        _ADDS.inc(self._name)
        _DEPTH.add(1, self._name)

    def taken(self, key: Hashable) -> None:
        now = self._clock.monotonic()
        _WAITED.observe(now - self._since.get(key, now), self._name)
        _DEPTH.add(-1, self._name)
        self._since[key] = now

    def done(self, key: Hashable) -> None:
        now = self._clock.monotonic()
        _WORKED.observe(now - self._since.pop(key, now), self._name)

    def retried(self) -> None:
        _RETRIES.inc(self._name)

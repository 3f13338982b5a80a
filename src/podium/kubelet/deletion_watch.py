"""Tells where the deletion of a Pod has come to when it takes longer than it should, and why.

Each step has a time that is enough for it; after that an event names the step and what blocks it,
again and again, ever more rarely, until the deletion has come further.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from podium.api.types.core_v1 import Pod
from podium.client.events import EventRecorder
from podium.domain.pods.identity import pod_key
from podium.kit.clock import Clock

logger = logging.getLogger(__name__)

REASON = "DeletionDelayed"
#: What a step may take (seconds); containers have their grace period and this after SIGKILL.
ENOUGH, ENOUGH_TO_DIE = 30.0, 10.0
#: Seconds between two events about one step: at first, and at most.
_AGAIN, _RARELY = 60.0, 960.0


class DeletionWatch:
    def __init__(self, events: EventRecorder, clock: Clock) -> None:
        self._events, self._clock = events, clock
        self._step, self._blocker, self._failure = "", "", ""
        self._due: datetime | None = None
        self._again = _AGAIN
        self._news = asyncio.Event()

    def at(self, step: str, blocker: str = "", *, due: datetime | None = None) -> None:
        """The deletion has come to *step*, which should be over when it is *due*."""
        self._blocker = blocker
        if step == self._step:
            return
        self._step, self._failure, self._again = step, "", _AGAIN
        self._due = due or self._clock.now() + timedelta(seconds=ENOUGH)
        self._news.set()

    def failed(self, exc: Exception) -> None:
        """The present step has failed; it will be tried again."""
        self._failure = str(exc)

    async def run(self, pod: Callable[[], Pod]) -> None:
        """Tell about *pod*, until cancelled."""
        while True:
            self._news.clear()
            left = None
            if self._due is not None:
                left = max((self._due - self._clock.now()).total_seconds(), 0.0)
            if not await self._clock.wait(self._news, left):
                self._tell(pod())

    def _tell(self, pod: Pod) -> None:
        why = "; ".join(filter(None, (self._blocker, self._failure)))
        text = f"Deletion waits for {self._step}" + (f": {why}" if why else "")
        self._events.event(pod, "Warning", REASON, text)
        logger.warning("deletion is delayed", extra={"pod": pod_key(pod), "why": text})
        self._due = self._clock.now() + timedelta(seconds=self._again)
        self._again = min(self._again * 2, _RARELY)

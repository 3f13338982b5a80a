"""Tells where the deletion of a Pod has come to when it takes longer than it should, and why.

Each step has a time that is enough for it (``domain.pods.deletion``); after that an event names the
step and what blocks it, again and again, ever more rarely, until the deletion has come further.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from podium.api.types.core_v1 import Pod
from podium.client.events import EventRecorder
from podium.domain.pods import deletion
from podium.domain.pods.deletion import ENOUGH, LIMITS, Step
from podium.domain.pods.identity import pod_key
from podium.kit.clock import Clock

logger = logging.getLogger(__name__)

#: Reasons of events about a step that takes long, and about one that is left for later.
DELAYED, INCOMPLETE = "DeletionDelayed", "DeletionIncomplete"
#: Seconds between two events about one step: at first, and at most.
_AGAIN, _RARELY = 60.0, 960.0
#: Seconds after a step's limit in which its last attempt ends, or the deletion goes on.
_MOMENT = 2.0


class DeletionWatch:
    def __init__(self, events: EventRecorder, clock: Clock) -> None:
        self._events, self._clock = events, clock
        self._step: Step | None = None
        self._since = clock.now()
        self._blocker, self._failure = "", ""
        self._due: datetime | None = None
        self._again = _AGAIN
        self._news = asyncio.Event()

    def at(self, step: Step, blocker: str = "", *, due: datetime | None = None) -> None:
        """The deletion has come to *step*, which should be over when it is *due*."""
        self._blocker = blocker
        if step is self._step:
            return
        self._step, self._since = step, self._clock.now()
        self._failure, self._again = "", _AGAIN
        self._due = due or self._since + timedelta(seconds=self._limit + _MOMENT)
        self._news.set()

    def failed(self, exc: Exception) -> None:
        """The present step has failed; it will be tried again."""
        self._failure = str(exc) or "no answer"

    @property
    def step(self) -> Step | None:
        return self._step

    @property
    def is_late(self) -> bool:
        """Whether the present step should be over."""
        return self.left <= 0

    @property
    def left(self) -> float:
        """Seconds that the present step has yet."""
        if self._step is None:
            return 0.0
        limit = timedelta(seconds=self._limit)
        return max((self._since + limit - self._clock.now()).total_seconds(), 0.0)

    @property
    def _limit(self) -> float:
        return LIMITS.get(self._step, ENOUGH) if self._step else ENOUGH

    async def run(self, pod: Callable[[], Pod]) -> None:
        """Tell about *pod*, until cancelled."""
        while True:
            self._news.clear()
            pause = None
            if self._due is not None:
                pause = max((self._due - self._clock.now()).total_seconds(), 0.0)
            if not await self._clock.wait(self._news, pause):
                self._delayed(pod())

    def gave_up(self, pod: Pod, step: Step) -> None:
        """The deletion goes on without *step*, the present one."""
        self._tell(pod, INCOMPLETE, deletion.left(step, self._why))
        self._due = None

    @property
    def _why(self) -> str:
        return "; ".join(filter(None, (self._blocker, self._failure)))

    def _delayed(self, pod: Pod) -> None:
        assert self._step is not None, "there is a step when something is due"
        self._tell(pod, DELAYED, deletion.waiting(self._step, self._since, self._why))
        self._due = self._clock.now() + timedelta(seconds=self._again)
        self._again = min(self._again * 2, _RARELY)

    def _tell(self, pod: Pod, reason: str, text: str) -> None:
        self._events.event(pod, "Warning", reason, text)
        logger.warning("deletion is delayed", extra={"pod": pod_key(pod), "why": text})

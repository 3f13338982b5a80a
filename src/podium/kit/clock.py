"""Time as a port: real in production, moved by hand in tests.

Nothing that decides reads a clock; what waits asks one of these, so that a test runs an hour of
back-off in milliseconds.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol


class Clock(Protocol):
    """The current time, and waiting for it to pass."""

    def now(self) -> datetime:
        """Wall time: aware, UTC, with microseconds."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary origin; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    async def wait(self, event: asyncio.Event, at_most: float | None, slack: float = 0.0) -> bool:
        """Wait for *event*, for *at_most* seconds (for ever when None); tell whether it is set.

        Who can wait for up to *slack* seconds longer is woken together with others who can, as a
        process that has just been asleep is slow. Virtual time is exact.
        """
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, at_most: float | None, slack: float = 0.0) -> bool:
        if event.is_set():
            return True
        until = None if at_most is None else _moment(_loop_time() + at_most, slack)
        try:
            async with asyncio.timeout_at(until):
                await event.wait()
        except TimeoutError:
            return event.is_set()
        return True


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _moment(due: float, slack: float) -> float:
    """When to wake who is *due*: at a multiple of *slack*, as others are."""
    return math.ceil(due / slack) * slack if slack else due


class VirtualClock:
    """A clock that stands still until :meth:`advance` moves it, waking sleepers in order."""

    def __init__(self, start: datetime = datetime(2025, 1, 13, 7, 30, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        await self._timer(seconds)

    async def wait(
        self,
        event: asyncio.Event,
        at_most: float | None,
        slack: float = 0.0,  # noqa: ARG002 - nobody is late here
    ) -> bool:
        if event.is_set() or at_most is None:
            await event.wait()
            return True
        timer = self._timer(at_most)
        waiter = asyncio.ensure_future(event.wait())
        either: set[asyncio.Future[Any]] = {timer, waiter}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            waiter.cancel()
        return event.is_set()

    @property
    def next_deadline(self) -> float | None:
        """Seconds until the first sleeper is due, None when nobody sleeps."""
        due = [when for when, _, future in self._sleepers if not future.done()]
        return min(due) - self._elapsed if due else None

    async def advance(self, seconds: float, *, settle: int = 20) -> None:
        """Move on by *seconds*; each sleeper that comes due runs before time goes further.

        *settle* is how many turns of the event loop the woken tasks get at each stop.
        """
        target = self._elapsed + seconds
        await _turns(settle)
        while self._sleepers and self._sleepers[0][0] <= target:
            when, _, future = heapq.heappop(self._sleepers)
            if future.done():
                continue
            self._elapsed = max(self._elapsed, when)
            future.set_result(None)
            await _turns(settle)
        self._elapsed = target
        await _turns(settle)

    def _timer(self, seconds: float) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), future))
        return future


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)

"""Work for a Pod that is given up when the Pod is to end and the work does not soon."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from podium.kit.clock import Clock

#: Seconds that work gets yet when it is no longer wanted: most is done long before.
PATIENCE = 5.0
#: The job that waits for that.
JOB = "cut short"


class CutShort:
    """A scope that the worker enters with each turn."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._timeout: asyncio.Timeout | None = None

    @contextlib.asynccontextmanager
    async def scope(self) -> AsyncIterator[None]:
        """Raises TimeoutError where what is done in it is cut short."""
        async with asyncio.timeout(None) as self._timeout:
            try:
                yield
            finally:
                self._timeout = None

    async def unwanted(self) -> None:
        """Cut the present turn short, in a while."""
        turn = self._timeout
        await self._clock.sleep(PATIENCE)
        if turn is not None and turn is self._timeout:
            turn.reschedule(asyncio.get_running_loop().time())

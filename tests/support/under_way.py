"""What is under way in this process and takes real time: virtual time has to wait for it.

    with UnderWay() as work:
        ...
        await work.done()
        await clock.advance(1)

Otherwise an hour of a test may go by while a slow disk writes one status.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self

from podium.client.transport import Transport
from podium.kit.bounded import THREAD

#: Turns of the event loop after which what was answered has arrived everywhere: the answer at who
#: asked, the news of it by the watches.
_TURNS = 60
#: Seconds between two looks at what is still under way.
_PAUSE = 0.0005


class UnderWay:
    """Requests to API servers, and work in threads; use as a context manager."""

    def __init__(self) -> None:
        self._requests = 0
        self._threads = _Threads()

    def __enter__(self) -> Self:
        self._once = once = Transport._once

        async def counted(transport: Transport, *about: Any) -> Any:
            self._requests += 1
            try:
                return await once(transport, *about)
            finally:
                self._requests -= 1

        Transport._once = counted  # type: ignore[method-assign]
        asyncio.get_running_loop().set_default_executor(self._threads)
        return self

    def __exit__(self, *error: object) -> None:
        Transport._once = self._once  # type: ignore[method-assign]

    async def done(self) -> None:
        """Return once nothing has been under way for a while, told in turns of the event loop.

        What never comes to an end is the test's own time limit's.
        """
        turns = 0
        while turns < _TURNS:
            busy = bool(self._requests or self._threads.pending or _apart())
            turns = 0 if busy else turns + 1
            await asyncio.sleep(_PAUSE if busy else 0)


def _apart() -> bool:
    return any(thread.name == THREAD for thread in threading.enumerate())


class _Threads(ThreadPoolExecutor):
    """Counts what is to be done."""

    def __init__(self) -> None:
        super().__init__(4)
        self.pending = 0

    def submit(self, function: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        self.pending += 1
        future = super().submit(function, *args, **named)
        future.add_done_callback(self._over)
        return future

    def _over(self, _future: Future[Any]) -> None:
        self.pending -= 1

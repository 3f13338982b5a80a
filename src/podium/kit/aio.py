"""Running a process's one coroutine until it ends or a signal asks it to."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

import uvloop


def run(main: Coroutine[Any, Any, None]) -> int:
    """Run *main* on uvloop; SIGTERM and SIGINT cancel it. Return the exit code: 0 for both ends."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_until_signalled(main))


async def _until_signalled(main: Coroutine[Any, Any, None]) -> int:
    loop = asyncio.get_running_loop()
    signalled = False
    async with asyncio.TaskGroup() as group:
        task = group.create_task(main)

        def stop() -> None:
            nonlocal signalled
            signalled = True
            task.cancel()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
    if task.cancelled() and not signalled:
        raise asyncio.CancelledError
    return 0

"""Running a process's one coroutine until it ends or a signal asks it to."""

from __future__ import annotations

import asyncio
import resource
import signal
from collections.abc import Coroutine
from typing import Any

import uvloop

from podium.kit import collector

_FILES = 65_536


class GracefulStop:
    """The wish that something end by itself, for what has things to do first."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._heard = False

    def ask(self) -> bool:
        """Ask once; tell whether somebody listens who has not been asked before."""
        fresh = self._heard and not self._asked.is_set()
        self._asked.set()
        return fresh

    async def asked(self) -> None:
        """Listen, and return when it is time to end."""
        self._heard = True
        await self._asked.wait()


def run(main: Coroutine[Any, Any, None], stop: GracefulStop | None = None) -> int:
    """Run *main* on uvloop; SIGTERM and SIGINT cancel it. Return the exit code: 0 for both ends.

    Where *main* listens to *stop*, the first SIGTERM asks it to end by itself. It may have as many
    files open as the process is allowed, up to 65,536, and its garbage collector looks seldom.
    """
    _allow_files()
    collector.seldom()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_until_signalled(main, stop))


def _allow_files() -> None:
    """Raise the soft limit, which is 1,024 for the sake of select(2), as Go's programs do."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _until_signalled(main: Coroutine[Any, Any, None], graceful: GracefulStop | None) -> int:
    loop = asyncio.get_running_loop()
    signalled = False
    async with asyncio.TaskGroup() as group:
        task = group.create_task(main)

        def stop(number: int) -> None:
            nonlocal signalled
            signalled = True
            if number != signal.SIGTERM or graceful is None or not graceful.ask():
                task.cancel()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop, number)
    if task.cancelled() and not signalled:
        raise asyncio.CancelledError
    return 0

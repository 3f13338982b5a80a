"""Work that nobody waits for longer than it may take."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from podium.kit.clock import Clock

T = TypeVar("T")

#: What threads are called that :func:`in_daemon_thread` makes.
THREAD = "podium-apart"


async def within(clock: Clock, seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Return what *work* does; after *seconds* cancel it and raise TimeoutError.

    What *work* does when it is cancelled is waited for.
    """
    task, over = asyncio.ensure_future(work), asyncio.Event()
    task.add_done_callback(lambda _: over.set())
    try:
        await clock.wait(over, seconds)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.exception()  # seen, also where it is us who are cancelled
    if task.cancelled():
        raise TimeoutError
    return task.result()


class Broken(RuntimeError):
    """Work has ended by a bug, of which the thread that did it has told."""


async def in_daemon_thread(
    seconds: float | None,
    work: Callable[[], T],
    *,
    raises: type[Exception] = OSError,
    name: str = THREAD,
) -> T:
    """Return what *work* does in a thread of its own; after *seconds*, where given, raise
    TimeoutError.

    For what may hang, as file systems that are dead do: the thread is then left to itself, takes
    no place of others, and does not keep the process from ending. So it is where who waits is
    cancelled. *work* may raise *raises*; anything else is a bug, and Broken here.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if outcome.done():
            return
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: T | None = None
        error: Exception | None = Broken("work in a thread has failed")
        try:
            result, error = work(), None
        except raises as exc:
            error = exc
        finally:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True, name=name).start()
    async with asyncio.timeout(seconds):
        return await outcome

"""Blocking work beside the event loop, that is never left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

T = TypeVar("T")


async def run_in_thread(
    function: Callable[[], T],
    on_cancel: Callable[[], None] | None = None,
    pool: Executor | None = None,
) -> T:
    """As ``asyncio.to_thread``, but a cancelled caller gets away only when the thread has finished.

    What the thread uses (descriptors, directories) may therefore be closed by the caller.
    *on_cancel* tells a long function to stop. What takes long needs a *pool* of its own: those of
    the event loop are few, and everybody's.
    """
    work = asyncio.get_running_loop().run_in_executor(pool, function)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        if on_cancel is not None:
            on_cancel()
        while not work.done():
            try:
                await asyncio.wait((work,))
            except asyncio.CancelledError:
                continue  # asked twice; the answer is the same
        if not work.cancelled():
            work.exception()  # seen; the cancellation is what the caller gets
        raise

"""The event loop's own time, for timeouts that no clock of ours rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def jumping() -> Iterator[Callable[[float], None]]:
    """Yield what lets seconds pass at once in the running loop.

    A test of a timeout lets it pass when all that has to come before has come, however long that
    took.
    """
    loop = asyncio.get_running_loop()
    now, passed = loop.time, 0.0

    def jump(seconds: float) -> None:
        nonlocal passed
        passed += seconds

    loop.time = lambda: now() + passed  # type: ignore[method-assign]
    try:
        yield jump
    finally:
        loop.time = now  # type: ignore[method-assign]

"""The C library's heap.

glibc gives threads heaps of their own, and each keeps what the largest work in it has ever taken.
Where the interpreter lets one thread work at a time they gain nothing by that. Of what is free
again it gives back only the end: whatever lies there keeps all that is below it.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
from typing import Any

_M_ARENA_MAX = -8  # <malloc.h>
#: Bytes that are free again before it is worth while to look for them, and the seconds without
#: more of them after which that is done, so that it is done once for many.
WORTH_WHILE = 8 * 1024 * 1024
QUIET = 2.0


def share() -> None:
    """Have all threads to come share one heap; of other C libraries than glibc they do anyway."""
    mallopt = _glibc("mallopt")
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def trim() -> None:
    """Give what is free back to the system, wherever it lies."""
    gc.collect()  # the interpreter's own reserves of small objects, too
    malloc_trim = _glibc("malloc_trim")
    if malloc_trim is not None:
        malloc_trim(0)


class Thrift:
    """Has :func:`trim` called when much has been let go of, and costs nothing at other times."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._free = 0
        self._timer: asyncio.TimerHandle | None = None

    def freed(self, size: int) -> None:
        """Note that about *size* bytes are free, or will be in a moment."""
        self._free += size
        if self._free < WORTH_WHILE:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(QUIET, self._trim)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _trim(self) -> None:
        self._free, self._timer = 0, None
        trim()


def _glibc(name: str) -> Any:
    """Return a function of the C library's, None of one that has no such."""
    return getattr(ctypes.CDLL(None), name, None)

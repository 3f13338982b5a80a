"""The C library's heap.

glibc gives threads heaps of their own, and each keeps what the largest work in it has ever taken.
Where the interpreter lets one thread work at a time they gain nothing by that.
"""

from __future__ import annotations

import ctypes

_M_ARENA_MAX = -8  # <malloc.h>


def share() -> None:
    """Have all threads to come share one heap; of other C libraries than glibc they do anyway."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)

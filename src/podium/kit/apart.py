"""Work that takes long, done in a thread so that other requests go on meanwhile.

What bodies stand for is told only by reading them, and reading the worst of 3 MiB takes a second
or two; the interpreter changes threads every few milliseconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, TypeVar

T = TypeVar("T")

#: Bytes up to which work is done at once: less than that is never long.
SMALL = 64 * 1024
#: A size to give for work that is long whatever the body.
LARGE = SMALL + 1
_THREADS = 2


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="apart")


async def apart(size: int, function: Callable[..., T], *args: Any, **named: Any) -> T:
    """Return what *function* returns for a body of *size* bytes, raising what it raises."""
    if size <= SMALL:
        return function(*args, **named)
    work = partial(function, *args, **named)
    return await asyncio.get_running_loop().run_in_executor(_pool(), work)

"""The loop that every controller runs on: take a key, reconcile it, again later if that failed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from typing import TypeVar

from podium.api.errors import ApiError
from podium.client.errors import REQUEST_ERRORS
from podium.client.workqueue import WorkQueue
from podium.kit.guard import guarded

logger = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)


async def work(
    name: str, queue: WorkQueue[K], reconcile: Callable[[K], Awaitable[None]], *, workers: int = 2
) -> None:
    """Reconcile what comes out of *queue*, *workers* keys at a time, until cancelled.

    *reconcile* reads what it needs from its informers and may raise what requests raise; the key
    then comes back after a delay that grows with each failure in a row.
    """
    queue.measure(name)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(workers):
            tasks.create_task(_worker(name, queue, reconcile), name=name)


async def _worker(
    name: str, queue: WorkQueue[K], reconcile: Callable[[K], Awaitable[None]]
) -> None:
    while True:
        key = await queue.get()
        if not await guarded(_turn(name, queue, reconcile, key), name, key=key):
            queue.add_rate_limited(key)
        queue.done(key)


async def _turn(
    name: str, queue: WorkQueue[K], reconcile: Callable[[K], Awaitable[None]], key: K
) -> None:
    try:
        await reconcile(key)
    except REQUEST_ERRORS as exc:
        delay = queue.add_rate_limited(key)
        expected = isinstance(exc, ApiError) and exc.code == 409  # our copy was old
        logger.log(
            logging.DEBUG if expected else logging.WARNING,
            "reconciling failed",
            extra={"controller": name, "key": key, "error": exc, "retry_in": f"{delay:.3f}s"},
        )
    else:
        queue.forget(key)

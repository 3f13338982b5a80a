"""Pulls that wait for each other: as many at a time as the node allows, and one image once.

Who wants an image that is being pulled already, with the same credentials, waits for that and
shares what comes of it, success or failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextlib import AbstractAsyncContextManager, nullcontext

import msgspec

from podium.kit.clock import Clock
from podium.runtime.image_port import Image
from podium.runtime.port import RuntimeFailure


class Pulled(msgspec.Struct, frozen=True):
    """*outcome* is the image, or why there is none; moments are those of the clock that goes on."""

    outcome: Image | RuntimeFailure
    began: float
    ended: float


class _Shared(msgspec.Struct):
    lock: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)
    users: int = 0
    latest: Pulled | None = None


class PullQueue:
    """*at_once* pulls are under way at most; any number where it is None."""

    def __init__(self, at_once: int | None, clock: Clock) -> None:
        self._clock = clock
        self._slots = asyncio.Semaphore(at_once) if at_once else None
        self._shared: dict[Hashable, _Shared] = {}

    async def pull(self, key: Hashable, work: Callable[[], Awaitable[Image]]) -> Pulled:
        """Have *work* done, or share what others of the same *key* have done since now."""
        asked = self._clock.monotonic()
        shared = self._shared.setdefault(key, _Shared())
        shared.users += 1
        try:
            async with shared.lock:
                latest = shared.latest
                if latest is not None and latest.ended >= asked:
                    return latest
                async with self._slot():
                    shared.latest = pulled = await self._work(work)
                return pulled
        finally:
            shared.users -= 1
            if not shared.users:
                self._shared.pop(key, None)

    def _slot(self) -> AbstractAsyncContextManager[object]:
        return self._slots or nullcontext()

    async def _work(self, work: Callable[[], Awaitable[Image]]) -> Pulled:
        began = self._clock.monotonic()
        outcome: Image | RuntimeFailure
        try:
            outcome = await work()
        except RuntimeFailure as exc:
            outcome = exc
        return Pulled(outcome, began, self._clock.monotonic())

"""A number of bytes that is shared: who does not fit waits until others have gone."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Room:
    """Bytes that may be taken up at a time.

    Those who wait get in one after the other, the owners in turns: many requests of one owner keep
    another one waiting for one of them. Nobody overtakes, so that large ones get in, too.
    """

    def __init__(self, size: int) -> None:
        self._size, self._taken = size, 0
        self._waiting: dict[str, deque[tuple[int, asyncio.Future[None]]]] = {}

    async def take(self, owner: str, size: int) -> None:
        """Take up *size* bytes as soon as they are there; who wants more than all gets all.

        To be given back by :meth:`give`, unless this is cancelled.
        """
        size = min(size, self._size)
        if not self._waiting and self._taken + size <= self._size:
            self._taken += size
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._let_in()  # those behind may fit
            else:
                self.give(size)  # it has come, and nobody is there
            raise

    @asynccontextmanager
    async def taken(self, owner: str, size: int) -> AsyncIterator[None]:
        """Have *size* bytes for the body, as soon as they are there."""
        await self.take(owner, size)
        try:
            yield
        finally:
            self.give(size)

    def give(self, size: int) -> None:
        """Give *size* bytes back that were taken."""
        self._taken -= min(size, self._size)
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting:
            owner, line = next(iter(self._waiting.items()))
            size, turn = line[0]
            if not turn.done() and self._taken + size > self._size:
                return
            line.popleft()
            del self._waiting[owner]
            if line:
                self._waiting[owner] = line  # behind the others
            if not turn.done():
                self._taken += size
                turn.set_result(None)

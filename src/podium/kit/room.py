"""A number of bytes that is shared: who does not fit waits until others have gone."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Room:
    """Bytes that may be taken up at a time, and how many of them by one owner.

    Those who wait get in one after the other, the owners in turns: many requests of one owner keep
    another one waiting for one of them. Nobody overtakes, so that large ones get in, too; but who
    waits for others of his own owner is in nobody's way.
    """

    def __init__(self, size: int, alone: int | None = None) -> None:
        self._size, self._alone, self._taken = size, alone or size, 0
        self._owned: dict[str, int] = {}
        self._waiting: dict[str, deque[tuple[int, asyncio.Future[None]]]] = {}

    async def take(self, owner: str, size: int) -> None:
        """Take up *size* bytes as soon as they are there; who wants more than he may have gets
        that much.

        To be given back by :meth:`give`, unless this is cancelled.
        """
        size = min(size, self._alone)
        if not self._waiting and self._fits(owner, size):
            self._admit(owner, size)
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append((size, turn))
        self._let_in()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._let_in()  # those behind may fit
            else:
                self.give(owner, size)  # it has come, and nobody is there
            raise

    @asynccontextmanager
    async def taken(self, owner: str, size: int) -> AsyncIterator[None]:
        """Have *size* bytes for the body, as soon as they are there."""
        await self.take(owner, size)
        try:
            yield
        finally:
            self.give(owner, size)

    def give(self, owner: str, size: int) -> None:
        """Give *size* bytes back that were taken."""
        size = min(size, self._alone)
        self._taken -= size
        left = self._owned[owner] - size
        if left:
            self._owned[owner] = left
        else:
            del self._owned[owner]
        self._let_in()

    def _admit(self, owner: str, size: int) -> None:
        self._taken += size
        self._owned[owner] = self._owned.get(owner, 0) + size

    def _fits(self, owner: str, size: int) -> bool:
        return self._taken + size <= self._size and self._may(owner, size)

    def _may(self, owner: str, size: int) -> bool:
        return self._owned.get(owner, 0) + size <= self._alone

    def _let_in(self) -> None:
        while (owner := self._next()) is not None:
            line = self._waiting.pop(owner)
            size, turn = line.popleft()
            if line:
                self._waiting[owner] = line  # behind the others
            if not turn.done():
                self._admit(owner, size)
                turn.set_result(None)

    def _next(self) -> str | None:
        """Return the owner whose first is to leave the line: to get in, or as it has given up."""
        for owner, line in self._waiting.items():
            size, turn = line[0]
            if turn.done():
                return owner
            if self._may(owner, size):
                return owner if self._fits(owner, size) else None
        return None

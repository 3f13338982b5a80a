"""What the bodies of requests make the server take up while they come and are worked on.

Decoded, a body takes up to fifty times its own size, and so does what is said of one that is wrong:
a few hostile ones at once would be a server's end. Bodies of some size therefore wait, once they
have come, for room among others; and as those that wait are in memory, bodies wait before they are
read, too: in the client. What was taken is given back when the answer has been made.
"""

from __future__ import annotations

import asyncio

import msgspec

from podium.apiserver.inflight import TooManyRequests
from podium.kit.room import Room

#: Bytes of bodies that are worked on at a time; small ones are not counted.
ROOM = 1024 * 1024
#: Bytes of bodies that have come, or are about to, and how many of those one user's may be: who
#: sends slowly keeps what he has announced.
ARRIVING, OF_ONE = 24 * ROOM, 12 * ROOM
#: Seconds that a body waits before it is read; its client is then asked to come again.
PATIENCE = 60.0


class Rooms(msgspec.Struct, frozen=True):
    """What the requests of one server share."""

    arriving: Room = msgspec.field(default_factory=lambda: Room(ARRIVING, OF_ONE))
    work: Room = msgspec.field(default_factory=lambda: Room(ROOM))


class Share:
    """What one request has taken up, *owner* being who made it."""

    def __init__(self, rooms: Rooms | None = None) -> None:
        self.owner = ""
        self._rooms = rooms
        self._taken: list[tuple[Room, str, int]] = []

    async def announce(self, size: int) -> None:
        """Wait until a body of *size* bytes may come. To be called once. Raises TooManyRequests."""
        if self._rooms is None:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await self._take(self._rooms.arriving, size)
        except TimeoutError:
            raise TooManyRequests from None

    async def work(self, size: int) -> None:
        """Wait until a body of *size* bytes may be worked on. To be called once."""
        if self._rooms is not None:
            await self._take(self._rooms.work, size)

    async def _take(self, room: Room, size: int) -> None:
        owner = self.owner
        await room.take(owner, size)
        self._taken.append((room, owner, size))

    def __enter__(self) -> Share:
        """Its body is the work."""
        return self

    def __exit__(self, *error: object) -> None:
        for room, owner, size in self._taken:
            room.give(owner, size)
        self._taken.clear()

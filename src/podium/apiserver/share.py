"""What the bodies of requests make the server take up while they are worked on.

Decoded, a body takes up to fifty times its own size, and so does what is said of one that is wrong:
a few hostile ones at once would be a server's end. Bodies of some size therefore wait, once they
have come, for room among others; it is given back when the answer has been made.
"""

from __future__ import annotations

from podium.kit.room import Room

#: Bytes of bodies that are worked on at a time; small ones are not counted.
ROOM = 1024 * 1024


class Share:
    """What one request has taken up, *owner* being who made it."""

    def __init__(self, room: Room | None = None) -> None:
        self.owner = ""
        self._room, self._taken = room, 0

    async def take(self, size: int) -> None:
        """To be called once."""
        if self._room is not None:
            await self._room.take(self.owner, size)
            self._taken = size

    def __enter__(self) -> Share:
        """Its body is the work."""
        return self

    def __exit__(self, *error: object) -> None:
        if self._room is not None and self._taken:
            self._room.give(self._taken)

"""The end of a connection whose bytes nobody reads.

Who holds a peer back does not come to the end behind what the peer has sent: reading would show it,
but nothing is read. What is sent to a peer that has gone is refused by its machine all the same, or
never acknowledged; the kernel knows of either.
"""

from __future__ import annotations

import asyncio
import fcntl
import select
import socket
import struct
import termios
from contextlib import suppress

from podium.kit import descriptors

#: Seconds without a byte's progress after which a connection takes nothing any more.
STUCK = 3.0
#: Seconds that the last bytes of a peer that has gone may take, if they do get on.
_LAST_BYTES = 30.0
_LOOK = 0.02
#: Seconds between looks whether a peer still acknowledges what is sent, and how long it may not.
_CHECK = 15.0
_SILENCE = 60.0
_INFO_SIZE = 60


async def broken(transport: asyncio.BaseTransport) -> None:
    """Return when the connection is broken off, by the peer or because it has vanished.

    An orderly end is not seen here: what came before it is still to be read. Of what is no TCP none
    is: the kernel does not tell the two apart there.
    """
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.family not in (socket.AF_INET, socket.AF_INET6):
        await asyncio.get_running_loop().create_future()
    with select.epoll() as watch:  # it can be waited for as what it watches can
        try:
            watch.register(_descriptor(transport), 0)  # errors are told of without being asked for
            while not _is_silent(transport):
                with suppress(TimeoutError):
                    async with asyncio.timeout(_CHECK):
                        await descriptors.readable(watch.fileno())
                        return
        except (OSError, ValueError):
            return  # it is closed on this side


def _is_silent(transport: asyncio.BaseTransport) -> bool:
    connection = transport.get_extra_info("socket")
    return silent(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_SIZE))


def silent(info: bytes) -> bool:
    """Read from a connection's ``struct tcp_info`` whether its peer acknowledges nothing any more.

    One that only has no room for more still answers when it is asked for some.
    """
    unacknowledged, last = (
        struct.unpack_from("I", info, 24)[0],
        struct.unpack_from("I", info, 56)[0],
    )
    return bool(unacknowledged and last > _SILENCE * 1000)


async def taken(transport: asyncio.WriteTransport) -> bool:
    """Return whether the peer takes all that was written; False once nothing moves any more."""
    loop = asyncio.get_running_loop()
    begin = moved = loop.time()
    before = -1
    while left := _untaken(transport):
        now = loop.time()
        moved = now if left != before else moved
        if now - moved >= STUCK or now - begin >= _LAST_BYTES:
            return False
        before = left
        await asyncio.sleep(_LOOK)
    return True


def _untaken(transport: asyncio.WriteTransport) -> int:
    try:
        answer = fcntl.ioctl(_descriptor(transport), termios.TIOCOUTQ, bytes(4))
    except (OSError, ValueError):
        return 0  # closed: nobody will take anything
    queued: int = struct.unpack("i", answer)[0]
    return queued + transport.get_write_buffer_size()


def break_off(transport: asyncio.WriteTransport) -> None:
    """Close at once, and have the peer know it even where it reads nothing: by a reset."""
    connection = transport.get_extra_info("socket")
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _descriptor(transport: asyncio.BaseTransport) -> int:
    found = transport.get_extra_info("socket")
    descriptor: int = -1 if found is None else found.fileno()
    if descriptor < 0:
        raise ValueError("closed")
    return descriptor

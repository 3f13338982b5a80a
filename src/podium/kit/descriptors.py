"""Reading and writing file descriptors that do not block: pipes, terminals, sockets.

Nothing is read before it is asked for and nothing is kept, so that who reads slowly holds back who
writes. Descriptors are the caller's, set to non-blocking by :func:`prepare`.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os

#: The most that one read returns, in bytes.
CHUNK = 64 * 1024
_PIPE_SIZE = 1 << 20


def prepare(descriptor: int) -> int:
    """Set *descriptor* to non-blocking, and let a pipe hold what the kernel allows; return it."""
    os.set_blocking(descriptor, False)
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
    except OSError as exc:
        if exc.errno not in (errno.EBADF, errno.EPERM, errno.EINVAL):  # no pipe, or too many
            raise
    return descriptor


async def read(descriptor: int) -> bytes:
    """Return what comes next, b"" at the end. A terminal whose other side is closed has ended."""
    while True:
        try:
            return os.read(descriptor, CHUNK)
        except BlockingIOError:
            await _ready(descriptor, writing=False)
        except OSError as exc:
            if exc.errno in (errno.EIO, errno.ECONNRESET):
                return b""
            raise


async def write(descriptor: int, data: bytes) -> None:
    """Write all of *data*. Raises BrokenPipeError when nobody reads any more."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            await _ready(descriptor, writing=True)
        except OSError as exc:
            if exc.errno in (errno.EIO, errno.ECONNRESET):
                raise BrokenPipeError(exc.errno, exc.strerror) from exc
            raise


async def readable(descriptor: int) -> None:
    """Return when there is something to read, be it an end."""
    await _ready(descriptor, writing=False)


async def writable(descriptor: int) -> None:
    """Return when it takes more, or takes no more at all."""
    await _ready(descriptor, writing=True)


async def _ready(descriptor: int, *, writing: bool) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def found() -> None:
        if not ready.done():
            ready.set_result(None)

    if writing:
        loop.add_writer(descriptor, found)
    else:
        loop.add_reader(descriptor, found)
    try:
        await ready
    finally:
        if writing:
            loop.remove_writer(descriptor)
        else:
            loop.remove_reader(descriptor)

"""Attach: the streams of a container's own process, through its conmon.

conmon listens on a socket of packets beside the bundle: each begins with a byte that names its
stream. What is written to the socket is the process's input, and the socket's end is the process's.
A FIFO takes the size of its terminal. https://github.com/containers/conmon (conn_sock.c, ctrl.c)
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from podium.kit import descriptors
from podium.runtime.oci import conmon
from podium.runtime.oci.engine import Engine, LiveContainer
from podium.runtime.port import ContainerState, RuntimeFailure
from podium.runtime.stream_port import StreamOptions

_STDOUT, _STDERR = 2, 3
#: A packet's byte for its stream, and as much as conmon puts behind it.
_PACKET = 1 + 32 * 1024


@asynccontextmanager
async def attach(
    engine: Engine, container_id: str, options: StreamOptions
) -> AsyncIterator[AttachedContainer]:
    """Join the streams; leaving does the process nothing, whatever it is about to read."""
    live = engine.container(container_id)
    if live.record.state is not ContainerState.RUNNING:
        state = live.record.state.value
        raise RuntimeFailure(f"container is in {state} state")
    bundle = engine.container_paths(container_id).bundle
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK) as connection:
        try:
            await _connect(connection, bundle / "attach")
        except OSError as exc:
            raise RuntimeFailure(f"failed to attach to container {container_id}: {exc}") from exc
        async with asyncio.TaskGroup() as tasks:
            attached = AttachedContainer(live, connection, bundle, options)
            name = f"attach {container_id[:12]}"
            working = [tasks.create_task(attached.sort(), name=name)]
            if live.record.config.tty:
                working.append(tasks.create_task(attached.tell_sizes(), name=name))
            try:
                yield attached
            finally:
                for task in working:
                    task.cancel()


async def _connect(connection: socket.socket, path: Path) -> None:
    """Connect by way of a descriptor: the path may be longer than an address can be."""
    directory = os.open(path.parent, os.O_PATH | os.O_CLOEXEC)
    try:
        address = f"/proc/self/fd/{directory}/{path.name}"
        await asyncio.get_running_loop().sock_connect(connection, address)
    finally:
        os.close(directory)


class AttachedContainer:
    """``AttachedProcess`` over conmon's socket."""

    def __init__(
        self, live: LiveContainer, connection: socket.socket, bundle: Path, options: StreamOptions
    ) -> None:
        self._live, self._connection, self._bundle, self._options = (
            live,
            connection,
            bundle,
            options,
        )
        #: The last, and one before: two that differ have what runs there draw all of it anew.
        self._sizes: deque[tuple[int, int]] = deque(maxlen=2)
        self._resized = asyncio.Event()
        #: One packet each at the most: who does not read holds the other back as well.
        self._stdout: asyncio.Queue[bytes] = asyncio.Queue(1)
        self._stderr: asyncio.Queue[bytes] = asyncio.Queue(1)

    async def sort(self) -> None:
        """Hand packets on to their streams, until the process's end."""
        while packet := await self._packet():
            queue = self._stderr if packet[0] == _STDERR else self._stdout
            wanted = self._options.stderr if queue is self._stderr else self._options.stdout
            if wanted and len(packet) > 1:
                await queue.put(packet[1:])
        for queue in (self._stdout, self._stderr):
            await queue.put(b"")

    async def _packet(self) -> bytes:
        try:
            return await asyncio.get_running_loop().sock_recv(self._connection, _PACKET)
        except ConnectionResetError:
            return b""

    async def read_stdout(self) -> bytes:
        return await _next(self._stdout) if self._options.stdout else b""

    async def read_stderr(self) -> bytes:
        wanted = self._options.stderr and not self._options.tty
        return await _next(self._stderr) if wanted else b""

    async def write_stdin(self, data: bytes) -> None:
        if not self._options.stdin or not self._live.record.config.stdin:
            raise BrokenPipeError
        for begin in range(0, len(data), _PACKET - 1):
            await descriptors.write(self._connection.fileno(), data[begin : begin + _PACKET - 1])

    def close_stdin(self) -> None:
        """conmon ends the process's input with this where it is to be open only once."""
        with contextlib.suppress(OSError):  # its other end is gone
            self._connection.shutdown(socket.SHUT_WR)

    def resize(self, width: int, height: int) -> None:
        self._sizes.append((height, width))
        self._resized.set()

    async def tell_sizes(self) -> None:
        """Hand on sizes of the terminal, until cancelled."""
        while True:
            await self._resized.wait()
            self._resized.clear()
            with contextlib.suppress(OSError):  # conmon has gone, and the terminal with it
                while self._sizes:
                    await conmon.tell(self._bundle, conmon.RESIZE, *self._sizes.popleft())

    async def wait(self) -> int:
        await self._live.exited.wait()
        return self._live.record.exit_code


async def _next(queue: asyncio.Queue[bytes]) -> bytes:
    data = await queue.get()
    if not data:
        queue.put_nowait(b"")  # the end stays the end
    return data

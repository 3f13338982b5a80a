"""Port-forward: each connection of the client's is one to a port of the Pod."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from podium.kit import descriptors
from podium.kit.numbers import number
from podium.kit.spdy.session import PeerGone, Session, Stream
from podium.kubelet.streaming.spdy import CREATION_TIMEOUT
from podium.kubelet.streaming.websocket import Channels
from podium.runtime.port import RuntimeFailure

logger = logging.getLogger(__name__)

#: The last port there is.
LARGEST = 65535
#: Connects to a port of the Pod; raises RuntimeFailure.
Connect = Callable[[int], Awaitable[socket.socket]]


class Bytes(Protocol):
    """One end of a connection. Its calls raise PeerGone."""

    async def read(self) -> bytes: ...

    async def write(self, data: bytes) -> None: ...

    async def finish(self) -> None: ...


async def carry(data: Bytes, connection: socket.socket) -> None:
    """Move bytes both ways until both directions have ended; closes *connection*."""
    with connection:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_to_pod(data, connection))
            tasks.create_task(_from_pod(data, connection))


async def _to_pod(data: Bytes, connection: socket.socket) -> None:
    try:
        while piece := await data.read():
            await descriptors.write(connection.fileno(), piece)
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        # It takes no more; what it sends is still to come, and nobody else is to wait for it.
        while await data.read():
            pass


async def _from_pod(data: Bytes, connection: socket.socket) -> None:
    while piece := await descriptors.read(connection.fileno()):
        await data.write(piece)
    await data.finish()


class _Pair(msgspec.Struct):
    """The two streams of one connection, in whatever order they are opened."""

    streams: dict[str, Stream] = msgspec.field(default_factory=dict)
    complete: asyncio.Event = msgspec.field(default_factory=asyncio.Event)


class SpdyForwarder:
    """Connections over the streams of a session: a ``data`` and an ``error`` stream each."""

    def __init__(self, session: Session, connect: Connect, about: str) -> None:
        self._session, self._connect, self._about = session, connect, about
        self._pairs: dict[str, _Pair] = {}

    async def run(self) -> None:
        """Serve until the client goes away."""
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    stream = await self._session.next_stream()
                    key = stream.header("requestID") or stream.header("port")
                    pair = self._pairs.get(key)
                    if pair is None:
                        pair = self._pairs[key] = _Pair()
                        tasks.create_task(self._serve(key, pair), name=f"port-forward {key}")
                    pair.streams[stream.header("streamType")] = stream
                    if {"data", "error"} <= set(pair.streams):
                        pair.complete.set()
        except* PeerGone:
            logger.debug("the other end of a port-forward has gone")

    async def _serve(self, key: str, pair: _Pair) -> None:
        try:
            async with asyncio.timeout(CREATION_TIMEOUT):
                await pair.complete.wait()
            await self._forward(pair.streams["data"], pair.streams["error"])
        except TimeoutError:
            logger.debug("a port-forward has opened only one of its streams")
            for stream in pair.streams.values():
                await stream.reset()
        finally:
            del self._pairs[key]
            self._session.forget(*pair.streams.values())

    async def _forward(self, data: Stream, error: Stream) -> None:
        port = _port(data.header("port"))
        try:
            connection = await self._connect(port)
        except RuntimeFailure as exc:
            text = f"error forwarding port {port} to pod {self._about}: {exc}"
            await error.write(text.encode())
            await data.finish()
        else:
            await carry(data, connection)
        await error.finish()


class _Channel:
    """``Bytes`` of one channel of a WebSocket."""

    def __init__(self, channels: Channels, number: int) -> None:
        self._channels, self._number = channels, number

    async def read(self) -> bytes:
        return await self._channels.read(self._number)

    async def write(self, data: bytes) -> None:
        await self._channels.write(self._number, data)

    async def finish(self) -> None:
        """A channel has no end of its own; the connection's is that of all."""


async def forward_channels(
    channels: Channels, ports: list[int], connect: Connect, about: str
) -> None:
    """The older form: two channels a port, data and errors, each begun with the port's number."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for index, port in enumerate(ports):
                for number in (2 * index, 2 * index + 1):
                    await channels.write(number, port.to_bytes(2, "little"))
                tasks.create_task(_forward_channel(channels, index, port, connect, about))
    except* PeerGone:
        logger.debug("the other end of a port-forward has gone")


async def _forward_channel(
    channels: Channels, index: int, port: int, connect: Connect, about: str
) -> None:
    try:
        connection = await connect(port)
    except RuntimeFailure as exc:
        text = f"error forwarding port {port} to pod {about}: {exc}"
        await channels.write(2 * index + 1, text.encode())
    else:
        with connection:
            await _first_end(_Channel(channels, 2 * index), connection)


async def _first_end(data: Bytes, connection: socket.socket) -> None:
    """Move bytes until the Pod's end is over: a channel cannot say that ours is."""
    async with asyncio.TaskGroup() as tasks:
        inward = tasks.create_task(_to_pod(data, connection))
        await _from_pod(data, connection)
        inward.cancel()


def _port(text: str) -> int:
    return number(text, LARGEST) or 0

"""Bytes of a connection that never blocks, for who awaits them: a port-forward's streams."""

from __future__ import annotations

import asyncio

from podium.kit import descriptors
from podium.kubectl.errors import Unreachable
from podium.kubectl.web_socket import WebSocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podium.kubectl.spdy_socket import Bare


class Tunnel:
    """Bytes, or messages, in the form of a stream's reader and writer. Its calls raise OSError."""

    def __init__(self, socket: WebSocket | Bare) -> None:
        self._socket = socket
        self._draining = asyncio.Lock()  # who waits for a descriptor waits alone

    async def read(self, _limit: int) -> bytes:
        """Return what has come, b"" at the end."""
        while True:
            try:
                data = b"".join(self._socket.receive())
            except Unreachable as exc:
                raise ConnectionResetError(str(exc)) from exc
            if data or self._socket.ended:
                return data
            if self._socket.unsent:  # answers to signs of life
                await self.drain()
            await descriptors.readable(self._socket.fileno())

    def write(self, data: bytes) -> None:
        self._socket.send(data)

    async def drain(self) -> None:
        """Send what was written; return when all has gone."""
        async with self._draining:
            while True:
                try:
                    self._socket.flush()
                except Unreachable as exc:
                    raise ConnectionResetError(str(exc)) from exc
                if not self._socket.unsent:
                    return
                await descriptors.writable(self._socket.fileno())

    def close(self) -> None:
        """The socket is closed by who opened it."""

"""SPDY inside WebSocket messages, as newer kubectls forward ports."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, Self

from aiohttp import WSMessage, WSMsgType


class WebSocket(Protocol):
    """Either end's WebSocket, as aiohttp has them."""

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> WSMessage: ...

    def send_bytes(self, data: bytes) -> Awaitable[None]: ...


class Tunnel:
    """The bytes of a WebSocket's messages in the form of a stream's reader and writer."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._pending: list[bytes] = []

    async def read(self, _limit: int) -> bytes:
        """Return the next message, b"" at the end."""
        async for message in self._socket:
            if message.type is WSMsgType.BINARY and message.data:
                return bytes(message.data)
        return b""

    def write(self, data: bytes) -> None:
        self._pending.append(data)

    async def drain(self) -> None:
        """Send what was written; return when the connection takes more. Raises OSError."""
        while self._pending:
            await self._socket.send_bytes(self._pending.pop(0))

    def close(self) -> None:
        """The socket is closed by who opened it."""

"""TLS on a probe's connection."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import TypeVar

from podium.kubelet.probing.dial import Connection

T = TypeVar("T")
_ENDS = (ssl.SSLZeroReturnError, ssl.SSLEOFError)


class Secured:
    """Reads and writes as the connection beneath does, and raises what it raises, or SSLError."""

    def __init__(self, connection: Connection, context: ssl.SSLContext, host: str) -> None:
        self._connection = connection
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        name = host or None
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)

    async def greet(self) -> None:
        """The handshake. Raises EOFError where the other side leaves in the middle of it."""
        try:
            await self._done(self._tls.do_handshake)
        except _ENDS:
            raise EOFError("EOF") from None

    async def send(self, data: bytes) -> None:
        await self._done(lambda: self._tls.write(data))

    async def receive(self) -> bytes:
        """Return what has come, which is nothing at the end, announced or not."""
        try:
            return await self._done(lambda: self._tls.read(65536))
        except _ENDS:
            return b""

    async def _done(self, step: Callable[[], T]) -> T:
        """Repeat *step* until it needs nothing more of the other side."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                await self._connection.send(self._outgoing.read())
                came = await self._connection.receive()
                if came:
                    self._incoming.write(came)
                else:
                    self._incoming.write_eof()
            else:
                await self._connection.send(self._outgoing.read())
                return result

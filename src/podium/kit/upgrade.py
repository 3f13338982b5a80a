"""An HTTP connection that becomes something else: aiohttp's, taken over after ``101``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

#: Bytes that are read ahead of who reads, twice; more has to wait with the peer.
_LIMIT = 256 * 1024


class Upgraded(web.StreamResponse):
    """The answer of a handler whose connection was taken over: sent already, with no body."""


@asynccontextmanager
async def take_over(
    request: web.BaseRequest, headers: Mapping[str, str]
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter, Upgraded]]:
    """Answer 101 with *headers*; yield the bare connection, and what the handler has to return.

    Leaving closes the connection. A peer that goes away is seen at the end of what is read.
    """
    response = Upgraded(status=101, headers=headers)
    await response.prepare(request)
    transport, protocol = request.transport, request.protocol
    if transport is None:
        raise ConnectionResetError("the client has gone")
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_LIMIT, loop=loop)
    tunnel = _Tunnel(reader, protocol, loop)
    transport.set_protocol(tunnel)
    tunnel.connection_made(transport)
    writer = asyncio.StreamWriter(transport, tunnel, reader, loop)
    try:
        yield reader, writer, response
    finally:
        if not tunnel.lost:
            transport.set_protocol(protocol)  # it counts its connections, and hears of their end
            transport.close()


class _Tunnel(asyncio.StreamReaderProtocol):
    def __init__(
        self,
        reader: asyncio.StreamReader,
        former: asyncio.BaseProtocol,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(reader, loop=loop)
        self._former = former
        self.lost = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        super().connection_lost(exc)
        self._former.connection_lost(exc)

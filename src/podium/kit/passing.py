"""A request that turns into something else than HTTP, passed on as it is to who answers it.

Who passes it on speaks none of the protocols that travel here: it sends the request on with the
headers that ask for the change, and after ``101`` carries bytes both ways, no faster than they are
taken. Follows ``k8s.io/apimachinery/pkg/util/proxy`` (``UpgradeAwareHandler``).
"""

from __future__ import annotations

import asyncio
import http.client
import io
import os
import ssl
from collections.abc import Mapping

import msgspec
from aiohttp.web import BaseRequest, Response, StreamResponse
from multidict import CIMultiDict

from podium.kit import ending
from podium.kit.peers import notice_dead_peers, wait_for_reader
from podium.kit.upgrade import take_over

#: Seconds to reach the other side; what it then sends may take any time.
CONNECT_TIMEOUT = 10.0
_LIMIT = 256 * 1024
_CHUNK = 64 * 1024
#: How much of a refusal is passed on, in bytes.
_REFUSAL_LIMIT = 64 * 1024


class NotReached(Exception):
    """Nobody answers there, or not in HTTP; the text is upstream's."""


class Target(msgspec.Struct, frozen=True):
    """Where a request goes; ``path`` with its query, as it is to stand in the request line."""

    host: str
    port: int
    path: str
    tls: ssl.SSLContext | None = None

    @property
    def authority(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def wanted(request: BaseRequest) -> bool:
    """Whether the client asks for a change of protocol."""
    asked = request.headers.get("Connection", "").lower()
    return "upgrade" in asked and "Upgrade" in request.headers


async def pass_on(
    request: BaseRequest, target: Target, headers: CIMultiDict[str]
) -> StreamResponse:
    """Send *request* with *headers* to *target* and carry what follows; a refusal comes back as it
    is. Raises NotReached.
    """
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            reader, writer = await asyncio.open_connection(
                target.host, target.port, ssl=target.tls, limit=_LIMIT
            )
    except (OSError, TimeoutError) as exc:
        errno = exc.errno or 0
        why = f"connect: {os.strerror(errno).lower()}" if errno > 0 else str(exc)
        text = f"error dialing backend: dial tcp {target.authority}: {why or 'i/o timeout'}"
        raise NotReached(text) from exc
    connection = writer.get_extra_info("socket")
    notice_dead_peers(connection)
    wait_for_reader(connection, True)
    try:
        writer.write(_head(request, target, headers))
        try:
            status, answered = await _answer(reader)
            if status >= 400:
                return await _refusal(reader, status, answered)
        except (OSError, ValueError, EOFError) as exc:
            raise NotReached(f"error dialing backend: {exc}") from exc
        if status != 101:
            text = f"invalid upgrade response: status code {status}"
            raise NotReached(text)
        async with take_over(request, answered) as (client, to_client, response):
            await _carry((client, to_client), (reader, writer))
        return response
    finally:
        writer.close()


def _head(request: BaseRequest, target: Target, headers: CIMultiDict[str]) -> bytes:
    lines = [f"{request.method} {target.path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")


async def _answer(reader: asyncio.StreamReader) -> tuple[int, CIMultiDict[str]]:
    """Read the head of an answer. Raises ValueError, EOFError."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as exc:
        raise ValueError("the answer has no end of headers") from exc
    line, _, rest = head.partition(b"\r\n")
    parts = line.split(b" ", 2)
    if len(parts) < 2 or not parts[0].startswith(b"HTTP/1.") or not parts[1].isdigit():
        raise ValueError(f"malformed HTTP response {line!r}")
    parsed = http.client.parse_headers(io.BytesIO(rest))
    return int(parts[1]), CIMultiDict(parsed.items())


async def _refusal(
    reader: asyncio.StreamReader, status: int, headers: Mapping[str, str]
) -> StreamResponse:
    """Raises ValueError, EOFError."""
    length = headers.get("Content-Length", "")
    body = b""
    if length.isdigit():
        body = await reader.readexactly(min(int(length), _REFUSAL_LIMIT))
    elif headers.get("Transfer-Encoding", "").lower() == "chunked":
        body = await _chunks(reader)
    kept = {
        name: value
        for name, value in headers.items()
        if name.lower() in ("content-type", "www-authenticate", "retry-after")
        or name.lower().startswith("x-")
    }
    return Response(status=status, headers=kept, body=body)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    """Return what comes in chunks, as far as it is passed on."""
    body = b""
    while len(body) < _REFUSAL_LIMIT:
        try:
            size = int((await reader.readline()).partition(b";")[0], 16)
            if size <= 0:
                break
            body += await reader.readexactly(min(size, _REFUSAL_LIMIT))
            await reader.readline()
        except (ValueError, EOFError):
            break
    return body[:_REFUSAL_LIMIT]


_End = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _carry(client: _End, backend: _End) -> None:
    """Move bytes both ways until either side has ended: none of the protocols has half ends.

    A backend that takes nothing hears of the client's end by its connection's being broken off.
    """
    async with asyncio.TaskGroup() as tasks:
        inward = tasks.create_task(_pump(client[0], backend[1]))
        outward = tasks.create_task(_pump(backend[0], client[1]))
        broken = tasks.create_task(ending.broken(client[1].transport))
        ways = (inward, outward, broken)
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        if not outward.done() and not await ending.taken(backend[1].transport):
            ending.break_off(backend[1].transport)
        for way in ways:
            way.cancel()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    except OSError:
        return  # one side is gone, which ends the other

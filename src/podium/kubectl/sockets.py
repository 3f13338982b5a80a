"""WebSockets to the API server, for the commands that reach into Pods.

The only commands of this kubectl with an event loop; this is imported where streams are wanted.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from multidict import CIMultiDict

from podium.kubectl.errors import CommandError, Unreachable
from podium.kubectl.http import USER_AGENT, Http, Query, told_in

#: A watch, and whatever else is followed, may take any time.
ENDLESS = aiohttp.ClientTimeout(total=None)


@asynccontextmanager
async def client(http: Http, *, raw: bool = False) -> AsyncIterator[aiohttp.ClientSession]:
    """Yield a way to *http*'s server, as the same user; *raw*: bodies come as they are sent."""
    tls = http.tls() if http.server.scheme == "https" else False
    headers = CIMultiDict([("User-Agent", USER_AGENT), *http.identity()])
    connector = aiohttp.TCPConnector(ssl=tls, limit=0)
    async with aiohttp.ClientSession(
        connector=connector, headers=headers, proxy=http.proxy, auto_decompress=not raw
    ) as session:
        yield session


@asynccontextmanager
async def websocket(
    session: aiohttp.ClientSession, http: Http, path: str, query: Query, protocols: Sequence[str]
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Open a WebSocket that speaks one of *protocols*. Raises CommandError.

    It begins with a GET, as it should; whoever may only ``create`` begins with a POST, which
    upstream's servers take for SPDY alone.
    """
    target = http.address(path, query)
    try:
        socket = await _connected(session, http, target, protocols, "GET")
        if socket is None:
            socket = await _connected(session, http, target, protocols, "POST")
        if socket is None:
            raise await _refusal(session, target, protocols)
    except aiohttp.ClientConnectorError as exc:
        raise Unreachable(http.authority, exc.os_error) from exc
    async with socket:
        yield socket


async def _connected(
    session: aiohttp.ClientSession, http: Http, target: str, protocols: Sequence[str], method: str
) -> aiohttp.ClientWebSocketResponse | None:
    """Return the WebSocket, None where it is refused."""
    try:
        return await session.ws_connect(
            target, method=method, protocols=protocols, max_msg_size=0, compress=0,
            server_hostname=http.server_name,
        )  # fmt: skip
    except aiohttp.WSServerHandshakeError:
        return None


async def _refusal(
    session: aiohttp.ClientSession, target: str, protocols: Sequence[str]
) -> CommandError:
    """Ask once more, for the text: a failed handshake keeps it to itself."""
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Protocol": ",".join(protocols),
    }
    async with session.post(target, headers=headers) as response:
        text = await response.text()
    return CommandError(f"unable to upgrade connection: {told_in(text) or text.strip()}")


async def get(
    session: aiohttp.ClientSession, http: Http, path: str, query: Query = ()
) -> dict[str, Any]:
    """Return an object. Raises StatusError, Unreachable."""
    async with _asked(session, http, path, query) as response:
        found: dict[str, Any] = await response.json()
        return found


async def watch(
    session: aiohttp.ClientSession, http: Http, path: str, query: Query
) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
    """Yield the type and the object of each event. Raises StatusError, Unreachable."""
    async with _asked(session, http, path, [*query, ("watch", "true")]) as response:
        async for line in response.content:
            event = json.loads(line)
            yield event["type"], event["object"]


@asynccontextmanager
async def _asked(
    session: aiohttp.ClientSession, http: Http, path: str, query: Query
) -> AsyncIterator[aiohttp.ClientResponse]:
    try:
        async with session.get(
            http.address(path, query), timeout=ENDLESS, server_hostname=http.server_name,
            read_bufsize=1 << 22,
        ) as response:  # fmt: skip
            if response.status >= 300:
                text = await response.text()
                raise told_in(text) or CommandError(text.strip() or str(response.reason))
            yield response
    except aiohttp.ClientConnectorError as exc:
        raise Unreachable(http.authority, exc.os_error) from exc
    except aiohttp.ClientError as exc:
        raise Unreachable(http.authority, exc) from exc

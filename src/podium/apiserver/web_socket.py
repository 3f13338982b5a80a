"""Answers as the messages of a WebSocket: browsers can read no stream while it is written.

Clients have nothing to say: what they send is passed over, and a long message ends the connection.
Follows ``k8s.io/apiserver/pkg``: ``util/wsstream`` and ``HandleWS`` of ``endpoints/handlers``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

from aiohttp import WSMsgType
from aiohttp.web import BaseRequest, WebSocketResponse

from podium.api.errors import bad_request
from podium.kit import passing

#: Seconds for a client to say goodbye, too.
_PARTING = 5.0
#: Bytes of a client's message: the parts of one are kept until the last has come.
_LONGEST = 64 * 1024
_OVER = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)


def wanted(request: BaseRequest) -> bool:
    return passing.wanted(request) and request.headers["Upgrade"].lower() == "websocket"


def offered(request: BaseRequest) -> list[str]:
    """Return the protocols that the client speaks, the ones it likes best first."""
    headers = request.headers.getall("Sec-WebSocket-Protocol", [])
    return [name for header in headers for part in header.split(",") if (name := part.strip())]


async def opened(request: BaseRequest, protocols: Sequence[str]) -> WebSocketResponse:
    """Return the connection as a WebSocket of one of *protocols*. Raises ApiError (400)."""
    socket = WebSocketResponse(
        protocols=protocols, timeout=_PARTING, compress=False, max_msg_size=_LONGEST
    )
    if not socket.can_prepare(request).ok:
        raise bad_request("the handshake of the WebSocket is not complete")
    await socket.prepare(request)
    return socket


async def while_there(socket: WebSocketResponse, work: Coroutine[Any, Any, None]) -> None:
    """Do *work*, which sends, until that is done or the client has gone."""
    async with asyncio.TaskGroup() as group:
        tasks = group.create_task(_sent(work)), group.create_task(_passed_over(socket))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()


async def _sent(work: Coroutine[Any, Any, None]) -> None:
    with suppress(ConnectionResetError):
        await work


async def _passed_over(socket: WebSocketResponse) -> None:
    while (await socket.receive()).type not in _OVER:
        pass

"""Our WebSocket against aiohttp's."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import RawTestServer

from podium.kubectl.errors import CommandError
from podium.kubectl.http import Http
from podium.kubectl.kubeconfig import Connection
from podium.kubectl.streams import Wanted, connect
from podium.kubectl.unblocked import NotTaken, Refused
from podium.kubectl.web_socket import WebSocket

V5 = "v5.channel.k8s.io"
SIZES = (0, 1, 125, 126, 65_535, 65_536, 300_000)


async def answer(request: web.BaseRequest) -> web.StreamResponse:
    if request.path == "/refuses":
        status = {"kind": "Status", "message": f"{request.method} is not for you"}
        return web.json_response(status, status=403)
    if request.path == "/is-none":
        headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Accept": "AAAA",
                   "Sec-WebSocket-Protocol": V5}  # fmt: skip
        return web.Response(status=101, headers=headers)
    if request.path == "/speaks-otherwise":
        other = web.WebSocketResponse(protocols=())
        await other.prepare(request)
        return other
    socket = web.WebSocketResponse(protocols=(V5,), max_msg_size=0, compress=False)
    await socket.prepare(request)
    await socket.ping(b"are you there")
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            await socket.send_bytes(message.data)
        if message.data == b"end":
            break
    if request.path == "/breaks" and request.transport is not None:
        request.transport.abort()
    return socket


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with RawTestServer(answer) as server:
        made = Http(Connection(str(server.make_url("/"))))
        yield made
        made.close()


def exchange(http: Http, path: str, messages: list[bytes]) -> list[bytes]:
    """Send messages and the last one, ``end``; return what comes, to the end."""
    socket = WebSocket(http, path, (), (V5, "v4.channel.k8s.io"))
    assert socket.protocol == V5
    try:
        return list(talk(socket, [*messages, b"end"]))
    finally:
        socket.close()


def talk(socket: WebSocket, messages: list[bytes]) -> Iterator[bytes]:
    for message in messages:
        socket.send(message)
    while not socket.ended:
        with contextlib.suppress(NotTaken):  # what it has said is read all the same
            socket.flush()
        outgoing = [socket] if socket.unsent else []
        select.select([socket], outgoing, [], 10)
        yield from socket.receive()


async def test_messages_of_all_sizes_go_there_and_back(http: Http):
    messages = [os.urandom(size) for size in SIZES]
    found = await asyncio.to_thread(exchange, http, "/", messages)
    assert found == [*messages, b"end"]


async def test_a_refusal_is_told_in_the_servers_words(http: Http):
    with pytest.raises(Refused, match="unable to upgrade connection: GET is not for you"):
        await asyncio.to_thread(exchange, http, "/refuses", [])


async def test_where_it_is_refused_spdy_is_asked_for(http: Http):
    """By POST: servers let those have it who may only ``create``."""
    with pytest.raises(CommandError, match="unable to upgrade connection: POST is not for you"):
        await asyncio.to_thread(connect, http, "/refuses", (), Wanted(stdin=False))


async def test_a_connection_that_breaks_ends(http: Http):
    assert await asyncio.to_thread(exchange, http, "/breaks", [b"x"]) == [b"x", b"end"]


@pytest.mark.filterwarnings("ignore:.*No overlap:UserWarning")
@pytest.mark.parametrize("path", ["/is-none", "/speaks-otherwise"])
async def test_who_does_not_speak_it_is_left(http: Http, path: str):
    with pytest.raises(Refused, match="bad handshake"):
        await asyncio.to_thread(exchange, http, path, [])


async def test_each_message_has_a_mask_of_its_own(http: Http):
    """RFC 6455, 5.3, also where TLS keeps others from reading."""

    def sent() -> list[bytes]:
        socket = WebSocket(http, "/", (), (V5,))
        try:
            for _ in range(8):
                socket.send(b"abcd")
            return [bytes(frame) for frame in socket._out]
        finally:
            socket.close()

    frames = await asyncio.to_thread(sent)
    assert len({frame[2:6] for frame in frames}) > 1
    for frame in frames:
        assert bytes(a ^ b for a, b in zip(frame[2:6], frame[6:], strict=True)) == b"abcd"

"""The channels of a WebSocket, with aiohttp's own client at the other end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError, web
from aiohttp.test_utils import TestServer

from podium.kubelet.streaming import websocket
from podium.kubelet.streaming.protocol import Channel
from podium.kubelet.streaming.websocket import Channels

V5 = "v5.channel.k8s.io"
BASE64 = "v4.base64.channel.k8s.io"
DATA = os.urandom(100_000)


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    """Writes an empty message and then DATA to stdout."""

    async def answer(request: web.Request) -> web.WebSocketResponse:
        async with Channels.open(request, (V5,), ()) as channels:
            await channels.write(Channel.STDOUT, b"")
            await channels.write(Channel.STDOUT, DATA)
        return channels.socket

    app = web.Application()
    app.router.add_get("/", answer)
    async with TestServer(app) as running:
        yield running


async def test_no_message_is_longer_than_clients_take(server: TestServer) -> None:
    """Some take no more than 64 KiB; upstream sends pieces of 32 KiB."""
    async with (
        ClientSession() as session,
        session.ws_connect(server.make_url("/"), protocols=(V5,)) as socket,
    ):
        messages = [message.data async for message in socket]
    assert {message[0] for message in messages} == {Channel.STDOUT}
    assert messages[0][1:] == b""
    assert max(map(len, messages)) <= 32 * 1024 + 1
    assert b"".join(message[1:] for message in messages) == DATA


@pytest.mark.parametrize("nonsense", ["0é", "0=", "²", "x", ""])
async def test_what_is_no_base64_is_passed_over(nonsense: str) -> None:
    async def answer(request: web.Request) -> web.WebSocketResponse:
        async with Channels.open(request, (BASE64,), (Channel.STDIN,)) as channels:
            await channels.write(Channel.STDOUT, await channels.read(Channel.STDIN))
        return channels.socket

    app = web.Application()
    app.router.add_get("/", answer)
    async with (
        TestServer(app) as running,
        ClientSession() as session,
        session.ws_connect(running.make_url("/"), protocols=(BASE64,)) as socket,
    ):
        await socket.send_str(nonsense)
        await socket.send_str("0aGVsbG8=")
        assert (await socket.receive()).data == "1aGVsbG8="


async def test_who_speaks_other_protocols_is_refused(server: TestServer) -> None:
    async with ClientSession() as session:
        with pytest.raises(WSServerHandshakeError) as refused:
            await session.ws_connect(server.make_url("/"), protocols=("v9", "v8"))
        assert refused.value.status == 403
        async with session.ws_connect(server.make_url("/")) as socket:
            assert socket.protocol is None  # who names none is served


async def test_who_is_held_back_gets_an_answer_to_pings_that_are_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket, "HELD_BACK", 0.01)
    sent = [bytes([number]) for number in range(20)]
    answered, found = asyncio.Event(), []

    async def answer(request: web.Request) -> web.WebSocketResponse:
        async with Channels.open(request, (V5,), (Channel.STDIN,)) as channels:
            await answered.wait()
            found.extend([await channels.read(Channel.STDIN) for _ in sent])
        return channels.socket

    app = web.Application()
    app.router.add_get("/", answer)
    async with (
        asyncio.timeout(60),
        TestServer(app) as running,
        ClientSession() as session,
        session.ws_connect(running.make_url("/"), protocols=(V5,), autoping=False) as socket,
    ):
        for piece in sent:
            await socket.send_bytes(bytes([Channel.STDIN]) + piece)
        assert (await socket.receive()).type is WSMsgType.PONG
        answered.set()
        while (await socket.receive()).type is WSMsgType.PONG:
            pass
    assert found == sent

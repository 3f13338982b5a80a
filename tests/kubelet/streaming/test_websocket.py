"""The channels of a WebSocket, with aiohttp's own client at the other end."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from podium.kubelet.streaming.protocol import Channel
from podium.kubelet.streaming.websocket import Channels

V5 = "v5.channel.k8s.io"
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

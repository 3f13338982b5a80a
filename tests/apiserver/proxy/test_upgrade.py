"""WebSockets and other changes of protocol through ``proxy`` subresources."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os

import pytest
from aiohttp import WSMsgType, WSServerHandshakeError, web

from podium.kit import ending
from support.proxied import DEFAULT, World

WEB = f"{DEFAULT}/services/web:http/proxy"


async def echo(request: web.BaseRequest) -> web.StreamResponse:
    """Send every message back; first of all, what was asked for."""
    socket = web.WebSocketResponse(protocols=("chat",), max_msg_size=0)
    await socket.prepare(request)
    await socket.send_json([request.raw_path, dict(request.headers)])
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            await socket.send_bytes(message.data)
    return socket


async def test_a_web_socket(world: World) -> None:
    world.answer = echo
    data = os.urandom(3_000_000)
    for path in (
        f"{WEB}/chat?room=1",
        f"{DEFAULT}/pods/https:web:{world.tls_port}/proxy/chat",
        "/api/v1/nodes/n1/proxy/chat",
    ):
        async with (
            asyncio.timeout(60),
            world.admin.ws_connect(
                path,
                protocols=("chat",),
                headers={"Authorization": "Bearer x", "Cookie": "a=b"},
                max_msg_size=0,
            ) as socket,
        ):
            target, headers = await socket.receive_json()
            assert target == path.partition("/proxy")[2]
            assert socket.protocol == "chat"
            assert headers["Cookie"] == "a=b"
            assert headers["X-Forwarded-For"] == "127.0.0.1"
            assert "Authorization" not in headers
            await socket.send_bytes(data)
            assert await socket.receive_bytes() == data


async def test_a_browsers_token_is_among_the_protocols_and_goes_no_further(world: World) -> None:
    world.answer = echo
    account = f"{DEFAULT}/serviceaccounts/default"
    made = await world.post(f"{account}/token", {"spec": {}})
    role = {
        "metadata": {"name": "proxier"},
        "rules": [{"apiGroups": [""], "resources": ["services/proxy"], "verbs": ["get"]}],
    }
    group = "rbac.authorization.k8s.io"
    binding = {
        "metadata": {"name": "proxier"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "proxier"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "default"}],
    }
    await world.post(f"/apis/{group}/v1/clusterroles", role)
    await world.post(f"/apis/{group}/v1/clusterrolebindings", binding)
    token = base64.urlsafe_b64encode(made["status"]["token"].encode()).decode().rstrip("=")
    bearer = f"base64url.bearer.authorization.k8s.io.{token}"
    async with world.api.session(anonymous=True) as browser:
        async with browser.ws_connect(f"{WEB}/chat", protocols=(bearer, "chat")) as socket:
            _, headers = await socket.receive_json()
            assert headers["Sec-WebSocket-Protocol"] == "chat"
            assert socket.protocol == "chat"
        for protocols in (("chat",), (bearer,), (bearer, bearer, "chat"), (bearer[:-9], "chat")):
            with pytest.raises(WSServerHandshakeError) as caught:
                await browser.ws_connect(f"{WEB}/chat", protocols=protocols)
            assert caught.value.status == 401


async def test_an_end_of_either_side_is_the_others(world: World) -> None:
    ended, end = asyncio.Event(), asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if request.path == "/backend-ends":
            await end.wait()
            assert request.transport is not None
            request.transport.abort()
            return socket
        await socket.receive()
        ended.set()
        return socket

    world.answer = answer
    async with asyncio.timeout(60):
        async with world.admin.ws_connect(f"{WEB}/backend-ends") as socket:
            end.set()
            assert (await socket.receive()).type in (WSMsgType.CLOSED, WSMsgType.CLOSING)
        socket = await world.admin.ws_connect(f"{WEB}/client-ends")
        transport = socket.get_extra_info("socket")
        assert transport is not None
        await socket.close()
        await ended.wait()


async def test_a_refusal_is_the_backends_own(world: World) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=403, text="not you")

    world.answer = answer
    with pytest.raises(WSServerHandshakeError) as caught:
        await world.admin.ws_connect(f"{WEB}/")
    assert caught.value.status == 403
    headers = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1"}
    async with world.admin.post(f"{WEB}/", headers=headers) as response:
        assert (response.status, await response.text()) == (403, "not you")


async def test_a_backend_that_does_not_change(world: World) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="plain")

    world.answer = answer
    headers = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1"}
    async with world.admin.get(f"{WEB}/", headers=headers) as response:
        assert response.status == 500
        assert (await response.json())["message"] == "invalid upgrade response: status code 200"


async def test_nobody_is_there_to_change(world: World) -> None:
    headers = {"Connection": "Upgrade", "Upgrade": "websocket"}
    async with world.admin.get(f"{DEFAULT}/pods/web:1/proxy/", headers=headers) as response:
        assert response.status == 500
        message = (await response.json())["message"]
    assert message.startswith(f"error dialing backend: dial tcp {world.address}:1: ")


async def test_who_takes_nothing_is_sent_no_more(world: World) -> None:
    sent, stalled = 0, asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for _ in range(300):
            try:
                async with asyncio.timeout(1):
                    await socket.send_bytes(bytes(1 << 20))
            except TimeoutError:
                stalled.set()
                await asyncio.Event().wait()
            sent += 1 << 20
        return socket

    world.answer = answer
    async with asyncio.timeout(60), world.admin.ws_connect(f"{WEB}/", max_msg_size=0) as socket:
        assert len(await socket.receive_bytes()) == 1 << 20
        await stalled.wait()
        assert sent < 60 << 20
        socket._response.close()  # type: ignore[attr-defined]


async def test_a_client_ends_that_is_held_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end stands behind what the backend does not take, and is told to it all the same."""
    monkeypatch.setattr(ending, "STUCK", 0.2)
    killed, ended = asyncio.Event(), asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        transport = request.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        await killed.wait()
        await socket.ping()
        await ending.broken(transport)
        ended.set()
        transport.abort()
        return socket

    world.answer = answer
    async with asyncio.timeout(60):
        socket = await world.admin.ws_connect(f"{WEB}/")
        assert socket._writer.transport is not None
        with contextlib.suppress(TimeoutError):
            while True:
                async with asyncio.timeout(0.5):
                    await socket.send_bytes(bytes(1 << 20))
        socket._writer.transport.abort()  # as when its process is killed
        killed.set()
        await ended.wait()


async def test_what_a_client_said_last_reaches_a_slow_backend(world: World) -> None:
    sent, heard = 0, 0
    stalled, over = asyncio.Event(), asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal heard
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        await stalled.wait()
        async for message in socket:
            heard += len(message.data)
        over.set()
        return socket

    world.answer = answer
    async with asyncio.timeout(60):
        socket = await world.admin.ws_connect(f"{WEB}/")
        for _ in range(5):
            await socket.send_bytes(bytes(1 << 20))
            sent += 1 << 20
        closing = asyncio.ensure_future(socket.close())
        await asyncio.sleep(0)
        stalled.set()
        await over.wait()
        await closing
    assert heard == sent

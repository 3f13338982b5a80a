"""Backends and clients that do not keep to HTTP: refused or passed on, never a crash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientError

from support.proxied import DEFAULT, World


@asynccontextmanager
async def raw_backend(world: World, name: str, answer: bytes) -> AsyncIterator[str]:
    """A backend that says *answer* to everything; yield the path of its Pod's proxy."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, world.address, 0)
    port = server.sockets[0].getsockname()[1]
    await world.add_pod(name, world.address, port)
    try:
        yield f"{DEFAULT}/pods/{name}/proxy/"
    finally:
        server.close()


OK = b"HTTP/1.1 200 OK\r\n"


EMPTY, HINTS = b"Content-Length: 0\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
#: What a backend says, and the code and the body that come of it; None for a refusal.
ANSWERS: dict[str, tuple[bytes, int, bytes | None]] = {
    "odd-bytes": (OK + b"X-Odd: \xff\xfe\r\n\r\nhi", 200, b"hi"),
    "http-1.0": (b"HTTP/1.0 200 OK\r\n\r\nhi", 200, b"hi"),
    "hints-first": (HINTS + OK + b"Content-Length: 2\r\n\r\nhi", 200, b"hi"),
    "odd-code": (b"HTTP/1.1 999 \r\n" + EMPTY, 999, b""),
    "another-protocol": (b"SSH-2.0-OpenSSH\r\n", 503, None),
    "nothing": (b"", 503, None),
    "endless-header": (OK + b"X-Long: " + b"x" * 200_000 + b"\r\n\r\n", 503, None),
    "bad-chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 503, None),
    "two-lengths": (OK + b"Content-Length: 0\r\n" + EMPTY, 503, None),
}


async def test_answers(world: World) -> None:
    for name, (answer, code, body) in ANSWERS.items():
        async with (
            raw_backend(world, name, answer) as path,
            asyncio.timeout(60),
            world.admin.get(path) as response,
        ):
            assert response.status == code, f"{name}: {await response.text()}"
            if body is None:
                message = (await response.json())["message"]
                assert message.startswith("error trying to reach service: ")
            else:
                assert await response.read() == body


async def test_a_redirect_to_no_place(world: World) -> None:
    answer = OK + b"Location: http://[::1\r\n\r\nhi"
    async with raw_backend(world, "a", answer) as path, world.admin.get(path) as response:
        assert response.status == 500
        message = (await response.json())["message"]
    assert "error trying to parse Location header: " in message


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(OK + b"Content-Length: 10\r\n\r\nhi", id="less-than-promised"),
        pytest.param(
            OK + b"Content-Type: text/html\r\nContent-Encoding: gzip\r\n\r\nnot packed",
            id="not-packed-as-it-says",
        ),
    ],
)
async def test_answers_that_end_too_soon(world: World, answer: bytes) -> None:
    async with raw_backend(world, "a", answer) as path, asyncio.timeout(60):
        with pytest.raises(ClientError):
            async with world.admin.get(path) as response:
                await response.read()


TARGETS = [
    b"/api/v1/namespaces/default/pods/web/proxy/x?q=\xff\xfe",
    b"/api/v1/namespaces/default/pods/web/proxy/%ff%fe/%00/%0d%0aX:y?a=%0d%0a",
    b"/api/v1/namespaces/default/pods/web/proxy/../../../../secrets",
    b"/api/v1/namespaces/default/pods/web/proxy/" + b"a/" * 20_000,
    b"/api/v1/namespaces/default/pods/web%2fproxy/proxy/",
    b"/api/v1/namespaces/default/pods/web:80:90:100/proxy/",
    b"/api/v1/namespaces/default/services/web:%20/proxy/",
]


async def test_requests(world: World) -> None:
    """Whatever is asked for, the answer is no failure of ours, and the server lives on."""
    for upgrade in (b"", b"Connection: Upgrade\r\nUpgrade: websocket\r\n"):
        for target in TARGETS:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", world.api.port, ssl=world.api.ssl_context(world.api.pair())
            )
            writer.write(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n" + upgrade + b"\r\n")
            async with asyncio.timeout(60):
                line = await reader.readline()
            code = int(line.split()[1])
            assert code < 500 or code == 503 or (upgrade and code == 500), line
            writer.close()
    async with world.admin.get("/livez/ping") as response:
        assert response.status == 200
    for request in world.requests:
        assert "secrets" not in request.path or request.path == "/secrets"

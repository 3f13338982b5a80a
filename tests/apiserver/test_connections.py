"""Connections that send no proper HTTP, or nothing at all."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest

from podium.kit.peers import notice_dead_peers
from support.apiserver import running_apiserver


@pytest.fixture
async def api(tmp_path):
    async with running_apiserver(tmp_path) as running:
        yield running


async def exchange(api, data: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send *data* as it is; return code, headers and body of the answer."""
    context = api.ssl_context(api.pair())
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port, ssl=context)
    try:
        writer.write(data)
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode()
        status, *lines = head.strip().split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        body = await reader.readexactly(int(headers["content-length"]))
        assert await asyncio.wait_for(reader.read(), 5) == b""  # disconnected
        return int(status.split()[1]), headers, body
    finally:
        writer.close()


async def test_an_unknown_method_is_refused_as_upstream_does(api):
    code, headers, body = await exchange(api, b"BREW /api/v1/pods HTTP/1.1\r\nHost: x\r\n\r\n")
    status = json.loads(body)
    assert (code, headers["content-type"]) == (405, "application/json")
    assert status["reason"] == "MethodNotAllowed"
    assert status["message"] == "the server does not allow this method on the requested resource"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"nonsense\r\n\r\n", 405, id="not-http"),
        pytest.param(b"GET / HTTP/1.1\r\nHo st: x\r\n\r\n", 400, id="bad-header"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 70_000 + b"\r\n\r\n", 431, id="long-header"
        ),
        pytest.param(b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 431, id="long-line"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: x\r\n" * 200 + b"\r\n", 400, id="many-headers"
        ),
    ],
)
async def test_what_cannot_be_read_is_told_and_disconnected(api, data, code):
    answered, _, _ = await exchange(api, data)
    assert answered == code


def test_accepted_connections_notice_dead_peers():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        notice_dead_peers(listener)
        with socket.create_connection(listener.getsockname()):
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 15
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000

"""What ``kubectl proxy`` lets through, and the files that it serves."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, HttpVersion10, web
from aiohttp.test_utils import RawTestServer
from yarl import URL

from podium.kubectl.http import Http
from podium.kubectl.kubeconfig import Connection
from podium.kubectl.proxying import Filter, Proxy, Site
from podium.kubectl.sockets import client


def patterns(text: str) -> list[re.Pattern[str]]:
    return [re.compile(part) for part in text.split(",")]


FILTER = Filter(
    patterns("^.*"), patterns("^/api/.*/pods/.*/exec"), patterns(r"^localhost$,^127\.0\.0\.1$"),
    patterns("^DELETE$"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "host", "passes"),
    [
        ("GET", "/api/v1/pods", "localhost", True),
        ("GET", "/api/v1/pods", "evil.example", False),
        ("DELETE", "/api/v1/pods", "localhost", False),
        ("POST", "/api/v1/namespaces/a/pods/b/exec", "localhost", False),
    ],
)
def test_filter(method: str, path: str, host: str, passes: bool):
    assert FILTER.accepts(method, path, host) is passes


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[RawTestServer]:
    """A proxy of a server that says what it was asked."""
    files = tmp_path / "files"
    (files / "sub").mkdir(parents=True)
    (files / "sub" / "a&b").write_text("text")
    (tmp_path / "secret").write_text("secret")

    async def echo(request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Upgrade") == "websocket":
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            await socket.send_str(request.headers["Impersonate-User"])
            await socket.close()
            return socket
        if request.path == "/in-pieces":
            pieces = web.StreamResponse()
            await pieces.prepare(request)
            await pieces.write(b"one,")
            await pieces.write(b"two")
            return pieces
        body = await request.read()
        text = f"{request.method} {request.raw_path} {request.headers['Impersonate-User']} {body!r}"
        return web.Response(text=text)

    async with RawTestServer(echo) as server:
        connection = Connection(str(server.make_url("/")))
        connection.headers = (("Impersonate-User", "ann"),)
        http = Http(connection)
        site = Site("/custom/", str(files), "/static/", FILTER, False)
        async with (
            client(http, raw=True) as session,
            RawTestServer(Proxy(http, session, site).handle) as running,
        ):
            yield running


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/custom/api/v1/pods?a=b%20c", 200, "GET /api/v1/pods?a=b%20c ann b''"),
        ("/custom/a%2Fb", 200, "GET /a%2Fb ann b''"),
        ("/custom", 307, "Temporary Redirect"),
        ("/api/v1/pods", 404, "404 page not found"),
        ("/static/sub/a&b", 200, "text"),
        ("/static/sub", 301, ""),
        ("/static/sub/", 200, '<a href="a%26b">a&amp;b</a>'),
        ("/static/nosuch", 404, "404 page not found"),
        ("/static/../../secret", 307, 'href="/secret"'),
        ("/static/%2e%2e/secret", 307, 'href="/secret"'),
    ],
)
async def test_requests(proxy: RawTestServer, path: str, status: int, text: str):
    url = URL(f"http://127.0.0.1:{proxy.port}{path}", encoded=True)
    async with ClientSession() as session, session.get(url, allow_redirects=False) as answer:
        assert answer.status == status
        assert text in await answer.text()


async def test_bodies_and_other_hosts(proxy: RawTestServer):
    async with ClientSession() as session:
        url = proxy.make_url("/custom/x")
        async with session.post(url, data=b"body", headers={"Host": "localhost:1"}) as answer:
            assert await answer.text() == "POST /x ann b'body'"
        async with session.get(url, headers={"Host": "evil.example"}) as answer:
            assert (answer.status, await answer.text()) == (403, "Forbidden\n")


async def test_clients_that_know_no_chunks(proxy: RawTestServer):
    async with (
        ClientSession(version=HttpVersion10) as session,
        session.get(proxy.make_url("/custom/in-pieces")) as answer,
    ):
        assert (answer.status, await answer.text()) == (200, "one,two")


async def test_websockets_pass(proxy: RawTestServer):
    async with ClientSession() as session, session.ws_connect(proxy.make_url("/custom/x")) as ws:
        assert await ws.receive_str() == "ann"

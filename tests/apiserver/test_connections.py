"""Connections that send no proper HTTP, or nothing at all."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest
from aiohttp import StreamReader, web

from podium.apiserver import bodies, paths, protocol, share
from podium.kit.heap import Thrift
from podium.kit.peers import notice_dead_peers, wait_for_reader
from support.apiserver import running_apiserver
from support.http_peer import running


@pytest.fixture
async def api(tmp_path):
    async with running_apiserver(tmp_path) as running:
        yield running


async def connect(api) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context = api.ssl_context(api.pair())
    return await asyncio.open_connection("127.0.0.1", api.port, ssl=context)


async def exchange(api, data: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send *data* as it is; return code, headers and body of the answer."""
    reader, writer = await connect(api)
    try:
        writer.write(data)
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)).decode()
        status, *lines = head.strip().split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        body = await reader.readexactly(int(headers["content-length"]))
        assert await asyncio.wait_for(reader.read(), 60) == b""  # disconnected
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
                assert user_timeout(accepted) == 30_000
                wait_for_reader(accepted, True)
                assert user_timeout(accepted) == 0
                wait_for_reader(accepted, False)
                assert user_timeout(accepted) == 30_000


def user_timeout(sock: socket.socket) -> int:
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)


@pytest.mark.parametrize("start", [b"", b"GET /livez HTTP/1.1\r\nHost: x\r\nA: "])
async def test_who_does_not_come_to_a_request_is_disconnected(api, monkeypatch, start):
    monkeypatch.setattr(protocol, "FIRST_TIMEOUT", 0.5)
    reader, writer = await connect(api)
    dripping = asyncio.ensure_future(drip(writer, start))
    try:
        async with asyncio.timeout(60):
            assert await reader.read() == b""
    finally:
        dripping.cancel()
        writer.close()


async def drip(writer: asyncio.StreamWriter, start: bytes) -> None:
    writer.write(start)
    while start:
        writer.write(b"a")
        await asyncio.sleep(0.01)


async def test_a_body_that_drips_in_has_its_time(api, monkeypatch):
    monkeypatch.setattr(bodies, "PATIENCE", 0.5)
    reader, writer = await connect(api)
    start = b"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{"
    dripping = asyncio.ensure_future(drip(writer, start))
    try:
        async with asyncio.timeout(60):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 504 ")
    finally:
        dripping.cancel()
        writer.close()


async def test_large_bodies_wait_in_their_clients_until_there_is_room(api, monkeypatch):
    """One user's do not take all there is; who has waited for long is to come again."""
    together = [await announced(api) for _ in range(share.OF_ONE // bodies.LIMIT)]
    try:
        for reader, _ in together:
            assert (await head_of(reader)).startswith(b"HTTP/1.1 100 ")
        with monkeypatch.context() as impatient:
            impatient.setattr(share, "PATIENCE", 0.1)
            together.append(await announced(api))
            refused = await head_of(together[-1][0])
            assert refused.startswith(b"HTTP/1.1 429 ")
            assert b"\r\nRetry-After: 1\r\n" in refused
        together.append(await announced(api))
        together[0][1].close()
        assert (await head_of(together[-1][0])).startswith(b"HTTP/1.1 100 ")
    finally:
        for _, writer in together:
            writer.close()


async def announced(api) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection with a request whose body is to come once the server asks for it."""
    reader, writer = await connect(api)
    writer.write(
        b"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
        b"Content-Length: %d\r\n\r\n" % bodies.LIMIT
    )
    return reader, writer


async def head_of(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)


async def test_a_connection_may_be_idle_between_requests(api, monkeypatch):
    """The time for the first request ends with that."""
    timers = []
    connected = protocol.Protocol.connection_made

    def connection_made(self, transport):
        connected(self, transport)
        timers.append(self._first)

    monkeypatch.setattr(protocol.Protocol, "connection_made", connection_made)
    _, writer = connection = await connect(api)
    try:
        assert b"200 OK" in await asked(connection)
        assert [timer.cancelled() for timer in timers] == [True]
        assert b"200 OK" in await asked(connection)
        assert len(timers) == 1
    finally:
        writer.close()


async def asked(connection) -> bytes:
    reader, writer = connection
    writer.write(b"GET /livez/ping HTTP/1.1\r\nHost: x\r\n\r\n")
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
    await reader.readexactly(len("ok"))
    return head


NAMESPACE = "/api/v1/namespaces/default"


@pytest.mark.parametrize(
    ("line", "more", "stays"),
    [
        pytest.param(f"GET {NAMESPACE} HTTP/1.1", "", True, id="ordinary"),
        pytest.param(f"GET {NAMESPACE} HTTP/1.1", "Connection: close\r\n", False, id="last-one"),
        pytest.param(f"GET {NAMESPACE} HTTP/1.0", "", False, id="old"),
        pytest.param(
            f"GET {NAMESPACE} HTTP/1.0", "Connection: keep-alive\r\n", True, id="old-kept"
        ),
        pytest.param(f"HEAD {NAMESPACE} HTTP/1.1", "", True, id="without-body"),
    ],
)
async def test_answers_end_where_the_client_expects_it(api, line, more, stays):
    """Of two requests at once the second is answered behind the first; or one closes the
    connection."""
    reader, writer = await connect(api)
    try:
        count = 2 if stays else 1
        writer.write(f"{line}\r\nHost: x\r\n{more}\r\n".encode() * count)
        for _ in range(count):
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
            fields = head.lower().split(b"\r\n")
            assert fields[0].startswith(line.rpartition(" ")[2].lower().encode())
            assert sum(field.startswith(b"content-length: ") for field in fields) == 1
            assert sum(field.startswith(b"date: ") for field in fields) == 1
            size = next(int(each.split()[1]) for each in fields if each.startswith(b"content-l"))
            if not line.startswith("HEAD"):
                assert json.loads(await reader.readexactly(size))["metadata"]["name"] == "default"
        if not stays:
            assert await asyncio.wait_for(reader.read(), 60) == b""
    finally:
        writer.close()


async def test_others_have_their_turn_between_requests_that_come_at_once(api, monkeypatch):
    count, turn, handled_at, read = 200, 0, [], paths.read

    def noted(method, target):
        if target == "/livez/ping":
            handled_at.append(turn)
        return read(method, target)

    async def others():
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(paths, "read", noted)
    reader, writer = await connect(api)
    try:
        async with running(others()):
            writer.write(b"GET /livez/ping HTTP/1.1\r\nHost: x\r\n\r\n" * count)
            for _ in range(count):
                await asyncio.wait_for(reader.readuntil(b"\r\n\r\nok"), 60)
    finally:
        writer.close()
    assert len(handled_at) == count
    assert len(set(handled_at)) > count / 2


@pytest.mark.parametrize("text", ["Connection closed.", "boom"])
async def test_a_bug_is_told_whether_or_not_the_client_has_gone(caplog, text):
    async def answer(request):
        raise AssertionError

    try:
        raise RuntimeError(text)
    except RuntimeError as error:
        own = error
    loop = asyncio.get_running_loop()
    gone = protocol.Protocol(web.Server(answer), loop, Thrift(loop))
    gone.log_exception("Error handling request from %s", "nobody", exc_info=own)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    content = StreamReader(gone, 2**16)
    with pytest.raises(RuntimeError) as failure:
        await content.read()
    gone.log_exception("Unhandled exception", exc_info=failure.value)
    assert len(caplog.records) == 1

"""gRPC health checks against a server made of the same protocol library."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded

from podium.domain.pods.probes import Outcome, Result
from podium.kubelet.probing import grpc
from support.loop_time import jumping
from support.tcp import tcp_server

Headers = list[tuple[str, str]]
FINE: Headers = [("grpc-status", "0")]


class HealthServer:
    """Answers each call with *body* and *trailers*; without a body never: it is ``silent``."""

    def __init__(
        self,
        body: bytes | None,
        trailers: Headers | None = FINE,
        status: str = "200",
        kind: str | None = "application/grpc",
    ) -> None:
        """*trailers* are None where the call ends without any."""
        self._body, self._trailers = body, trailers
        self._head = [(":status", status)] + ([("content-type", kind)] if kind else [])
        self.silent: Callable[[], None] = lambda: None
        self.requests: list[tuple[dict[str, str], bytes]] = []

    def serving(self) -> contextlib.AbstractAsyncContextManager[int]:
        return tcp_server(self._handle)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        headers: dict[str, str] = {}
        body = b""
        while received := await reader.read(65536):
            for event in connection.receive_data(received):
                if isinstance(event, RequestReceived):
                    headers = {str(name): str(value) for name, value in event.headers or ()}
                elif isinstance(event, DataReceived):
                    body += event.data or b""
                elif isinstance(event, StreamEnded):
                    self.requests.append((headers, body))
                    self._answer(connection, event.stream_id or 1)
            writer.write(connection.data_to_send())

    def _answer(self, connection: H2Connection, stream: int) -> None:
        if self._body is None:
            self.silent()
            return
        if not self._body:
            connection.send_headers(stream, self._head + (self._trailers or []), end_stream=True)
            return
        connection.send_headers(stream, self._head)
        connection.send_data(stream, self._body, end_stream=self._trailers is None)
        if self._trailers is not None:
            connection.send_headers(stream, self._trailers, end_stream=True)


def status_body(status: int) -> bytes:
    return b"\0\0\0\0\2\x08" + bytes([status])


async def check(port: int, service: str = "", timeout: float = 60) -> Outcome:
    request = grpc.request("127.0.0.1", port, service, "kube-probe/1.37")
    return await grpc.check("127.0.0.1", port, request, timeout)


async def test_a_service_that_serves():
    server = HealthServer(status_body(1))
    async with server.serving() as port:
        assert await check(port) == Outcome(Result.SUCCESS, "service healthy")
    headers, body = server.requests[0]
    assert headers[":path"] == "/grpc.health.v1.Health/Check"
    assert headers["content-type"] == "application/grpc"
    assert headers["user-agent"] == "kube-probe/1.37"
    assert body == b"\0\0\0\0\0"


async def test_the_service_is_asked_for_by_name():
    server = HealthServer(status_body(1))
    name = "a" * 200
    async with server.serving() as port:
        await check(port, name)
    assert server.requests[0][1] == b"\0\0\0\0\xcb\x0a\xc8\x01" + name.encode()


@pytest.mark.parametrize("kind", ["application/grpc+proto", "application/grpc;charset=utf-8"])
async def test_kinds_of_grpc(kind: str):
    async with HealthServer(status_body(1), kind=kind).serving() as port:
        assert (await check(port)).result is Result.SUCCESS


@pytest.mark.parametrize(
    ("server", "text"),
    [
        pytest.param(
            (status_body(2), FINE),
            'service unhealthy (responded with "NOT_SERVING")',
            id="not-serving",
        ),
        pytest.param(
            (b"\0\0\0\0\0", FINE),
            'service unhealthy (responded with "UNKNOWN")',
            id="empty-message-is-the-default-value",
        ),
        pytest.param(
            (status_body(1), [("grpc-status", "9" * 50)]),
            "error: health rpc probe failed: rpc error: code = Unknown desc = transport: malformed "
            f'grpc-status: strconv.ParseInt: parsing "{"9" * 50}": value out of range',
            id="a-status-that-is-too-large",
        ),
        pytest.param(
            (status_body(1), [("grpc-status", "fine")]),
            "error: health rpc probe failed: rpc error: code = Unknown desc = transport: malformed "
            'grpc-status: strconv.ParseInt: parsing "fine": invalid syntax',
            id="a-status-that-is-no-number",
        ),
        pytest.param(
            (status_body(1), None),
            "error: health rpc probe failed: rpc error: code = Internal desc = "
            "server closed the stream without sending trailers",
            id="no-trailers",
        ),
        pytest.param(
            (status_body(1), [("x-served-by", "somebody")]),
            "error: health rpc probe failed: rpc error: code = Unknown desc = ",
            id="trailers-without-a-status",
        ),
        pytest.param(
            (b"", [("grpc-status", "4"), ("grpc-message", "slow")]),
            "timeout: health rpc did not complete within 1m0s",
            id="the-server-ran-out-of-time",
        ),
        pytest.param(
            (b"", [("grpc-status", "5"), ("grpc-message", "unknown%20service")]),
            "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service",
            id="as-recorded-for-an-unknown-service",
        ),
        pytest.param(
            (b"", [("grpc-status", "12"), ("grpc-message", "unknown method")]),
            "error: this server does not implement the grpc health protocol "
            "(grpc.health.v1.Health): unknown method",
            id="unimplemented",
        ),
        pytest.param(
            (b"<p>", None, "503", "text/html"),
            "error: health rpc probe failed: rpc error: code = Unavailable desc = unexpected HTTP "
            "status code received from server: 503 (Service Unavailable); transport: received "
            'unexpected content-type "text/html"',
            id="a-proxy-answers",
        ),
        pytest.param(
            (status_body(1), FINE, "200", None),
            "error: health rpc probe failed: rpc error: code = Unknown desc = unexpected HTTP "
            "status code received from server: 200 (OK); malformed header: missing HTTP "
            "content-type",
            id="something-else-answers",
        ),
    ],
)
async def test_failures(server: tuple[Any, ...], text: str):
    async with HealthServer(*server).serving() as port:
        assert await check(port) == Outcome(Result.FAILURE, text)


async def test_no_answer_in_time():
    server = HealthServer(None)
    with jumping() as jump:
        server.silent = lambda: jump(60)
        async with server.serving() as port:
            outcome = await check(port, timeout=60)
    assert outcome == Outcome(Result.FAILURE, "timeout: health rpc did not complete within 1m0s")


async def test_nobody_listens():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        outcome = await check(port, timeout=1)
    text = (
        f'timeout: failed to connect service "127.0.0.1:{port}" within 1s: '
        "context deadline exceeded"
    )
    assert outcome == Outcome(Result.FAILURE, text)


@pytest.mark.parametrize(
    "words", [b"220 mail.example.test ESMTP\r\n", b"HTTP/1.0 400 Bad Request\r\n\r\n"]
)
async def test_who_speaks_something_else_counts_as_nobody(words: bytes):
    with jumping() as jump:

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(100)
            writer.write(words)
            writer.close()
            jump(60)

        async with tcp_server(handle) as port:
            outcome = await check(port, timeout=60)
    text = (
        f'timeout: failed to connect service "127.0.0.1:{port}" within 1m0s: '
        "context deadline exceeded"
    )
    assert outcome == Outcome(Result.FAILURE, text)


async def test_a_header_that_is_no_text():
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\0\0\0\4\0\0\0\0\0")  # SETTINGS, and what acknowledges them
        await reader.readuntil(b"\0\0\0\4\1\0\0\0\0")
        # HEADERS that end stream 1: ``:status: 200``, ``grpc-message: <0xe9>``
        writer.write(b"\0\0\x11\1\5\0\0\0\1\x88\x00\x0cgrpc-message\x01\xe9")
        await reader.read()

    async with tcp_server(handle) as port:
        outcome = await check(port)
    assert outcome.result is Result.FAILURE
    assert outcome.text.endswith("200 (OK); malformed header: missing HTTP content-type")

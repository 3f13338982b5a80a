"""``grpc.health.v1.Health/Check`` as the kubelet asks it: one call over HTTP/2 without TLS.

https://github.com/grpc/grpc/blob/master/doc/health-checking.md; texts follow ``pkg/probe/grpc``.
"""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import unquote

import msgspec
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import ProtocolError

from podium.api.go_text import quote
from podium.domain.pods.durations import go_duration
from podium.domain.pods.probes import Outcome, Result
from podium.kit.numbers import number
from podium.kubelet.probing.dial import DialFailure, dial, join_host_port

_PATH = "/grpc.health.v1.Health/Check"
#: Seconds between two attempts to connect, as long as there is time.
_RETRY = 0.1
#: Seconds until a server is asked again that has not answered as one.
_ANOTHER = 1.0
_MAX_MESSAGE = 4096
_LARGEST_STATUS = 2**32 - 1
_UNKNOWN, _DEADLINE_EXCEEDED, _UNIMPLEMENTED, _UNAVAILABLE = 2, 4, 12, 14
_CODES = (
    "OK Canceled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists PermissionDenied "
    "ResourceExhausted FailedPrecondition Aborted OutOfRange Unimplemented Internal Unavailable "
    "DataLoss Unauthenticated"
).split()
_HTTP_CODES = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}
_SERVING = 1
_STATUSES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")


class _Answer(msgspec.Struct):
    """What the server has said so far."""

    http_status: int = 200
    status: int | None = None
    message: str = ""
    body: bytes = b""
    connected: bool = False
    over: bool = False


async def check(host: str, port: int, service: str, timeout: float, agent: str) -> Outcome:
    """Ask once; every failure is one of the probe."""
    address = join_host_port(host, port)
    answer = _Answer()
    try:
        async with asyncio.timeout(timeout):
            while not answer.connected:
                await _ask(host, port, answer, _headers(address, agent), _request(service))
    except TimeoutError:
        if not answer.connected:
            return _failure(
                f"timeout: failed to connect service {quote(address)} within "
                f"{go_duration(timeout)}: context deadline exceeded"
            )
        return _failure(f"timeout: health rpc did not complete within {go_duration(timeout)}")
    return _outcome(answer)


async def _ask(
    host: str, port: int, answer: _Answer, headers: list[tuple[str, str]], request: bytes
) -> None:
    """Ask who listens there; whoever does not speak HTTP/2 counts as nobody, as upstream has it,
    and is asked again only after a while."""
    reader, writer = await _connected(host, port)
    try:
        await _call(reader, writer, answer, headers, request)
    except (OSError, ProtocolError) as exc:
        answer.status, answer.message = _UNAVAILABLE, str(exc)
    finally:
        writer.close()
    if not answer.connected:
        answer.status = None
        await asyncio.sleep(_ANOTHER)


async def _connected(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect, again and again where nobody listens yet: the probe's timeout is the end of it."""
    while True:
        with contextlib.suppress(DialFailure):
            return await dial(host, port)
        await asyncio.sleep(_RETRY)


async def _call(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    answer: _Answer,
    headers: list[tuple[str, str]],
    request: bytes,
) -> None:
    connection = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
    connection.initiate_connection()
    stream = connection.get_next_available_stream_id()
    connection.send_headers(stream, headers)
    connection.send_data(stream, request, end_stream=True)
    while not answer.over:
        writer.write(connection.data_to_send())
        received = await reader.read(65536)
        if not received:
            if answer.status is None:
                answer.status, answer.message = _UNAVAILABLE, "error reading from server: EOF"
            return
        for event in connection.receive_data(received):
            _take(answer, event, connection)


def _take(answer: _Answer, event: Event, connection: H2Connection) -> None:
    if isinstance(event, RemoteSettingsChanged):
        answer.connected = True
    elif isinstance(event, ResponseReceived | TrailersReceived):
        _take_headers(answer, dict(event.headers or ()))
    elif isinstance(event, DataReceived):
        answer.body = (answer.body + (event.data or b""))[:_MAX_MESSAGE]
        if event.flow_controlled_length:
            connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id or 1)
    elif isinstance(event, StreamReset | ConnectionTerminated):
        answer.over = True
        code = ErrorCodes(event.error_code or 0).name
        answer.status = _UNAVAILABLE if answer.status is None else answer.status
        answer.message = answer.message or f"stream terminated with error code: {code}"
    elif isinstance(event, StreamEnded):
        answer.over = True


def _take_headers(answer: _Answer, headers: dict[str | bytes, str | bytes]) -> None:
    texts = {str(name): str(value) for name, value in headers.items()}
    if (http_status := number(texts.get(":status", ""), _LARGEST_STATUS)) is not None:
        answer.http_status = http_status
    if (status := number(texts.get("grpc-status", ""), _LARGEST_STATUS)) is not None:
        answer.status = status
        answer.message = unquote(texts.get("grpc-message", ""))


def _outcome(answer: _Answer) -> Outcome:
    code, message = answer.status, answer.message
    if code is None and answer.http_status != 200:
        code = _HTTP_CODES.get(answer.http_status, _UNKNOWN)
        message = f"unexpected HTTP status code received from server: {answer.http_status}"
    if code == _UNIMPLEMENTED:
        return _failure(
            "error: this server does not implement the grpc health protocol "
            f"(grpc.health.v1.Health): {message}"
        )
    if code:
        name = _CODES[code] if code < len(_CODES) else f"Code({code})"
        return _failure(
            f"error: health rpc probe failed: rpc error: code = {name} desc = {message}"
        )
    status = _serving_status(answer.body)
    if status == _SERVING:
        return Outcome(Result.SUCCESS, "service healthy")
    name = _STATUSES[status] if status < len(_STATUSES) else str(status)
    return _failure(f"service unhealthy (responded with {quote(name)})")


def _headers(address: str, agent: str) -> list[tuple[str, str]]:
    return [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", _PATH),
        (":authority", address),
        ("content-type", "application/grpc"),
        ("user-agent", agent),
        ("te", "trailers"),
    ]


def _request(service: str) -> bytes:
    """``HealthCheckRequest{service}``, in gRPC's frame."""
    name = service.encode()
    message = b"\x0a" + _varint(len(name)) + name if name else b""
    return b"\0" + len(message).to_bytes(4, "big") + message


def _varint(number: int) -> bytes:
    encoded = b""
    while number > 0x7F:
        encoded += bytes([number & 0x7F | 0x80])
        number >>= 7
    return encoded + bytes([number])


def _serving_status(body: bytes) -> int:
    """``HealthCheckResponse.status``: field 1, a varint that fits one byte."""
    message = body[5:]
    return message[1] if len(message) >= 2 and message[0] == 0x08 else 0


def _failure(text: str) -> Outcome:
    return Outcome(Result.FAILURE, text)

"""``grpc.health.v1.Health/Check`` as the kubelet asks it: one call over HTTP/2 without TLS.

https://github.com/grpc/grpc/blob/master/doc/health-checking.md; texts follow ``pkg/probe/grpc``.
"""

from __future__ import annotations

import contextlib

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived
from h2.exceptions import ProtocolError

from podium.api.go_text import quote
from podium.domain.pods.durations import go_duration
from podium.domain.pods.probes import Outcome
from podium.kubelet.probing.dial import Connection, DialFailure, Late, join_host_port, moment_in
from podium.kubelet.probing.grpc_answer import UNAVAILABLE, Answer, failure, outcome

_PATH = "/grpc.health.v1.Health/Check"
#: Seconds between two attempts to connect, as long as there is time.
_RETRY = 0.1
#: Seconds until a server is asked again that has not answered as one.
_ANOTHER = 1.0


async def check(host: str, port: int, service: str, timeout: float, agent: str) -> Outcome:
    """Ask once; every failure is one of the probe."""
    address = join_host_port(host, port)
    until, answer = moment_in(timeout), Answer()
    try:
        while not answer.connected:
            answer = Answer()
            with Connection(until) as line:
                await _ask(line, host, port, answer, _headers(address, agent), _request(service))
    except Late:
        if not answer.connected:
            return failure(
                f"timeout: failed to connect service {quote(address)} within "
                f"{go_duration(timeout)}: context deadline exceeded"
            )
        return failure(f"timeout: health rpc did not complete within {go_duration(timeout)}")
    return outcome(answer, timeout)


async def _ask(
    line: Connection,
    host: str,
    port: int,
    answer: Answer,
    headers: list[tuple[str, str]],
    request: bytes,
) -> None:
    """Ask who listens there; whoever does not speak HTTP/2 counts as nobody, as upstream has it,
    and is asked again only after a while."""
    await _connect(line, host, port)
    try:
        await _call(line, answer, headers, request)
    except (OSError, ProtocolError, UnicodeDecodeError) as exc:  # headers may be any bytes
        answer.end(UNAVAILABLE, str(exc))
    if not answer.connected:
        await line.pause(_ANOTHER)


async def _connect(line: Connection, host: str, port: int) -> None:
    """Connect, again and again where nobody listens yet: the probe's timeout is the end of it."""
    while True:
        with contextlib.suppress(DialFailure):
            return await line.dial(host, port)
        await line.pause(_RETRY)


async def _call(
    line: Connection, answer: Answer, headers: list[tuple[str, str]], request: bytes
) -> None:
    connection = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
    connection.initiate_connection()
    stream = connection.get_next_available_stream_id()
    connection.send_headers(stream, headers)
    connection.send_data(stream, request, end_stream=True)
    while answer.code is None:
        await line.send(connection.data_to_send())
        received = await line.receive()
        if not received:
            answer.end(UNAVAILABLE, "error reading from server: EOF")
            return
        for event in connection.receive_data(received):
            answer.take(event)
            if isinstance(event, DataReceived) and event.flow_controlled_length:
                connection.acknowledge_received_data(event.flow_controlled_length, stream)


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

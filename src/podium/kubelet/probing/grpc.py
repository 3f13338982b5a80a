"""``grpc.health.v1.Health/Check`` as the kubelet asks it: one call over HTTP/2 without TLS.

https://github.com/grpc/grpc/blob/master/doc/health-checking.md; texts follow ``pkg/probe/grpc``.
"""

from __future__ import annotations

import contextlib

from podium.api.go_text import quote
from podium.domain.pods.durations import go_duration
from podium.domain.pods.probes import Outcome
from podium.kubelet.probing.dial import Connection, DialFailure, Late, join_host_port, moment_in
from podium.kubelet.probing.grpc_answer import UNAVAILABLE, Answer, failure, outcome
from podium.kubelet.probing.http2 import BadFrames, Frames, opening

_PATH = "/grpc.health.v1.Health/Check"
#: Seconds between two attempts to connect, as long as there is time.
_RETRY = 0.1
#: Seconds until a server is asked again that has not answered as one.
_ANOTHER = 1.0


async def check(host: str, port: int, request: bytes, timeout: float) -> Outcome:
    """Ask once what :func:`request` has made; every failure is one of the probe."""
    until, answer = moment_in(timeout), Answer()
    try:
        while not answer.connected:
            answer = Answer()
            with Connection(until) as line:
                await _ask(line, host, port, answer, request)
    except Late:
        if not answer.connected:
            return failure(
                f"timeout: failed to connect service {quote(join_host_port(host, port))} within "
                f"{go_duration(timeout)}: context deadline exceeded"
            )
        return failure(f"timeout: health rpc did not complete within {go_duration(timeout)}")
    return outcome(answer, timeout)


async def _ask(line: Connection, host: str, port: int, answer: Answer, request: bytes) -> None:
    """Ask who listens there; whoever does not speak HTTP/2 counts as nobody, as upstream has it,
    and is asked again only after a while."""
    await _connect(line, host, port)
    frames = Frames(answer)
    try:
        await line.send(request)
        while answer.code is None:
            received = await line.receive()
            if not received:
                answer.end(UNAVAILABLE, "error reading from server: EOF")
            elif reply := frames.feed(received):
                await line.send(reply)
    except (OSError, BadFrames) as exc:
        answer.end(UNAVAILABLE, str(exc))
    if not answer.connected:
        await line.pause(_ANOTHER)


async def _connect(line: Connection, host: str, port: int) -> None:
    """Connect, again and again where nobody listens yet: the probe's timeout is the end of it."""
    while True:
        with contextlib.suppress(DialFailure):
            return await line.dial(host, port)
        await line.pause(_RETRY)


def request(host: str, port: int, service: str, agent: str) -> bytes:
    """The call of that service's health, ready to be sent."""
    name = service.encode()
    message = b"\x0a" + _varint(len(name)) + name if name else b""
    headers = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", _PATH),
        (":authority", join_host_port(host, port)),
        ("content-type", "application/grpc"),
        ("user-agent", agent),
        ("te", "trailers"),
    ]
    return opening(headers, b"\0" + len(message).to_bytes(4, "big") + message)


def _varint(number: int) -> bytes:
    encoded = b""
    while number > 0x7F:
        encoded += bytes([number & 0x7F | 0x80])
        number >>= 7
    return encoded + bytes([number])

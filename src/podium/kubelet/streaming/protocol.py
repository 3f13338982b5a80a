"""What a peer and the kubelet agree on before bytes move. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any

import msgspec

from podium.runtime.stream_port import StreamOptions

STREAM_PROTOCOL_HEADER = "X-Stream-Protocol-Version"
ACCEPTED_PROTOCOLS_HEADER = "X-Accepted-Stream-Protocol-Versions"
#: Over SPDY, the newest first; the older the less: no JSON below v4, no size below v3.
COMMAND_PROTOCOLS = (
    "v5.channel.k8s.io",
    "v4.channel.k8s.io",
    "v3.channel.k8s.io",
    "v2.channel.k8s.io",
    "channel.k8s.io",
)
#: Over WebSocket. Both forms of the oldest are for clients that name no protocol, too.
WEBSOCKET_PROTOCOLS = (
    "v5.channel.k8s.io",
    "v4.channel.k8s.io",
    "v4.base64.channel.k8s.io",
    "channel.k8s.io",
    "base64.channel.k8s.io",
)
PORT_FORWARD_PROTOCOL = "portforward.k8s.io"
TUNNEL_PROTOCOL = "SPDY/3.1+portforward.k8s.io"
PORT_FORWARD_WEBSOCKET_PROTOCOLS = (
    TUNNEL_PROTOCOL,
    "v4.channel.k8s.io",
    "v4.base64.channel.k8s.io",
)


class BadStreamRequest(ValueError):
    """The request cannot be answered; the text is the body of a 400."""


class Channel(IntEnum):
    """The first byte of a WebSocket message, and which SPDY stream is which."""

    STDIN = 0
    STDOUT = 1
    STDERR = 2
    ERROR = 3
    RESIZE = 4


#: In a v5 message: the channel named by the next byte ends.
CLOSE = 255


class Size(msgspec.Struct, frozen=True):
    width: int
    height: int


class _Size(msgspec.Struct, rename="pascal"):
    width: int = 0
    height: int = 0


def read_size(data: bytes) -> Size | None:
    """Read a message of the resize channel; None where it is none."""
    try:
        found = msgspec.json.decode(data, type=_Size)
    except msgspec.DecodeError:
        return None
    if not (0 <= found.width < 1 << 16 and 0 <= found.height < 1 << 16):
        return None
    return Size(found.width, found.height)


def negotiate(offered: Iterable[str], served: Sequence[str]) -> str | None:
    """Return the first protocol of the client's that is served; None when there is none.

    A client that offers nothing speaks the oldest form, the last of *served*.
    """
    listed = [name.strip() for header in offered for name in header.split(",") if name.strip()]
    if not listed:
        return served[-1]
    return next((name for name in listed if name in served), None)


def refusal(offered: Iterable[str], served: Sequence[str]) -> str:
    """Upstream's words for a client that speaks nothing that is served."""
    return (
        f"unable to upgrade: unable to negotiate protocol: client supports [{' '.join(offered)}], "
        f"server accepts [{' '.join(served)}]"
    )


def stream_options(query: Mapping[str, str]) -> StreamOptions:
    """Read which streams are asked for. Raises BadStreamRequest."""
    tty = _flag(query, "tty")
    options = StreamOptions(
        stdin=_flag(query, "input"),
        stdout=_flag(query, "output"),
        stderr=_flag(query, "error") and not tty,  # a terminal has one stream
        tty=tty,
    )
    if not (options.stdin or options.stdout or options.stderr):
        raise BadStreamRequest("you must specify at least 1 of stdin, stdout, stderr")
    return options


def _flag(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "") in ("1", "true")


def success() -> bytes:
    return _status({"status": "Success"})


def exited(code: int, cmd: Sequence[str]) -> bytes:
    """The Status that ends a command: by code 0, or by another one."""
    if code == 0:
        return success()
    words = f"error executing command [{' '.join(cmd)}], exit code {code}"
    return _status(
        {
            "status": "Failure",
            "message": f"command terminated with non-zero exit code: {words}",
            "reason": "NonZeroExitCode",
            "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
        }
    )


def failed(message: str) -> bytes:
    """The Status of what could not be done at all."""
    return _status(
        {
            "status": "Failure",
            "message": f"Internal error occurred: {message}",
            "reason": "InternalError",
            "details": {"causes": [{"message": message}]},
            "code": 500,
        }
    )


def plain(status: bytes) -> bytes:
    """What protocols older than v4 say instead of a Status: a message, or nothing."""
    found = msgspec.json.decode(status)
    return b"" if found["status"] == "Success" else found["message"].encode()


def _status(content: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"metadata": {}, **content})

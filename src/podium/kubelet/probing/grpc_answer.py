"""What a server answers to a call of ``grpc.health.v1.Health/Check``, and what a probe makes of it.

Pure. Follows grpc-go, whose words events quote, and ``pkg/probe/grpc``.
"""

from __future__ import annotations

import http
from collections.abc import Mapping
from urllib.parse import unquote

import msgspec

from podium.api.go_text import quote
from podium.domain.pods.durations import go_duration
from podium.domain.pods.probes import Outcome, Result
from podium.kit.numbers import number

_MAX_MESSAGE = 4096
_LARGEST = 2**31 - 1
_OK, _UNKNOWN, _DEADLINE_EXCEEDED, _UNIMPLEMENTED, _INTERNAL, UNAVAILABLE = 0, 2, 4, 12, 13, 14
_CODES = (
    "OK Canceled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists PermissionDenied "
    "ResourceExhausted FailedPrecondition Aborted OutOfRange Unimplemented Internal Unavailable "
    "DataLoss Unauthenticated"
).split()
_HTTP_CODES = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}
#: HTTP/2's error codes, and what they are to gRPC.
_HTTP2_ERRORS = (
    ("NO_ERROR", 13),
    ("PROTOCOL_ERROR", 13),
    ("INTERNAL_ERROR", 13),
    ("FLOW_CONTROL_ERROR", 8),
    ("SETTINGS_TIMEOUT", 13),
    ("STREAM_CLOSED", 13),
    ("FRAME_SIZE_ERROR", 13),
    ("REFUSED_STREAM", 14),
    ("CANCEL", 1),
    ("COMPRESSION_ERROR", 13),
    ("CONNECT_ERROR", 13),
    ("ENHANCE_YOUR_CALM", 8),
    ("INADEQUATE_SECURITY", 7),
    ("HTTP_1_1_REQUIRED", 13),
)
_CONTENT_TYPE = "application/grpc"
_SERVING = 1
_STATUSES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")


class Answer(msgspec.Struct):
    """What the server has said so far; ``code`` is gRPC's status, once the call is over."""

    code: int | None = None
    message: str = ""
    body: bytes = b""
    connected: bool = False
    begun: bool = False

    def headers(self, headers: Mapping[str, str], *, last: bool) -> None:
        """Take the headers that an answer begins with, or those that it ends with."""
        if self.begun and not last:
            self.end(_INTERNAL, "a HEADERS frame cannot appear in the middle of a stream")
        elif not self.begun and not _is_grpc(headers):
            if last or not headers.get(":status", "").startswith("1"):  # that only announces one
                self._refuse(headers)
        elif last:
            self.end(*_status(headers))
        else:
            self.begun = True

    def data(self, data: bytes, *, last: bool) -> None:
        self.body = (self.body + data)[:_MAX_MESSAGE]
        if last:
            self.end(_INTERNAL, "server closed the stream without sending trailers")

    def reset(self, error: int) -> None:
        """The server has ended the stream, with an error code of HTTP/2."""
        known = error < len(_HTTP2_ERRORS)
        name, code = _HTTP2_ERRORS[error] if known else (f"unknown error code {error:#x}", _UNKNOWN)
        self.end(code, f"stream terminated by RST_STREAM with error code: {name}")

    def end(self, code: int, message: str) -> None:
        """Note how the call has ended, if it has not."""
        if self.code is None:
            self.code, self.message = code, message

    def _refuse(self, headers: Mapping[str, str]) -> None:
        """Somebody answered who does not speak gRPC."""
        status, kind = number(headers.get(":status", ""), _LARGEST), headers.get("content-type")
        said = f"unexpected HTTP status code received from server: {status} ({_phrase(status)})"
        about = "malformed header: missing HTTP content-type"
        if kind is not None:
            about = f"transport: received unexpected content-type {quote(kind)}"
        self.end(_HTTP_CODES.get(status or 0, _UNKNOWN), f"{said}; {about}")


def _is_grpc(headers: Mapping[str, str]) -> bool:
    kind = headers.get("content-type", "")
    return kind.startswith(_CONTENT_TYPE) and kind[len(_CONTENT_TYPE) :][:1] in ("", "+", ";")


def _status(headers: Mapping[str, str]) -> tuple[int, str]:
    """The status that trailers end a call with."""
    text = headers.get("grpc-status")
    if text is None:
        return _UNKNOWN, unquote(headers.get("grpc-message", ""))
    code = number(text, _LARGEST)
    if code is None:
        digits = text.isascii() and text.isdigit()
        why = "value out of range" if digits else "invalid syntax"
        said = f"strconv.ParseInt: parsing {quote(text)}: {why}"
        return _UNKNOWN, f"transport: malformed grpc-status: {said}"
    return code, unquote(headers.get("grpc-message", ""))


def _phrase(status: int | None) -> str:
    try:
        return http.HTTPStatus(status or 0).phrase
    except ValueError:
        return ""


def outcome(answer: Answer, timeout: float) -> Outcome:
    """What a call that is over says about the container."""
    code, message = answer.code, answer.message
    if code == _UNIMPLEMENTED:
        return failure(
            "error: this server does not implement the grpc health protocol "
            f"(grpc.health.v1.Health): {message}"
        )
    if code == _DEADLINE_EXCEEDED:
        return failure(f"timeout: health rpc did not complete within {go_duration(timeout)}")
    if code != _OK:
        code = _UNKNOWN if code is None else code
        name = _CODES[code] if code < len(_CODES) else f"Code({code})"
        return failure(f"error: health rpc probe failed: rpc error: code = {name} desc = {message}")
    status = _serving_status(answer.body)
    if status == _SERVING:
        return Outcome(Result.SUCCESS, "service healthy")
    name = _STATUSES[status] if status < len(_STATUSES) else str(status)
    return failure(f"service unhealthy (responded with {quote(name)})")


def _serving_status(body: bytes) -> int:
    """``HealthCheckResponse.status``: field 1, a varint that fits one byte."""
    message = body[5:]
    return message[1] if len(message) >= 2 and message[0] == 0x08 else 0


def failure(text: str) -> Outcome:
    return Outcome(Result.FAILURE, text)

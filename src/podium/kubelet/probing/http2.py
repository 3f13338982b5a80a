"""HTTP/2 as one call needs it: a request on a connection of its own, and the frames that answer it.

Pure: bytes in, bytes to send back out. The frames and their headers are read by hyperframe and
hpack; h2, the state machine above them, takes three times as long as all the rest of a probe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hpack import Decoder, Encoder
from hpack.exceptions import HPACKError
from hyperframe.exceptions import HyperframeError
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
)

from podium.kubelet.probing.grpc_answer import UNAVAILABLE, Answer

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_STREAM = 1
_FRAME_HEADER = 9
#: What a frame may hold, and the headers of an answer.
_LARGEST_FRAME, _LARGEST_HEADERS = 1 << 14, 1 << 16
#: Frames that are read of one answer, of which a few are enough: reading them is our time.
_MOST_FRAMES = 1000


class BadFrames(Exception):
    """What came is no HTTP/2."""


def opening(headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    """All that a client sends of a connection with one request."""
    settings = SettingsFrame(0, {SettingsFrame.ENABLE_PUSH: 0})
    head = HeadersFrame(_STREAM, Encoder().encode(headers), flags=["END_HEADERS"])
    data = DataFrame(_STREAM, body, flags=["END_STREAM"])
    return _PREFACE + b"".join(frame.serialize() for frame in (settings, head, data))


class Frames:
    """Those of the answer, which is told of them as they come."""

    def __init__(self, answer: Answer) -> None:
        self._answer, self._rest = answer, b""
        self._decoder = Decoder(_LARGEST_HEADERS)
        self._count = 0
        self._block = b""  # headers that are not complete
        self._last = False  # the stream ends with them

    def feed(self, data: bytes) -> bytes:
        """Take what has come, and return what the server is owed for it. Raises BadFrames."""
        self._rest += data
        try:
            return b"".join(reply.serialize() for reply in self._replies())
        except HPACKError as exc:  # its own text is another each time
            text = "error reading from server: connection error: COMPRESSION_ERROR"
            raise BadFrames(text) from exc
        except HyperframeError as exc:
            raise BadFrames(str(exc)) from exc

    def _replies(self) -> Iterator[Frame]:
        while (frame := self._next()) is not None:
            if not self._answer.connected and not isinstance(frame, SettingsFrame):
                raise BadFrames(f"initial http2 frame from server is not a settings frame: {frame}")
            if isinstance(frame, SettingsFrame | PingFrame):
                self._answer.connected = True
                if "ACK" not in frame.flags:
                    yield _acknowledged(frame)
            else:
                self._take(frame)

    def _next(self) -> Frame | None:
        if len(self._rest) < _FRAME_HEADER:
            return None
        frame, length = Frame.parse_frame_header(memoryview(self._rest[:_FRAME_HEADER]))
        if length > _LARGEST_FRAME:
            raise BadFrames("http2: frame too large")
        end = _FRAME_HEADER + length
        if len(self._rest) < end:
            return None
        self._count += 1
        if self._count > _MOST_FRAMES:
            raise BadFrames("http2: too many frames")
        frame.parse_body(memoryview(self._rest[_FRAME_HEADER:end]))
        self._rest = self._rest[end:]
        return frame

    def _take(self, frame: Frame) -> None:
        if isinstance(frame, PushPromiseFrame):
            raise BadFrames("http2: a push that was not allowed")
        if isinstance(frame, GoAwayFrame):
            if frame.last_stream_id < _STREAM:
                text = "the stream is rejected because server is draining the connection"
                self._answer.end(UNAVAILABLE, text)
        elif frame.stream_id != _STREAM:
            return
        elif isinstance(frame, HeadersFrame | ContinuationFrame):
            self._take_headers(frame)
        elif isinstance(frame, DataFrame):
            self._answer.data(frame.data, last="END_STREAM" in frame.flags)
        elif isinstance(frame, RstStreamFrame):
            self._answer.reset(frame.error_code)

    def _take_headers(self, frame: HeadersFrame | ContinuationFrame) -> None:
        if isinstance(frame, HeadersFrame):
            self._last = "END_STREAM" in frame.flags
        self._block += frame.data
        if len(self._block) > _LARGEST_HEADERS:
            raise BadFrames("peer header list size exceeded limit")
        if "END_HEADERS" in frame.flags:
            found = self._decoder.decode(self._block, raw=True)
            self._block = b""
            headers = {_text(name): _text(value) for name, value in found}
            self._answer.headers(headers, last=self._last)


def _text(header: bytes | str) -> str:
    return header if isinstance(header, str) else header.decode(errors="replace")


def _acknowledged(frame: SettingsFrame | PingFrame) -> Frame:
    if isinstance(frame, PingFrame):
        return PingFrame(0, frame.opaque_data, flags=["ACK"])
    return SettingsFrame(0, flags=["ACK"])

"""One end of a SPDY connection as a value: bytes in, events out; commands in, bytes out.

    connection.receive(data) -> events        what the peer has done
    connection.open(headers) -> stream        and reply, send, finish, reset, close
    connection.data_to_send() -> bytes        what is to be written after either of them

A stream's two directions end apart: ``finish`` ends ours, ``fin`` in an event is the peer's. A
stream that was reset, or has ended both ways, is forgotten; what still comes for it is dropped.
"""

from __future__ import annotations

import msgspec

from podium.kit.spdy.frames import (
    MAX_DATA,
    Data,
    Decoder,
    Encoder,
    Frame,
    GoAway,
    Headers,
    HeadersFrame,
    Ping,
    ProtocolError,
    ResetStatus,
    RstStream,
    SynReply,
    SynStream,
)

_LAST_STREAM = 0x7FFF_FFFF
#: Streams that may be open at once; those that a peer opens beyond them are refused.
MOST_STREAMS = 4096


class StreamOpened(msgspec.Struct, frozen=True):
    """The peer opened a stream; it expects :meth:`Connection.reply` before it sends data."""

    stream: int
    headers: Headers
    fin: bool = False


class StreamReplied(msgspec.Struct, frozen=True):
    """The peer took a stream that we opened."""

    stream: int
    headers: Headers
    fin: bool = False


class DataReceived(msgspec.Struct, frozen=True):
    stream: int
    data: bytes
    fin: bool = False


class StreamReset(msgspec.Struct, frozen=True):
    stream: int
    status: int


class Closing(msgspec.Struct, frozen=True):
    """The peer opens no more streams; those up to *last_good_stream* go on."""

    last_good_stream: int


Event = StreamOpened | StreamReplied | DataReceived | StreamReset | Closing


class _Stream(msgspec.Struct):
    ours_open: bool = True
    theirs_open: bool = True


class Connection:
    """The streams of one connection. Not for use from several threads."""

    def __init__(self, *, server: bool) -> None:
        self._server = server
        self._next = 2 if server else 1
        self._newest = 0  # the peer's
        self._streams: dict[int, _Stream] = {}
        self._encoder, self._decoder = Encoder(), Decoder()
        self._out: list[bytes] = []
        self._closed = False

    # -- what the peer does

    def receive(self, data: bytes) -> list[Event]:
        """Return what *data*, as it was read, tells. Raises ProtocolError."""
        events = (self._event(frame) for frame in self._decoder.feed(data))
        return [event for event in events if event is not None]

    def _event(self, frame: Frame) -> Event | None:
        match frame:
            case SynStream():
                return self._opened(frame)
            case Ping(number):
                if number % 2 == self._server:  # not an answer to one of ours
                    self._write(frame)
                return None
            case GoAway(last):
                return Closing(last)
        stream = self._streams.get(frame.stream)
        if stream is None:
            return None
        match frame:
            case RstStream(number, status):
                del self._streams[number]
                return StreamReset(number, status)
            case SynReply(number, headers, fin):
                self._ended(number, stream, theirs=fin)
                return StreamReplied(number, headers, fin)
            case Data(number, data, fin):
                if not stream.theirs_open:
                    self.reset(number, ResetStatus.PROTOCOL_ERROR)
                    return None
                self._ended(number, stream, theirs=fin)
                return DataReceived(number, data, fin)
            case HeadersFrame(number, _, fin):
                self._ended(number, stream, theirs=fin)
                return DataReceived(number, b"", fin) if fin else None

    def _opened(self, frame: SynStream) -> Event | None:
        if frame.stream % 2 != self._server or frame.stream <= self._newest:
            raise ProtocolError(f"stream {frame.stream} cannot be opened by the peer")
        self._newest = frame.stream
        if self._closed or len(self._streams) >= MOST_STREAMS:
            self._write(RstStream(frame.stream, ResetStatus.REFUSED_STREAM))
            return None
        self._streams[frame.stream] = _Stream(not frame.unidirectional, not frame.fin)
        return StreamOpened(frame.stream, frame.headers, frame.fin)

    # -- what we do

    def open(self, headers: Headers, *, fin: bool = False) -> int:
        """Open a stream and return its number; with *fin* we shall send nothing on it."""
        if self._next > _LAST_STREAM:
            raise ProtocolError("no more stream numbers")
        number, self._next = self._next, self._next + 2
        self._streams[number] = _Stream(ours_open=not fin)
        self._write(SynStream(number, headers, fin))
        return number

    def reply(self, stream: int, headers: Headers | None = None) -> None:
        """Take a stream that the peer opened."""
        if stream in self._streams:
            self._write(SynReply(stream, headers or {}))

    def send(self, stream: int, data: bytes) -> None:
        """Send *data*; dropped where the stream is over already."""
        found = self._streams.get(stream)
        if found is None or not found.ours_open:
            return
        for begin in range(0, len(data), MAX_DATA):
            self._write(Data(stream, data[begin : begin + MAX_DATA]))

    def finish(self, stream: int) -> None:
        """End our direction of a stream. Repeatable."""
        found = self._streams.get(stream)
        if found is not None and found.ours_open:
            self._write(Data(stream, b"", fin=True))
            self._ended(stream, found, ours=True)

    def reset(self, stream: int, status: ResetStatus = ResetStatus.CANCEL) -> None:
        """Break a stream off, both ways. Repeatable."""
        if self._streams.pop(stream, None) is not None:
            self._write(RstStream(stream, status))

    def ping(self) -> None:
        """Ask for a sign of life, to keep the connection from looking idle."""
        self._write(Ping(2 if self._server else 1))

    def close(self) -> None:
        """Take no more streams; those that are open go on. Repeatable."""
        if not self._closed:
            self._closed = True
            self._write(GoAway(self._newest))

    def data_to_send(self) -> bytes:
        """Return what has to be written now, and forget it."""
        data, self._out = b"".join(self._out), []
        return data

    @property
    def open_streams(self) -> frozenset[int]:
        return frozenset(self._streams)

    def _write(self, frame: Frame) -> None:
        self._out.append(self._encoder.encode(frame))

    def _ended(
        self, number: int, stream: _Stream, *, ours: bool = False, theirs: bool = False
    ) -> None:
        stream.ours_open = stream.ours_open and not ours
        stream.theirs_open = stream.theirs_open and not theirs
        if not stream.ours_open and not stream.theirs_open:
            self._streams.pop(number, None)

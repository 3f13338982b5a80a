"""Frames of SPDY/3.1 as values and as bytes; what a frame means to its stream is not known here."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum

import msgspec

from podium.kit.spdy.dictionary import DICTIONARY

#: Names are lower case; a name has one value or several.
Headers = Mapping[str, Sequence[str]]

_VERSION = 3
_CONTROL = 0x8000_0000
_FIN = 0x01
_UNIDIRECTIONAL = 0x02
#: The longest data that fits one frame, and the longest control frame that is read.
MAX_DATA = (1 << 24) - 1
_MAX_CONTROL = 1 << 18
#: What a block of headers may become once it is decompressed.
_MAX_HEADERS = 1 << 18


class ProtocolError(Exception):
    """What came is not SPDY/3.1, or more than is taken; the connection is beyond repair."""


class Kind(IntEnum):
    SYN_STREAM = 1
    SYN_REPLY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PING = 6
    GOAWAY = 7
    HEADERS = 8
    WINDOW_UPDATE = 9


class ResetStatus(IntEnum):
    PROTOCOL_ERROR = 1
    INVALID_STREAM = 2
    REFUSED_STREAM = 3
    UNSUPPORTED_VERSION = 4
    CANCEL = 5
    INTERNAL_ERROR = 6
    FLOW_CONTROL_ERROR = 7


class SynStream(msgspec.Struct, frozen=True):
    stream: int
    headers: Headers = msgspec.field(default_factory=dict)
    fin: bool = False
    unidirectional: bool = False


class SynReply(msgspec.Struct, frozen=True):
    stream: int
    headers: Headers = msgspec.field(default_factory=dict)
    fin: bool = False


class HeadersFrame(msgspec.Struct, frozen=True):
    stream: int
    headers: Headers = msgspec.field(default_factory=dict)
    fin: bool = False


class RstStream(msgspec.Struct, frozen=True):
    stream: int
    status: int


class Ping(msgspec.Struct, frozen=True):
    id: int


class GoAway(msgspec.Struct, frozen=True):
    last_good_stream: int
    status: int = 0


class Data(msgspec.Struct, frozen=True):
    stream: int
    data: bytes
    fin: bool = False


Frame = SynStream | SynReply | HeadersFrame | RstStream | Ping | GoAway | Data


class Encoder:
    """Frames to bytes, for one direction of one connection: headers are compressed as they go."""

    def __init__(self) -> None:
        self._compress = zlib.compressobj(zdict=DICTIONARY)

    def encode(self, frame: Frame) -> bytes:
        """Return *frame* as bytes. Raises ValueError for data of more than :data:`MAX_DATA`."""
        match frame:
            case Data(stream, data, fin):
                if len(data) > MAX_DATA:
                    raise ValueError(f"{len(data)} bytes do not fit one frame")
                return struct.pack(">II", stream, fin << 24 | len(data)) + data
            case SynStream(stream, headers, fin, unidirectional):
                body = struct.pack(">IIBB", stream, 0, 0, 0) + self._block(headers)
                flags = fin * _FIN | unidirectional * _UNIDIRECTIONAL
                return _control(Kind.SYN_STREAM, flags, body)
            case SynReply(stream, headers, fin):
                return _control(Kind.SYN_REPLY, fin * _FIN, self._with_headers(stream, headers))
            case HeadersFrame(stream, headers, fin):
                return _control(Kind.HEADERS, fin * _FIN, self._with_headers(stream, headers))
            case RstStream(stream, status):
                return _control(Kind.RST_STREAM, 0, struct.pack(">II", stream, status))
            case Ping(number):
                return _control(Kind.PING, 0, struct.pack(">I", number))
            case GoAway(last, status):
                return _control(Kind.GOAWAY, 0, struct.pack(">II", last, status))

    def _with_headers(self, stream: int, headers: Headers) -> bytes:
        return struct.pack(">I", stream) + self._block(headers)

    def _block(self, headers: Headers) -> bytes:
        parts = [struct.pack(">I", len(headers))]
        for name, values in headers.items():
            for text in (name.lower(), "\0".join(values)):
                encoded = text.encode()
                parts += [struct.pack(">I", len(encoded)), encoded]
        return self._compress.compress(b"".join(parts)) + self._compress.flush(zlib.Z_SYNC_FLUSH)


def _control(kind: Kind, flags: int, body: bytes) -> bytes:
    head = _CONTROL | _VERSION << 16 | kind
    return struct.pack(">II", head, flags << 24 | len(body)) + body


class Decoder:
    """Bytes to frames, for one direction of one connection."""

    def __init__(self) -> None:
        self._decompress = zlib.decompressobj(zdict=DICTIONARY)
        self._pending = bytearray()
        self._data: tuple[int, int, bool] | None = None  #: stream, bytes to come, whether it ends

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take what was read and yield the frames that are complete; to be exhausted each time.

        Data comes as it is read, a long frame as several: nothing is kept until all is there.
        Frames that Kubernetes' streams have no use for (SETTINGS, WINDOW_UPDATE) are passed over.
        Raises ProtocolError.
        """
        self._pending += data
        begin = 0
        while True:
            left = len(self._pending) - begin
            if self._data is not None:
                stream, missing, fin = self._data
                size = min(left, missing)
                if missing and not size:
                    break
                body = bytes(memoryview(self._pending)[begin : begin + size])
                begin += size
                done = size == missing
                self._data = None if done else (stream, missing - size, fin)
                yield Data(stream, body, fin and done)
                continue
            if left < 8:
                break
            head, tail = struct.unpack_from(">II", self._pending, begin)
            flags, length = tail >> 24, tail & 0xFF_FFFF
            if not head & _CONTROL:
                self._data = (head, length, bool(flags & _FIN))
                begin += 8
                continue
            if length > _MAX_CONTROL:
                raise ProtocolError(f"control frame of {length} bytes")
            if left < 8 + length:
                break
            body = bytes(memoryview(self._pending)[begin + 8 : begin + 8 + length])
            begin += 8 + length
            frame = self._control(head, flags, body)
            if frame is not None:
                yield frame
        del self._pending[:begin]

    def _control(self, head: int, flags: int, body: bytes) -> Frame | None:
        version, kind = head >> 16 & 0x7FFF, head & 0xFFFF
        if version != _VERSION:
            raise ProtocolError(f"version {version} of SPDY")
        fin = bool(flags & _FIN)
        try:
            if kind == Kind.SYN_STREAM:
                stream, _associated, _priority = struct.unpack_from(">IIH", body)
                one_way = bool(flags & _UNIDIRECTIONAL)
                return SynStream(_number(stream), self._headers(body[10:]), fin, one_way)
            if kind == Kind.SYN_REPLY:
                (stream,) = struct.unpack_from(">I", body)
                return SynReply(_number(stream), self._headers(body[4:]), fin)
            if kind == Kind.HEADERS:
                (stream,) = struct.unpack_from(">I", body)
                return HeadersFrame(_number(stream), self._headers(body[4:]), fin)
            if kind == Kind.RST_STREAM:
                stream, status = struct.unpack(">II", body)
                return RstStream(_number(stream), status)
            if kind == Kind.PING:
                return Ping(*struct.unpack(">I", body))
            if kind == Kind.GOAWAY:
                last, status = struct.unpack(">II", body)
                return GoAway(_number(last), status)
        except struct.error as exc:
            raise ProtocolError(f"frame of type {kind}: {exc}") from exc
        return None

    def _headers(self, block: bytes) -> dict[str, tuple[str, ...]]:
        try:
            plain = self._decompress.decompress(block, _MAX_HEADERS)
        except zlib.error as exc:
            raise ProtocolError(f"headers: {exc}") from exc
        if self._decompress.unconsumed_tail:
            raise ProtocolError(f"headers of more than {_MAX_HEADERS} bytes")
        texts = list(_texts(plain))
        pairs = zip(texts[::2], texts[1::2], strict=True)
        return {name: tuple(value.split("\0")) for name, value in pairs}


def _number(stream: int) -> int:
    return stream & 0x7FFF_FFFF


def _texts(plain: bytes) -> Iterator[str]:
    """Names and values in turn."""
    (count,) = struct.unpack_from(">I", plain)
    at = 4
    for _ in range(2 * min(count, len(plain))):
        (length,) = struct.unpack_from(">I", plain, at)
        text = plain[at + 4 : at + 4 + length]
        if len(text) != length:
            raise ProtocolError("headers that end too early")
        yield text.decode("utf-8", "replace")
        at += 4 + length

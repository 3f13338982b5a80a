"""A WebSocket to the API server, as exec and attach need one (RFC 6455): no event loop, little to
load, so that a short command stays short."""

from __future__ import annotations

import binascii
import os
from functools import lru_cache

from podium.kubectl.unblocked import Refused, Unblocked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from podium.kubectl.http import Http, Query

_CONTINUATION, _BINARY, _CLOSE, _PING, _PONG = 0x0, 0x2, 0x8, 0x9, 0xA
_FIN, _MASKED = 0x80, 0x80
#: What a server answers a key with: the key and this, hashed.
_ACCEPTS = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class WebSocket(Unblocked):
    """Messages over one connection."""

    def __init__(self, http: Http, path: str, query: Query, protocols: Sequence[str]) -> None:
        """Open it with one of *protocols*. Raises Refused, Unreachable."""
        key = binascii.b2a_base64(os.urandom(16), newline=False)
        headers = [
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", key.decode()),
            ("Sec-WebSocket-Protocol", ", ".join(protocols)),
        ]
        super().__init__(http, "GET", path, query, headers)
        self.protocol = self.response.header("sec-websocket-protocol")
        accepted = self.response.header("sec-websocket-accept") == _accepted(key)
        if not accepted or self.protocol not in protocols:
            self.close()
            raise Refused("unable to upgrade connection: websocket: bad handshake")
        self._received = bytearray()

    # -- out

    def send(self, *parts: bytes) -> None:
        """Take a message on; it goes with :meth:`flush`."""
        self._frame(_BINARY, *parts)

    def _frame(self, opcode: int, *parts: bytes) -> None:
        length = sum(map(len, parts))
        if length < 126:
            head = bytes((_FIN | opcode, _MASKED | length))
        elif length < 1 << 16:
            head = bytes((_FIN | opcode, _MASKED | 126)) + length.to_bytes(2, "big")
        else:
            head = bytes((_FIN | opcode, _MASKED | 127)) + length.to_bytes(8, "big")
        key = os.urandom(4)
        self.put(b"".join((head, key, _xor(b"".join(parts), key))))

    # -- in

    def receive(self) -> Iterator[bytes]:
        """Yield the messages that have come. Raises Unreachable."""
        for data in self.take():
            self._received += data
            yield from self._messages()

    def _messages(self) -> Iterator[bytes]:
        """Frames are messages: servers of Kubernetes' streams do not tear any apart."""
        place, received = 0, self._received
        while (found := _head(received, place)) is not None:
            opcode, begin, length = found
            if len(received) < begin + length:
                break
            payload = bytes(memoryview(received)[begin : begin + length])
            place = begin + length
            if opcode == _PING:
                self._frame(_PONG, payload)
            elif opcode == _CLOSE:
                self._ended = True
            elif opcode != _PONG:
                yield payload
        del received[:place]


def _head(data: bytearray, place: int) -> tuple[int, int, int] | None:
    """Return a frame's opcode, where its payload begins and how long that is; None: not yet."""
    if len(data) < place + 2:
        return None
    length, begin = data[place + 1] & 0x7F, place + 2
    size = {126: 2, 127: 8}.get(length, 0)
    if len(data) < begin + size:
        return None
    if size:
        length = int.from_bytes(data[begin : begin + size], "big")
    return data[place] & 0x0F, begin + size, length


def _accepted(key: bytes) -> str:
    from hashlib import sha1  # loaded with the rest of TLS, or hardly ever wanted

    digest = sha1(key + _ACCEPTS, usedforsecurity=False).digest()
    return binascii.b2a_base64(digest, newline=False).decode()


def _xor(data: bytes, key: bytes) -> bytes:
    """Mask *data*, by arithmetic on very long numbers."""
    words = -(-len(data) // 4)
    mask = _ones(words) * int.from_bytes(key, "little")
    number = int.from_bytes(data, "little") ^ mask
    return number.to_bytes(4 * words, "little")[: len(data)]


@lru_cache(4)
def _ones(words: int) -> int:
    """Return the number that times a word is so many of that word."""
    return int.from_bytes(b"\1\0\0\0" * words, "little")

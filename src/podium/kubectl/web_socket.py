"""A WebSocket to the API server, as exec and attach need one (RFC 6455): no event loop, little to
load, so that a short command stays short."""

from __future__ import annotations

import binascii
import os
import ssl
from collections import deque
from functools import lru_cache

from podium.kubectl.errors import CommandError, Unreachable
from podium.kubectl.http import told_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from podium.kubectl.http import Http, Query

_CONTINUATION, _BINARY, _CLOSE, _PING, _PONG = 0x0, 0x2, 0x8, 0x9, 0xA
_FIN, _MASKED = 0x80, 0x80
#: As much as one record of TLS carries: more never comes at once.
_PIECE = 1 << 14
#: What a server answers a key with: the key and this, hashed.
_ACCEPTS = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class WebSocket:
    """One connection. It never blocks: who waits asks :meth:`fileno` and :attr:`unsent`."""

    def __init__(self, http: Http, path: str, query: Query, protocols: Sequence[str]) -> None:
        """Open it with one of *protocols*. Raises CommandError.

        It begins with a GET, as it should; whoever may only ``create`` begins with a POST, which
        upstream's servers take for SPDY alone.
        """
        key = binascii.b2a_base64(os.urandom(16), newline=False)
        headers = [
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", key.decode()),
            ("Sec-WebSocket-Protocol", ", ".join(protocols)),
        ]
        for method in ("GET", "POST"):
            upgraded = http.upgrade(method, path, query, headers)
            if upgraded.socket is not None:
                self._socket = upgraded.socket
                break
        else:
            said = upgraded.said
            text = told_in(said) or said.decode(errors="replace").strip()
            raise CommandError(f"unable to upgrade connection: {text}")
        response = upgraded.response
        self.protocol = response.header("sec-websocket-protocol")
        if response.header("sec-websocket-accept") != _accepted(key) or (
            self.protocol not in protocols
        ):
            self._socket.close()
            raise CommandError("unable to upgrade connection: websocket: bad handshake")
        #: Masks keep what is sent from being taken for something else by who reads it on the way:
        #: below TLS nobody does, and a mask of zeros changes nothing.
        self._masks = http.server.scheme != "https"
        self._server = http.authority
        self._socket.setblocking(False)
        self._received = bytearray(upgraded.said)
        self._out: deque[memoryview] = deque()
        self._unsent = 0
        self._ended = False

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    @property
    def unsent(self) -> int:
        """How many bytes wait until the connection takes them."""
        return self._unsent

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
        if self._masks:
            key = os.urandom(4)
            parts = (_xor(b"".join(parts), key),)
        else:
            key = bytes(4)
        frame = b"".join((head, key, *parts))
        self._out.append(memoryview(frame))
        self._unsent += len(frame)

    def flush(self) -> None:
        """Write as much as the connection takes. Raises Unreachable."""
        try:
            while self._out:
                sent = self._socket.send(self._out[0])
                self._unsent -= sent
                self._out[0] = self._out[0][sent:]
                if not self._out[0]:
                    self._out.popleft()
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return
        except OSError as exc:
            raise Unreachable(self._server, exc) from exc

    # -- in

    def receive(self) -> Iterator[bytes]:
        """Yield the messages that have come. :attr:`ended` tells whether more may. Raises
        Unreachable."""
        yield from self._messages()
        while not self._ended:
            try:
                data = self._socket.recv(_PIECE)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError as exc:
                if isinstance(exc, ssl.SSLEOFError | ConnectionResetError):
                    data = b""
                else:
                    raise Unreachable(self._server, exc) from exc
            self._ended = not data
            self._received += data
            yield from self._messages()

    @property
    def ended(self) -> bool:
        return self._ended

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

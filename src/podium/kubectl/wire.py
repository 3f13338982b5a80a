"""HTTP/1.1 over one socket: a request, its answer, the next. What ``http.client`` would do, without
the mail parser that it loads."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Iterator, Sequence
    from typing import BinaryIO

    Headers = Sequence[tuple[str, str]]

_LONGEST_LINE = 1 << 20
_MOST_HEADERS = 1000
_PIECE = 1 << 16
_SWITCHED = 101
_DIGITS = {10: "0123456789", 16: "0123456789abcdefABCDEF"}


class WireError(Exception):
    """What came is no answer of HTTP, or not the whole of one."""


class Response:
    """An answer whose body is still to be read, once. Header names are in small letters."""

    __slots__ = ("_file", "_whole", "headers", "reason", "status")

    def __init__(self, file: BinaryIO, method: str) -> None:
        """Read the head. Raises WireError, OSError."""
        self._file = file
        version, _, rest = _line(file, "EOF").partition(" ")
        code, _, self.reason = rest.partition(" ")
        if not version.startswith("HTTP/1.") or not code.isdigit():
            raise WireError(f'malformed HTTP response "{version} {rest}"'.rstrip())
        self.status = int(code)
        self.headers: list[tuple[str, str]] = []
        while line := _line(file):
            name, _, value = line.partition(":")
            self.headers.append((name.strip().lower(), value.strip()))
            if len(self.headers) > _MOST_HEADERS:
                raise WireError("too many headers")
        empty = method == "HEAD" or self.status in (204, 304) or self.status < 200
        self._whole = empty

    def header(self, name: str) -> str:
        """Return the first header *name*, "" where there is none."""
        return next((value for known, value in self.headers if known == name), "")

    @property
    def reusable(self) -> bool:
        """Whether another request may follow, once the body has been read."""
        closes = self.header("connection").lower() == "close"
        return self._whole and not closes

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it comes. Raises WireError, OSError."""
        if self._whole:
            return
        if self.header("transfer-encoding").lower() == "chunked":
            yield from self._chunks()
        elif length := self.header("content-length"):
            yield from self._exactly(_size(length, 10, f'bad Content-Length "{length}"'))
        else:
            while piece := _some(self._file):
                yield piece
            return  # it ended with the connection
        self._whole = True

    def read(self) -> bytes:
        return b"".join(self.pieces())

    def lines(self) -> Iterator[bytes]:
        """Yield the body line by line, with their ends. Raises WireError, OSError."""
        return lines(self.pieces())

    def _chunks(self) -> Iterator[bytes]:
        while True:
            text = _line(self._file).partition(";")[0].strip()
            size = _size(text, 16, "invalid byte in chunk length")
            if not size:
                while _line(self._file):
                    pass
                return
            yield from self._exactly(size)
            _line(self._file)

    def _exactly(self, size: int) -> Iterator[bytes]:
        while size:
            piece = self._file.read(min(size, _PIECE))
            if not piece:
                raise WireError("unexpected EOF")
            size -= len(piece)
            yield piece


class Wire:
    """A connection that is open. With a *buffer* of 0 no byte is read before it is asked for."""

    def __init__(self, connected: socket.socket, buffer: int = -1) -> None:
        self._socket = connected
        self._file: BinaryIO = connected.makefile("rb", buffer)  # type: ignore[assignment]

    def ask(self, method: str, target: str, headers: Headers, body: bytes | None) -> Response:
        """Send a request, and read the head of its answer. Raises WireError, OSError."""
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join(lines)
        if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
            raise WireError("net/http: invalid header field value")
        self._socket.sendall(head.encode() + b"\r\n\r\n" + (body or b""))
        while True:
            response = Response(self._file, method)
            if response.status >= 200 or response.status == _SWITCHED:
                # What comes before is only a greeting.
                return response

    def taken_over(self) -> tuple[socket.socket, bytes]:
        """Return the connection for something else than HTTP, and what was read ahead of it."""
        self._socket.setblocking(False)
        try:
            ahead: bytes = self._file.peek()  # type: ignore[attr-defined]
        except (BlockingIOError, OSError):
            ahead = b""  # nothing was, nor has come: TLS says so by an error
        self._file.close()
        return self._socket, ahead

    def cut(self) -> None:
        """Let nothing more come, also where another thread waits for it."""
        import contextlib
        import socket

        with contextlib.suppress(OSError):  # it has just been closed
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        self._file.close()
        self._socket.close()


def lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of what comes in pieces, with their ends."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line + b"\n"
    if rest:
        yield rest


def _line(file: BinaryIO, nothing: str = "unexpected EOF") -> str:
    """Read a line; *nothing* is what is said where none begins."""
    line = file.readline(_LONGEST_LINE)
    if not line:
        raise WireError(nothing)
    if not line.endswith(b"\n"):
        raise WireError("unexpected EOF" if len(line) < _LONGEST_LINE else "line too long")
    return line.rstrip(b"\r\n").decode("latin-1")


def _size(text: str, base: int, wrong: str) -> int:
    """Read a number of bytes: its digits alone, where ``int`` takes signs, too. Raises WireError
    with *wrong*."""
    if not text or text.strip(_DIGITS[base]):
        raise WireError(wrong)
    return int(text, base)


def _some(file: BinaryIO) -> bytes:
    read: bytes = file.read1(_PIECE)  # type: ignore[attr-defined]
    return read

"""What a server answers to an HTTP request, read from bytes as they come.

Pure. Only what a probe wants is kept: the status, where a redirect leads, the body's beginning.
"""

from __future__ import annotations

import re

from podium.api.go_text import quote
from podium.kit.numbers import number

#: Bytes of a body that are read.
MAX_BODY = 10 * 1024
_MAX_HEAD = 1 << 20
_MAX_LINE = 4096
_TOO_LONG = f"net/http: server response headers exceeded {_MAX_HEAD} bytes; aborted"
_LARGEST = 2**63 - 1
_BROKEN = "net/http: HTTP/1.x transport connection broken: "
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})(?: .*)?")
_CHUNK_END = b"\r\n"
_SIZE = re.compile(rb"[0-9a-fA-F]{1,16}")
#: The headers that matter; of several of one name the first.
_HEADERS = frozenset((b"location", b"content-length", b"transfer-encoding"))
_FOLDS = (b" ", b"\t")
_BODILESS = (204, 304)
_SWITCHING = 101


class HeadFailure(Exception):
    """What came is no answer; the text is that of Go's HTTP client."""


class BodyFailure(Exception):
    """An answer whose body broke off."""


class Answer:
    """An answer that grows: fed until it has begun, and on until it is complete."""

    def __init__(self) -> None:
        self.status = 0
        self.begun = False  #: the head is there
        self.body = bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._in_headers = False  # there was one already, that a line may go on with
        self._rest, self._at = b"", 0  # what has come, and where in it to read on
        self._came = 0
        self._ended = False  # nothing more will come
        self._chunked = False
        self._left: int | None = 0  # of a body its length, None: unknown; of chunks what is to come
        self._over = False

    @property
    def location(self) -> str:
        return self._headers.get(b"location", b"").decode("latin-1")

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    def feed(self, data: bytes) -> None:
        """Take what has come; nothing stands for the end. Raises HeadFailure."""
        if not data:
            self._end()
            return
        self._rest, self._at = self._rest[self._at :] + data, 0
        if self.begun:
            return
        while not self.begun and (line := self._line()) is not None:
            self._take_head(line)
        self._came += len(data)
        if self._came > _MAX_HEAD and not self.begun:
            raise HeadFailure(_TOO_LONG)

    def complete(self) -> bool:
        """Take in what has come of the body; tell whether that is all. Raises BodyFailure."""
        if self._chunked:
            self._take_chunks()
        else:
            self._take_body()
        if self._ended and not self._over:
            raise BodyFailure("unexpected EOF")
        return self._over

    def _end(self) -> None:
        self._ended = True
        if self.begun:
            return
        last, self._rest = self._rest[self._at :], b""
        if last:
            self._take_head(last)
        raise HeadFailure("unexpected EOF" if self.status else "EOF")

    def _line(self) -> bytes | None:
        """The next line, once all of it has come."""
        end = self._rest.find(b"\n", self._at)
        if end < 0:
            return None
        line = self._rest[self._at : end].removesuffix(b"\r")
        self._at = end + 1
        return line

    def _take_head(self, line: bytes) -> None:
        if not self.status:
            match = _STATUS_LINE.fullmatch(line)
            if match is None:
                said = quote(line.decode(errors="replace"))
                raise HeadFailure(f"{_BROKEN}malformed HTTP response {said}")
            self.status = int(match[1])
        elif line:
            self._take_header(line)
        elif 100 <= self.status < 200 and self.status != _SWITCHING:
            self.status = 0  # it only announces another one
            self._headers.clear()
            self._in_headers = False
        else:
            self._begin()

    def _take_header(self, line: bytes) -> None:
        if self._in_headers and line.startswith(_FOLDS):
            return  # the header before goes on: none that matters is that long
        self._in_headers = True
        name, colon, value = line.partition(b":")
        if not colon:
            said = line.decode("latin-1")
            raise HeadFailure(f"{_BROKEN}malformed MIME header line: {said}")
        name = name.strip().lower()
        if name in _HEADERS:
            self._headers.setdefault(name, value.strip())

    def _begin(self) -> None:
        self.begun = True
        length = self._headers.get(b"content-length")
        if self.status in _BODILESS:
            return
        if self._headers.get(b"transfer-encoding", b"").lower() == b"chunked":
            self._chunked = True
        elif length is None:
            self._left = None
        else:
            text = length.decode("latin-1")
            self._left = number(text, _LARGEST)
            if self._left is None:
                raise HeadFailure(f"{_BROKEN}bad Content-Length {quote(text)}")

    def _take_body(self) -> None:
        wanted = MAX_BODY if self._left is None else min(self._left, MAX_BODY)
        self.body += self._rest[self._at :]
        self._rest, self._at = b"", 0
        self._over = len(self.body) >= wanted or (self._left is None and self._ended)
        del self.body[wanted:]

    def _take_chunks(self) -> None:
        while not self._over and (self._left or self._begin_chunk()):
            left = self._left or 0
            data = self._rest[self._at : self._at + left]
            if not data:
                return
            self._at += len(data)
            self._left = left - len(data)
            self.body += data[: max(left - len(_CHUNK_END), 0)]
            self._over = len(self.body) >= MAX_BODY
        del self.body[MAX_BODY:]

    def _begin_chunk(self) -> bool:
        """Whether there is a chunk, and its length."""
        line = self._line()
        if line is None:
            if len(self._rest) - self._at > _MAX_LINE:
                raise BodyFailure("header line too long")
            return False
        size = line.partition(b";")[0].strip()
        if not _SIZE.fullmatch(size):
            raise BodyFailure("invalid byte in chunk length")
        length = int(size, 16)
        self._left = length + len(_CHUNK_END)
        self._over = length == 0
        return not self._over

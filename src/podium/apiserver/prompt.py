"""Answers that are at hand as a whole, written to the connection in one go.

Most answers are small and most connections stay open. aiohttp's own way of sending a response asks
for each of them what is true of nearly none: cookies, compression, chunks, old versions of HTTP.
"""

from __future__ import annotations

import time
from email.utils import formatdate
from functools import lru_cache

from aiohttp import HttpVersion11
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import SERVER_SOFTWARE
from aiohttp.web import BaseRequest, Response

from podium.apiserver import audit_id

_WITHOUT_BODY = (204, 304)


class PromptResponse(Response):
    """A response with bytes for its body; whatever is out of the ordinary goes aiohttp's way."""

    _wire: AbstractStreamWriter | None = None
    _audit_id = ""

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        ends = super().keep_alive is False or self.status in _WITHOUT_BODY
        if ends or not _is_ordinary(request):
            return await super().prepare(request)
        self._wire, self._audit_id = request.writer, audit_id.of(request.headers)
        return self._wire

    @property
    def keep_alive(self) -> bool | None:
        return True if self._wire is not None else super().keep_alive

    async def write_eof(self, data: bytes = b"") -> None:
        if self._wire is None:
            return await super().write_eof(data)
        body = self.body
        assert isinstance(body, bytes)
        return await self._wire.write_eof(self._head(len(body)) + body)

    def _head(self, length: int) -> bytes:
        said = _said(self.status, self.reason, tuple(self.headers.items()))
        own = f"{audit_id.HEADER}: {self._audit_id}\r\nContent-Length: {length}\r\n".encode()
        return b"%b%b%b" % (said, own, _rest(int(time.time())))


def _is_ordinary(request: BaseRequest) -> bool:
    """Whether an answer with a length is all that the client can be waiting for."""
    return request.version == HttpVersion11 and request.method != "HEAD" and request.keep_alive


@lru_cache(64)
def _said(status: int, reason: str, headers: tuple[tuple[str, str], ...]) -> bytes:
    """Return the lines that many answers have in common."""
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers)]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header holds a line break")
    return "".join(f"{line}\r\n" for line in lines).encode()


@lru_cache(1)
def _rest(seconds: int) -> bytes:
    date = formatdate(seconds, usegmt=True)
    return f"Date: {date}\r\nServer: {SERVER_SOFTWARE}\r\n\r\n".encode()

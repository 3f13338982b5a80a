"""Answers that are at hand as a whole, written to the connection in one go.

Most answers are small and most connections stay open. aiohttp's own way of sending a response asks
for each of them what is true of nearly none: cookies, compression, chunks, old versions of HTTP.
"""

from __future__ import annotations

import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from aiohttp import HttpVersion11
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import SERVER_SOFTWARE
from aiohttp.web import BaseRequest, Response
from multidict import CIMultiDict

from podium.apiserver import audit_id

_WITHOUT_BODY = (204, 304)
_PHRASES = {each.value: each.phrase for each in HTTPStatus}

Headers = tuple[tuple[str, str], ...]


class PromptResponse(Response):
    """A response with bytes for its body; whatever is out of the ordinary goes aiohttp's way.

    What only that way needs is set up when it is taken.
    """

    _changed: CIMultiDict[str] | None = None
    _is_written = False

    def __init__(self, body: bytes, status: int, headers: Headers) -> None:
        self._body, self._status, self._given = body, status, headers

    @property
    def headers(self) -> CIMultiDict[str]:
        """The headers, for who has more to say."""
        if self._changed is None:
            self._changed = CIMultiDict(self._given)
        return self._changed

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        """Send all of it; or prepare to, where there is more to be asked."""
        ends = self._keep_alive is False or self._status in _WITHOUT_BODY
        if ends or not _is_ordinary(request):
            super().__init__(body=self._body, status=self._status, headers=self.headers)
            return await super().prepare(request)
        self._is_written = True
        await request.writer.write_eof(self._whole(audit_id.of(request.headers)))
        return request.writer

    @property
    def keep_alive(self) -> bool | None:
        return True if self._is_written else self._keep_alive

    async def write_eof(self, data: bytes = b"") -> None:
        if not self._is_written:
            await super().write_eof(data)

    def _whole(self, name: str) -> bytes:
        """Return the answer to the request of that *name*."""
        changed, body = self._changed, self._body
        assert isinstance(body, bytes)
        said = _said(self._status, self._given if changed is None else tuple(changed.items()))
        own = f"{audit_id.HEADER}: {name}\r\nContent-Length: {len(body)}\r\n".encode()
        return b"".join((said, own, _rest(int(time.time())), body))


def _is_ordinary(request: BaseRequest) -> bool:
    """Whether an answer with a length is all that the client can be waiting for."""
    return request.version == HttpVersion11 and request.method != "HEAD" and request.keep_alive


@lru_cache(64)
def _said(status: int, headers: Headers) -> bytes:
    """Return the lines that many answers have in common."""
    first = f"HTTP/1.1 {status} {_PHRASES.get(status, '')}"
    lines = [first, *(f"{name}: {value}" for name, value in headers)]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header holds a line break")
    return "".join(f"{line}\r\n" for line in lines).encode()


@lru_cache(1)
def _rest(seconds: int) -> bytes:
    date = formatdate(seconds, usegmt=True)
    return f"Date: {date}\r\nServer: {SERVER_SOFTWARE}\r\n\r\n".encode()

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


class PromptResponse(Response):
    """A response with bytes for its body; whatever is out of the ordinary goes aiohttp's way."""

    _wire: AbstractStreamWriter | None = None

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        if not _is_ordinary(request) or super().keep_alive is False or self.status < 200:
            return await super().prepare(request)
        if self.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            return await super().prepare(request)
        self._wire = request.writer
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
        fields = [f"{name}: {value}\r\n" for name, value in self.headers.items()]
        said = "".join(fields)
        if said.count("\r") != len(fields) or said.count("\n") != len(fields):
            raise ValueError("a header holds a line break")
        rest = _rest(int(time.time()))
        head = f"HTTP/1.1 {self.status} {self.reason}\r\n{said}Content-Length: {length}\r\n{rest}"
        return head.encode()


def _is_ordinary(request: BaseRequest) -> bool:
    """Whether an answer with a length is all that the client can be waiting for."""
    return request.version == HttpVersion11 and request.method != "HEAD" and request.keep_alive


@lru_cache(1)
def _rest(seconds: int) -> str:
    return f"Date: {formatdate(seconds, usegmt=True)}\r\nServer: {SERVER_SOFTWARE}\r\n\r\n"

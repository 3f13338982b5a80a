"""Answers whose length nobody knows when they begin."""

from __future__ import annotations

from aiohttp import HttpVersion11
from aiohttp.web import BaseRequest, StreamResponse


async def begin(request: BaseRequest, response: StreamResponse) -> None:
    """Send the head of *response*, which may have no length.

    A client of HTTP/1.0 knows no chunks. It gets the end of the connection for the end of the
    answer, also where it asks to keep it: aiohttp would, and have the client wait for ever.
    """
    if request.version < HttpVersion11 and response.content_length is None:
        response.force_close()
    await response.prepare(request)

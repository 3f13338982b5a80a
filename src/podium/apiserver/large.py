"""Answers too large to be made or sent in one go.

Nothing here keeps others waiting: text is rewritten and compressed in a thread, and written piece
by piece, as fast as the client reads. The bounds are upstream's
(``k8s.io/apiserver/pkg/endpoints/handlers/responsewriters``).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from aiohttp.web import BaseRequest, Response, StreamResponse

from podium.apiserver.negotiation import clauses
from podium.kit.apart import apart

#: Bytes from which an answer to a GET is compressed.
COMPRESS_FROM = 128 * 1024
_LEVEL = 1
_GZIP = 31  # zlib's window size, with gzip's header and trailer
_PIECE = 1024 * 1024


class LateResponse(Response):
    """A response whose body is to be turned into another form yet, by :func:`send`."""

    def __init__(self, rewrite: Callable[[bytes], bytes], body: bytes, **named: object) -> None:
        super().__init__(body=body, **named)  # type: ignore[arg-type]
        self.rewrite = rewrite


async def send(request: BaseRequest, response: StreamResponse) -> StreamResponse:
    """Return what aiohttp is to answer: *response* itself, or what has been sent in its place."""
    if not isinstance(response, Response) or not isinstance(response.body, bytes):
        return response
    body = response.body
    if isinstance(response, LateResponse):
        body = await apart(len(body), response.rewrite, body)
    elif len(body) < COMPRESS_FROM:
        return response
    streamed = StreamResponse(status=response.status, headers=response.headers)
    if request.method == "GET" and "Content-Encoding" not in streamed.headers:
        streamed.headers["Vary"] = "Accept-Encoding"
        if len(body) >= COMPRESS_FROM and _takes_gzip(request):
            return await _compressed(request, streamed, body)
    streamed.content_length = len(body)
    await streamed.prepare(request)
    view = memoryview(body)
    for start in range(0, len(body), _PIECE):
        await streamed.write(view[start : start + _PIECE])
    return streamed


async def _compressed(
    request: BaseRequest, streamed: StreamResponse, body: bytes
) -> StreamResponse:
    streamed.headers["Content-Encoding"] = "gzip"
    streamed.headers.popall("Content-Length", None)
    streamed.enable_chunked_encoding()
    await streamed.prepare(request)
    compressor = zlib.compressobj(_LEVEL, wbits=_GZIP)
    view = memoryview(body)
    for start in range(0, len(body), _PIECE):
        piece = view[start : start + _PIECE]
        if packed := await apart(len(piece), compressor.compress, piece):
            await streamed.write(packed)
    await streamed.write(compressor.flush())
    return streamed


def _takes_gzip(request: BaseRequest) -> bool:
    header: str = request.headers.get("Accept-Encoding", "")
    return any(clause.type == "gzip" and clause.quality > 0 for clause in clauses(header))

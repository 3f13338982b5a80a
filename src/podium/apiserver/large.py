"""Answers too large to be made or sent in one go.

Nothing here keeps others waiting, and nothing large is held twice: lists are made piece by piece
while they are sent, as fast as the client reads; text is rewritten and compressed in a thread. The
bounds are upstream's (``k8s.io/apiserver/pkg/endpoints/handlers/responsewriters``).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator

from aiohttp.web import BaseRequest, Response, StreamResponse

from podium.apiserver.negotiation import takes_gzip
from podium.kit import unsized
from podium.kit.apart import SMALL, apart
from podium.kit.room import Room

#: Bytes from which an answer to a GET is compressed.
COMPRESS_FROM = 128 * 1024
#: Bytes of answers that are written in another form at a time, those of SMALL ones not counted.
ROOM = 4 * 1024 * 1024
#: About how many bytes are made, compressed and encrypted at a time: of that size, they cost least.
PIECE = 256 * 1024
_LEVEL = 1
_GZIP = 31  # zlib's window size, with gzip's header and trailer

Rewrite = Callable[[bytes], bytes]


class LateResponse(Response):
    """A response whose body :func:`send` makes: of *pieces*, *size* bytes together, turned into
    another form by *rewrite* where there is one."""

    def __init__(
        self,
        pieces: Iterable[bytes | memoryview],
        size: int,
        rewrite: Rewrite | None = None,
        **named: object,
    ) -> None:
        super().__init__(**named)  # type: ignore[arg-type]
        self.pieces, self.size, self.rewrite = pieces, size, rewrite


async def send(
    request: BaseRequest, response: StreamResponse, room: Room, reader: str
) -> StreamResponse:
    """Return what aiohttp is to answer: *response* itself, or what has been sent in its place.

    What is written in another form takes several times its size while that is done: as much of it
    goes on at a time as *room* has, *reader*s taking turns.
    """
    if isinstance(response, LateResponse):
        if response.rewrite is None and response.size >= COMPRESS_FROM:
            return await _sent(request, response, response.pieces, response.size)
        response.body = await _rewritten(response, room, reader)
    if not isinstance(response, Response) or not isinstance(response.body, bytes):
        return response
    if len(response.body) < COMPRESS_FROM:
        return response
    return await _sent(request, response, cut(response.body), len(response.body))


async def _rewritten(response: LateResponse, room: Room, reader: str) -> bytes:
    if response.rewrite is None or response.size <= SMALL:
        body = b"".join(response.pieces)
        return body if response.rewrite is None else response.rewrite(body)
    async with room.taken(reader, response.size):
        body = b"".join(response.pieces)
        response.pieces = ()
        return await apart(len(body), response.rewrite, body)


def cut(body: bytes) -> Iterator[memoryview]:
    """Return what is at hand as a whole in pieces."""
    view = memoryview(body)
    return (view[start : start + PIECE] for start in range(0, len(body), PIECE))


async def _sent(
    request: BaseRequest, response: Response, pieces: Iterable[bytes | memoryview], size: int
) -> StreamResponse:
    """Send *response* with *pieces*, *size* bytes together, for its body."""
    streamed = StreamResponse(status=response.status, headers=response.headers)
    if request.method == "GET" and "Content-Encoding" not in streamed.headers:
        _varies(streamed)
        if takes_gzip(request.headers):
            return await _compressed(request, streamed, pieces)
    streamed.content_length = size
    await streamed.prepare(request)
    for piece in pieces:
        await streamed.write(piece)
    return streamed


def _varies(streamed: StreamResponse) -> None:
    """Say that the body depends on Accept-Encoding, too."""
    named = streamed.headers.get("Vary", "")
    if "Accept-Encoding" not in named:
        streamed.headers["Vary"] = f"Accept-Encoding, {named}" if named else "Accept-Encoding"


async def _compressed(
    request: BaseRequest, streamed: StreamResponse, pieces: Iterable[bytes | memoryview]
) -> StreamResponse:
    streamed.headers["Content-Encoding"] = "gzip"
    streamed.headers.popall("Content-Length", None)
    await unsized.begin(request, streamed)
    compressor = zlib.compressobj(_LEVEL, wbits=_GZIP)
    for piece in pieces:
        if packed := await apart(len(piece), compressor.compress, piece):
            await streamed.write(packed)
    await streamed.write(compressor.flush())
    return streamed

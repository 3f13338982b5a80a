"""GET with ``watch``: events as lines of JSON, for as long as the client stays or may.

Events that are ready are written together; the registry ends the watch after its time, or when
the client reads too slowly. A client that goes away cancels the handler, and with it the
registry's watch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from aiohttp.web import StreamResponse

from podium.apiserver import query, web_socket
from podium.apiserver.call import Call
from podium.apiserver.large import PIECE
from podium.apiserver.negotiation import JSON, LIST_KINDS, OBJECT_KINDS, MediaType, not_acceptable
from podium.apiserver.tables import TableOptions, partial, table, table_options
from podium.kit import unsized
from podium.registry.types import WatchEvent
from podium.registry.watching import WatchStream


async def watch(call: Call) -> StreamResponse:
    media = call.media(LIST_KINDS | OBJECT_KINDS)
    if media.format != JSON:
        raise not_acceptable((f"{JSON};stream=watch",))
    options = query.list_options(call.query)
    encode = _Encoder(call, media)
    # Entered before the headers are sent: what the registry refuses at once is an answer by
    # itself, and once the client sees the headers no event can be missed.
    async with call.registry.watch(
        call.resource, call.namespace, options, name=call.name
    ) as stream:
        at_work = call.services.components.watching(call.user.name)
        with at_work:
            if web_socket.wanted(call.request):
                return await _in_messages(call, stream, encode)
            return await _in_lines(call, stream, encode)


async def _in_lines(call: Call, stream: WatchStream, encode: _Encoder) -> StreamResponse:
    response = StreamResponse(headers={"Content-Type": JSON, "Cache-Control": "no-cache, private"})
    await unsized.begin(call.request, response)
    # aiohttp ends the answer, and knows that the client may have gone by then.
    with contextlib.suppress(ConnectionResetError):
        async with call.services.streams.ending():
            while batch := await stream.batch():
                for piece in encode.pieces(batch):
                    await response.write(piece)
    return response


async def _in_messages(call: Call, stream: WatchStream, encode: _Encoder) -> StreamResponse:
    """Send each event as a message of its own; any protocol that the client names will do."""
    socket = await web_socket.opened(call.request, web_socket.offered(call.request)[:1])

    async def events() -> None:
        while batch := await stream.batch():
            for line in encode.lines(batch):
                await socket.send_str(line.decode())

    async with call.services.streams.ending():
        await web_socket.while_there(socket, events())
    await socket.close()
    return socket


class _Encoder:
    """Events as lines. Columns of a Table are sent with the first event only."""

    def __init__(self, call: Call, media: MediaType) -> None:
        self._call, self._media = call, media
        self._options = table_options(call.query) if media.kind == "Table" else TableOptions()
        self._columns_sent = False

    def pieces(self, events: Sequence[WatchEvent]) -> Iterator[bytes]:
        """Yield the events' lines, in pieces that are sent as fast as the client reads."""
        lines, size = list[bytes](), 0
        for line in self.lines(events):
            lines.append(line)
            size += len(line)
            if size >= PIECE:
                yield b"".join(lines)
                lines, size = [], 0
        if lines:
            yield b"".join(lines)

    def lines(self, events: Sequence[WatchEvent]) -> Iterable[bytes]:
        for event in events:
            if not self._media.kind or event.type == "ERROR":
                yield event.line
            else:
                yield _line(event.type, msgspec.json.encode(self._turned(event)))

    def _turned(self, event: WatchEvent) -> dict[str, Any]:
        if self._media.kind != "Table":
            if event.stored is None:
                return _bare(event, "PartialObjectMetadata", self._media)
            return partial(event.stored, self._media.api_version)
        items = [event.stored] if event.stored else []
        metadata = _bare(event, "Table", self._media)["metadata"]
        document = table(
            self._call.resource,
            items,
            self._media,
            {"resourceVersion": metadata["resourceVersion"]},
            self._options,
            self._call.services.clock.now(),
            with_columns=not self._columns_sent,
        )
        self._columns_sent = True
        return document


def _bare(event: WatchEvent, kind: str, media: MediaType) -> dict[str, Any]:
    """A bookmark, whose object is nothing but metadata, as another kind."""
    metadata = msgspec.json.decode(event.data)["metadata"]
    return {"kind": kind, "apiVersion": media.api_version, "metadata": metadata}


def _line(kind: str, data: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (kind.encode(), data)

"""GET of a collection: the stored bytes of its objects, joined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from aiohttp.web import Response, StreamResponse

from podium.api.scheme import Resource
from podium.apiserver import query, responses
from podium.apiserver.call import Call
from podium.apiserver.large import PIECE
from podium.apiserver.negotiation import LIST_KINDS, MediaType
from podium.apiserver.tables import partial_list, table, table_options
from podium.kit.apart import apart
from podium.registry.types import ListResult, Stored


async def list_objects(call: Call) -> StreamResponse:
    media = call.media(LIST_KINDS)
    options = query.list_options(call.query)
    result = await call.registry.list(call.resource, call.namespace, options)
    metadata = list_metadata(result)
    return await represent(call, result, metadata, media)


async def represent(
    call: Call, result: ListResult, metadata: dict[str, Any], media: MediaType
) -> Response:
    """Return the list as *media* has it; many rows are made apart from the event loop."""
    if not media.kind:
        size, pieces = encode_list(call.resource, result.items, metadata)
        return responses.answer_in_pieces(pieces, size, media, call.warnings)
    size = sum(len(item.data) for item in result.items)
    if media.kind == "Table":
        options, now = table_options(call.query), call.services.clock.now()
        document = await apart(
            size, table, call.resource, result.items, media, metadata, options, now
        )
    else:
        document = await apart(size, partial_list, result.items, metadata, media.api_version)
    return responses.plain(document, media, 200, call.warnings)


def list_metadata(result: ListResult) -> dict[str, Any]:
    metadata: dict[str, Any] = {"resourceVersion": result.resource_version}
    if result.continue_:
        metadata["continue"] = result.continue_
    if result.remaining:
        metadata["remainingItemCount"] = result.remaining
    return metadata


def encode_list(
    resource: Resource, items: Sequence[Stored], metadata: dict[str, Any]
) -> tuple[int, Iterator[bytes]]:
    """Return the length of the list as JSON, and its pieces: the objects' bytes, joined.

    Like upstream's, the objects do not repeat apiVersion and kind.
    """
    head = (
        f'{{"kind":"{resource.list_kind}","apiVersion":"{resource.api_version}","metadata":'
    ).encode()
    head += msgspec.json.encode(metadata) + b',"items":['
    prefix = f'{{"apiVersion":"{resource.api_version}","kind":"{resource.kind}",'.encode()
    # How much of each object is left out: what stands before its members, or the brace alone.
    cuts = [len(prefix) if item.data.startswith(prefix) else 1 for item in items]
    size = len(head) + sum(len(item.data) for item in items) - sum(cuts) + len(b"]}")
    size += 2 * len(items) - bool(items)  # a brace for each, and a comma between any two
    return size, _pieces(head, items, cuts)


def _pieces(head: bytes, items: Sequence[Stored], cuts: Sequence[int]) -> Iterator[bytes]:
    parts, size, before = list[bytes](), 0, head + b"{"
    for item, cut in zip(items, cuts, strict=True):
        parts.append(item.data[cut:] if parts else before + item.data[cut:])
        size += len(item.data)
        if size >= PIECE:
            yield b",{".join(parts)
            parts, size, before = [], 0, b",{"
    yield b",{".join(parts) + b"]}" if items else head + b"]}"

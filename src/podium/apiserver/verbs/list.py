"""GET of a collection: the stored bytes of its objects, joined."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp.web import Response, StreamResponse

from podium.api.scheme import Resource
from podium.apiserver import query, responses
from podium.apiserver.call import Call
from podium.apiserver.negotiation import LIST_KINDS, MediaType
from podium.apiserver.tables import partial_list, table, table_options
from podium.kit.apart import apart
from podium.registry.types import ListResult


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
        return responses.answer(
            encode_list(call.resource, result, metadata), media, 200, call.warnings
        )
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


def encode_list(resource: Resource, result: ListResult, metadata: dict[str, Any]) -> bytes:
    """Join the objects' bytes; like upstream's, they do not repeat apiVersion and kind."""
    head = (
        f'{{"kind":"{resource.list_kind}","apiVersion":"{resource.api_version}","metadata":'
    ).encode()
    prefix = f'{{"apiVersion":"{resource.api_version}","kind":"{resource.kind}",'.encode()
    cut = len(prefix)
    items = [
        b"{" + item.data[cut:] if item.data.startswith(prefix) else item.data
        for item in result.items
    ]
    body = (head, msgspec.json.encode(metadata), b',"items":[', b",".join(items), b"]}")
    return b"".join(body)

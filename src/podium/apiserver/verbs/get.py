"""GET of one object, or of its status."""

from __future__ import annotations

from aiohttp.web import StreamResponse

from podium.apiserver.call import Call
from podium.apiserver.negotiation import OBJECT_KINDS
from podium.apiserver.verbs import reply


async def get(call: Call) -> StreamResponse:
    media = call.media(OBJECT_KINDS)
    item = await call.registry.get(
        call.resource,
        call.namespace,
        call.name,
        resource_version=call.query.get("resourceVersion"),
    )
    return reply.stored(call, item, media)

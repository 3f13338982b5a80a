"""PATCH in the client's three styles: JSON Patch, merge patch, strategic merge patch."""

from __future__ import annotations

from aiohttp.web import StreamResponse

from podium.apiserver import bodies, patches, query
from podium.apiserver.apart import apart
from podium.apiserver.call import Call
from podium.apiserver.negotiation import OBJECT_KINDS, body_type
from podium.apiserver.verbs import reply
from podium.registry.patch import SERVED


async def patch(call: Call) -> StreamResponse:
    media = call.media(OBJECT_KINDS)
    patch_type = body_type(call.request.headers.get("Content-Type", ""), SERVED, "")
    options = query.write_options(call.query, "PatchOptions")
    body = await bodies.read(call.request)
    document = await apart(len(body), patches.parse, patch_type, body)
    item = await call.registry.patch(
        call.resource, call.namespace, call.name, document, patch_type, call.context(options),
        subresource=call.subresource.name if call.subresource else "",
    )  # fmt: skip
    return reply.stored(call, item, media)

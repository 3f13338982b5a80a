"""PUT: the whole object, or its part behind a subresource, replaced."""

from __future__ import annotations

from aiohttp.web import StreamResponse

from podium.apiserver import bodies, query
from podium.apiserver.call import Call
from podium.apiserver.negotiation import OBJECT_KINDS
from podium.apiserver.verbs import reply


async def update(call: Call) -> StreamResponse:
    media = call.media(OBJECT_KINDS)
    options = query.write_options(call.query, "UpdateOptions")
    obj, warnings = await bodies.decode(call.request, call.resource, options.field_validation)
    call.warnings += warnings
    bodies.match_path(obj, call.info, call.resource)
    subresource = call.subresource.name if call.subresource else ""
    context = call.context(options)
    item = await call.registry.update(
        call.resource, call.namespace, call.name, obj, context, subresource=subresource
    )
    return reply.stored(call, item, media, 201 if context.created else 200)

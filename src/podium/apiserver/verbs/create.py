"""POST: of a new object, or of what a subresource takes."""

from __future__ import annotations

from aiohttp.web import StreamResponse
from msgspec.structs import replace

from podium.api.errors import bad_request
from podium.api.meta import metadata
from podium.apiserver import bodies, query
from podium.apiserver.call import Call
from podium.apiserver.negotiation import OBJECT_KINDS
from podium.apiserver.verbs import reply


async def create(call: Call) -> StreamResponse:
    media = call.media(OBJECT_KINDS)
    options = query.write_options(call.query, "CreateOptions")
    obj, warnings, template = await bodies.decode_new(
        call.request, call.resource, options.field_validation
    )
    call.warnings += warnings
    context = call.context(options)
    context.template = template
    item = await call.registry.create(call.resource, call.namespace, obj, context)
    return reply.stored(call, item, media, 201)


async def bind(call: Call) -> StreamResponse:
    """POST to ``pods/<name>/binding``, or to ``bindings`` with the name in the body."""
    media = call.media()
    options = query.write_options(call.query, "CreateOptions")
    assert call.subresource is not None
    assert call.subresource.type is not None
    binding, warnings = await bodies.decode(
        call.request, call.subresource.type, options.field_validation
    )
    call.warnings += warnings
    name = call.name or metadata(binding).name
    if not name:
        raise bad_request("name must be provided")
    bodies.match_path(binding, replace(call.info, name=name), call.resource)
    await call.registry.create(
        call.resource, call.namespace, binding, call.context(options), name=name,
        subresource=call.subresource.name,
    )  # fmt: skip
    return reply.success(call, media, 201)

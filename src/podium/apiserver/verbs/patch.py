"""PATCH: JSON Patch, merge patch, strategic merge patch, and server-side apply."""

from __future__ import annotations

from typing import Any

from aiohttp.web import StreamResponse

from podium.api.codec import Validation
from podium.api.errors import ApiError
from podium.apiserver import bodies, patches, query
from podium.apiserver.call import Call
from podium.apiserver.negotiation import OBJECT_KINDS, body_type
from podium.apiserver.verbs import reply
from podium.kit.apart import apart
from podium.registry.patch import SERVED
from podium.registry.patching import APPLY_PATCH


async def patch(call: Call) -> StreamResponse:
    media = call.media(OBJECT_KINDS)
    patch_type = body_type(call.request.headers.get("Content-Type", ""), SERVED, "")
    applies = patch_type == APPLY_PATCH
    options = query.write_options(call.query, "PatchOptions", applies=applies)
    document, odd = await read(call, patch_type, options.field_validation)
    context = call.context(options)
    if applies:
        call.warnings += patches.judge_repeated(odd, options.field_validation)
    else:
        context.repeated = odd
    item = await call.registry.patch(
        call.resource, call.namespace, call.name, document, patch_type, context,
        subresource=call.subresource.name if call.subresource else "",
    )  # fmt: skip
    return reply.stored(call, item, media, 201 if context.created else 200)


async def read(call: Call, patch_type: str, validation: Validation) -> tuple[Any, list[str]]:
    """Return what ``patches.read`` does of the body. Raises ApiError: 404 before anything about
    the body, where there is nothing to be patched."""
    body = await bodies.read(call.request)
    try:
        return await apart(len(body), patches.read, patch_type, body, validation)
    except ApiError:
        if patch_type != APPLY_PATCH:
            await call.registry.get(call.resource, call.namespace, call.name)
        raise

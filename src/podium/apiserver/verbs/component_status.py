"""GET of ComponentStatuses: made up when they are asked for, and deprecated since 1.19."""

from __future__ import annotations

from aiohttp.web import StreamResponse

from podium.api import codec
from podium.api.errors import method_not_supported
from podium.api.types.core_v1 import ComponentStatus
from podium.apiserver import errors, query
from podium.apiserver.call import Call
from podium.apiserver.negotiation import LIST_KINDS, OBJECT_KINDS
from podium.apiserver.verbs import reply
from podium.apiserver.verbs.list import represent
from podium.registry.predicate import Predicate
from podium.registry.types import ListResult, Stored

_WARNING = "v1 ComponentStatus is deprecated in v1.19+"


async def get_component(call: Call) -> StreamResponse:
    media = call.media(OBJECT_KINDS)
    call.warnings.append(_WARNING)
    found = (await call.services.components.statuses()).get(call.name)
    if found is None:
        raise errors.plain_failure(500, f"Component not found: {call.name}")
    return reply.stored(call, _stored(found), media)


async def list_components(call: Call) -> StreamResponse:
    media = call.media(LIST_KINDS)
    call.warnings.append(_WARNING)
    predicate = Predicate(call.resource, "", query.list_options(call.query))
    items = map(_stored, (await call.services.components.statuses()).values())
    result = ListResult([item for item in items if predicate.matches(item)], "")
    return await represent(call, result, {}, media)


async def watch_components(call: Call) -> StreamResponse:
    raise method_not_supported(call.resource, "watch")


def _stored(status: ComponentStatus) -> Stored:
    name = status.metadata.name
    return Stored(name, codec.encode(status), 0, status, {"metadata.name": name})

"""How verbs answer: an object in the representation that the client asked for."""

from __future__ import annotations

from aiohttp.web import Response

from podium.api import codec
from podium.api.types.meta_v1 import Status, StatusDetails
from podium.apiserver import responses
from podium.apiserver.call import Call
from podium.apiserver.negotiation import MediaType
from podium.apiserver.tables import partial, table, table_options
from podium.registry.types import Stored


def stored(call: Call, item: Stored, media: MediaType, code: int = 200) -> Response:
    """Answer with an object: its stored bytes, or what *media* turns it into."""
    if not media.kind:
        return responses.answer(item.data, media, code, call.warnings)
    if media.kind == "PartialObjectMetadata":
        return responses.plain(partial(item, media.api_version), media, code, call.warnings)
    metadata = {"resourceVersion": item.obj.metadata.resource_version}
    options = table_options(call.query)
    now = call.services.clock.now()
    document = table(call.resource, [item], media, metadata, options, now)
    return responses.plain(document, media, code, call.warnings)


def success(
    call: Call, media: MediaType, code: int = 200, details: StatusDetails | None = None
) -> Response:
    """Answer with a ``Status`` of success, where there is no object to show."""
    status = Status(status="Success", details=details, code=0 if details else code)
    plain_media = MediaType(media.format, pretty=media.pretty)
    return responses.answer(codec.encode(status), plain_media, code, call.warnings)

"""What all reviews share: one object comes in, the same comes back with its status."""

from __future__ import annotations

from typing import Any

from aiohttp.web import Response

from podium.api import codec
from podium.api.errors import bad_request
from podium.api.meta import metadata
from podium.apiserver import bodies, owners, query, responses
from podium.apiserver.call import Call
from podium.apiserver.negotiation import MediaType


async def take(call: Call) -> tuple[Any, MediaType]:
    """Return the review in the body, and how to answer. Raises ApiError."""
    media = call.media()
    options = query.write_options(call.query, "CreateOptions")
    review, warnings = await bodies.decode(call.request, call.resource, options.field_validation)
    call.warnings += warnings
    if call.resource.namespaced:
        bodies.match_namespace(review, call.info, call.resource)
    elif metadata(review).namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    owners.note(call, review, options)
    return review, media


def give(call: Call, review: Any, media: MediaType) -> Response:
    return responses.answer(codec.encode(review), media, 201, call.warnings)

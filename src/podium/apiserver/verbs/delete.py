"""DELETE of an object, and of what a selector picks from a collection."""

from __future__ import annotations

import re

from aiohttp.web import StreamResponse

from podium.api import codec, protobuf
from podium.api.errors import ApiError, bad_request
from podium.api.types.meta_v1 import DeleteOptions, StatusDetails
from podium.apiserver import bodies, errors, query
from podium.apiserver.call import Call
from podium.apiserver.negotiation import JSON, LIST_KINDS, OBJECT_KINDS, body_type
from podium.apiserver.query import WriteOptions
from podium.apiserver.verbs import reply
from podium.apiserver.verbs.list import list_metadata, represent
from podium.kit.apart import apart
from podium.registry.strategies import strategy_for

_UNRECOGNIZED = re.compile(
    r"the object provided is unrecognized \(must be of type DeleteOptions\): (?P<why>.*) \(.*\)\Z",
    re.DOTALL,
)
_OTHER_KIND = re.compile(
    r'(?P<kind>\S+) in version "(?P<version>[^"]*)" cannot be handled as a DeleteOptions'
)
_TOO_DEEP = "exceeded max depth"


async def delete(call: Call) -> StreamResponse:
    media = call.media(OBJECT_KINDS)
    options = await _options(call)
    context = call.context(WriteOptions(dry_run=bool(options.dry_run)))
    result = await call.registry.delete(call.resource, call.namespace, call.name, options, context)
    code = 202 if not result.deleted and options.orphan_dependents is False else 200
    if not result.deleted or strategy_for(call.resource).returns_deleted_object:
        return reply.stored(call, result.stored, media, code)
    details = StatusDetails(
        name=call.name,
        group=call.resource.group,
        kind=call.resource.plural,
        uid=result.stored.obj.metadata.uid,
    )
    return reply.success(call, media, code, details)


async def delete_collection(call: Call) -> StreamResponse:
    media = call.media(LIST_KINDS)
    list_options = query.list_options(call.query)
    options = await _options(call)
    context = call.context(WriteOptions(dry_run=bool(options.dry_run)))
    result = await call.registry.delete_collection(
        call.resource, call.namespace, options, list_options, context
    )
    return await represent(call, result, list_metadata(result), media)


async def _options(call: Call) -> DeleteOptions:
    """Options from the body if there is one, otherwise from the query."""
    body = await bodies.read(call.request)
    if body:
        header = call.request.headers.get("Content-Type", "")
        content_type = body_type(header, bodies.ACCEPTED, JSON)
        options, warnings = await apart(len(body), _decode, body, content_type)
        call.warnings += warnings
    else:
        options = query.delete_options(call.query)
    return options


def _decode(body: bytes, content_type: str) -> tuple[DeleteOptions, list[str]]:
    """Raises ApiError: 500 without a reason, as upstream tells what it cannot read here; 400 for
    what only an attack nests so deeply."""
    dropped: list[str] = []
    try:
        if content_type == protobuf.CONTENT_TYPE:
            plain, dropped = protobuf.decode(body, DeleteOptions)
            body, content_type = codec.encode(plain), JSON
        options, _ = codec.decode(
            DeleteOptions, body, content_type=content_type, validation="Ignore"
        )
    except protobuf.BadProtobuf as error:
        raise errors.plain_failure(500, str(error)) from error
    except ApiError as error:
        why = _plain_words(str(error))
        if _TOO_DEEP in why:
            raise bad_request(why) from error
        raise errors.plain_failure(500, why) from error
    decoded: DeleteOptions = options
    return decoded, dropped


def _plain_words(text: str) -> str:
    """Return a decoding error without what elsewhere says which kind was expected."""
    if match := _UNRECOGNIZED.match(text):
        return match["why"]
    if match := _OTHER_KIND.match(text):
        return (
            f'no kind "{match["kind"]}" is registered for version "{match["version"]}" '
            'in scheme "pkg/runtime/scheme.go:100"'
        )
    return text

"""Bodies of requests: read within bounds, decoded, and checked against the path."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from aiohttp import HttpVersion11
from aiohttp.web import BaseRequest

from podium.api import codec, go_json, managed_fields, protobuf
from podium.api.codec import Validation
from podium.api.errors import ApiError, bad_request, undetermined_name
from podium.api.meta import metadata
from podium.api.scheme import Resource
from podium.api.templates import Template
from podium.apiserver import errors
from podium.apiserver.negotiation import JSON, YAML, body_type
from podium.apiserver.paths import RequestInfo
from podium.apiserver.protocol import Protocol
from podium.apiserver.share import Share
from podium.kit.apart import SMALL, apart

#: What bodies may be in.
ACCEPTED = (JSON, YAML, protobuf.CONTENT_TYPE)
#: Upstream's limit for the body of a write, in bytes.
LIMIT = 3 * 1024 * 1024
#: Seconds for a body to arrive, upstream's limit for the whole of a request.
PATIENCE = 60.0


async def read(request: BaseRequest) -> bytes:
    """Return the whole body.

    One that is not small waits until there is room for it, and then for what it will become: see
    :mod:`podium.apiserver.share`. Raises ApiError: 413 when it is longer than LIMIT, 504 when it
    takes longer than PATIENCE to come; and TooManyRequests.
    """
    share = request.protocol.share if isinstance(request.protocol, Protocol) else Share()
    body = await _arrived(request, share)
    if len(body) > SMALL:
        await share.work(len(body))
    return body


async def _arrived(request: BaseRequest, share: Share) -> bytes:
    length = request.content_length or 0
    if length > LIMIT:
        raise _too_large()
    if length > SMALL:
        await share.announce(length)
    if "Expect" in request.headers:
        await _ask_for_it(request)
    if request.content.is_eof():  # the body came with the headers, as most do
        body = request.content.read_nowait()
        if len(body) > LIMIT:
            raise _too_large()
        return body
    try:
        async with asyncio.timeout(PATIENCE):
            return await _read(request, None if length else share)
    except TimeoutError as slow:
        raise errors.timed_out() from slow


async def _ask_for_it(request: BaseRequest) -> None:
    """Tell a client that waits to be told so that it may send its body."""
    waits = request.headers["Expect"].lower() == "100-continue"
    if waits and request.version >= HttpVersion11 and not request.content.is_eof():
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # nothing of the answer has been sent yet


async def _read(request: BaseRequest, unannounced: Share | None) -> bytes:
    """Return the body; one whose length was not said may turn out to be as long as any."""
    chunks = []
    size = 0
    while chunk := await request.content.readany():
        size += len(chunk)
        if size > LIMIT:
            raise _too_large()
        chunks.append(chunk)
        if unannounced is not None and size > SMALL:
            await unannounced.announce(LIMIT)
            unannounced = None
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large() -> ApiError:
    return errors.too_large(f"limit is {LIMIT}")


async def decode(
    request: BaseRequest, into: Resource | type[Any], validation: Validation
) -> tuple[Any, list[str]]:
    """Return the object in the body and the warnings that it earns. Raises ApiError."""
    cls: type[Any] = into.type if isinstance(into, Resource) else into
    content_type, body, dropped = await _text(request, cls)
    obj, warnings = await apart(
        len(body), codec.decode, into, body, content_type=content_type, validation=validation
    )
    warnings += dropped
    await _mark_reset(obj, body, content_type)
    return obj, warnings


async def decode_new(
    request: BaseRequest, into: Resource, validation: Validation
) -> tuple[Any, list[str], Template | None]:
    """Like :func:`decode`, of an object to be made; return its template, too, where it has one."""
    content_type, body, dropped = await _text(request, into.type)
    obj, warnings, template = await apart(
        len(body), codec.decode_new, into, body, content_type=content_type, validation=validation
    )
    warnings += dropped
    await _mark_reset(obj, body, content_type)
    return obj, warnings, template


async def _text(request: BaseRequest, cls: type[Any]) -> tuple[str, bytes, list[str]]:
    """Return the body as text: in what it is, and what the way there from protobuf earns warnings
    for. Raises ApiError."""
    content_type = body_type(request.headers.get("Content-Type", ""), ACCEPTED, JSON)
    body = await read(request)
    if content_type != protobuf.CONTENT_TYPE:
        return content_type, body, []
    body, dropped = await apart(len(body), _from_protobuf, body, cls)
    return JSON, body, dropped


async def _mark_reset(obj: Any, body: bytes, content_type: str) -> None:
    """Have the object say where its body asks to forget all owners."""
    if b"managedFields" in body and await apart(len(body), _resets_owners, obj, body, content_type):
        obj.metadata.managed_fields = managed_fields.RESET


def _resets_owners(obj: Any, body: bytes, content_type: str) -> bool:
    """Whether managedFields are there and empty, which a struct does not tell from absent."""
    if not hasattr(obj, "metadata") or obj.metadata.managed_fields:
        return False
    if content_type == YAML:
        from podium.api import yaml_json  # PyYAML takes its time, and most bodies are JSON

        document, _ = yaml_json.load(body)
    else:
        document = go_json.plain(go_json.load(body))
    return bool((document.get("metadata") or {}).get("managedFields") == [])


def _from_protobuf(body: bytes, expected: type[Any]) -> tuple[bytes, list[str]]:
    """Return the object as JSON, so that there is one way to decode it, and what it earns warnings
    for. Raises ApiError (400)."""
    try:
        found, unknown = protobuf.decode(body, expected)
        return msgspec.json.encode(found), unknown
    except protobuf.BadProtobuf as error:
        raise bad_request(
            f"the object provided is unrecognized (must be of type {expected.__name__}): {error}"
        ) from error


def match_path(obj: Any, info: RequestInfo, resource: Resource) -> None:
    """Make the object's name and namespace those of the path, or refuse it (400).

    Follows ``k8s.io/apiserver/pkg/endpoints/handlers`` (``checkName``) and ``rest.BeforeCreate``.
    """
    meta = metadata(obj)
    if info.name:
        if not meta.name:
            raise undetermined_name(info.name)
        if meta.name != info.name:
            raise bad_request(
                f"the name of the object ({meta.name}) does not match the name on the URL "
                f"({info.name})"
            )
    match_namespace(obj, info, resource)


def match_namespace(obj: Any, info: RequestInfo, resource: Resource) -> None:
    """Fill in the namespace of the path, or refuse another one (400)."""
    meta = metadata(obj)
    if not resource.namespaced:
        meta.namespace = ""
    elif not meta.namespace:
        meta.namespace = info.namespace
    elif meta.namespace != info.namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )

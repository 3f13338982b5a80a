"""``/scale``: how many replicas a workload wants and has, in the same form for all kinds.

Behind a Scale is the object itself; a write changes its ``spec.replicas`` and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp.web import Response, StreamResponse

from podium.api import codec, errors
from podium.api.errors import ApiError
from podium.api.types.autoscaling_v1 import Scale
from podium.api.types.meta_v1 import StatusDetails
from podium.apiserver import bodies, patches, query, responses
from podium.apiserver.call import Call
from podium.apiserver.negotiation import MediaType, body_type
from podium.apiserver.verbs import patch
from podium.registry.patch import SERVED
from podium.registry.patching import APPLY_PATCH
from podium.registry.scaling import by_patch
from podium.registry.strategies import strategy_for
from podium.registry.types import RequestContext, Stored


async def get_scale(call: Call) -> StreamResponse:
    media = call.media()
    with _named_as_scale(call):
        item = await call.registry.get(
            call.resource,
            call.namespace,
            call.name,
            resource_version=call.query.get("resourceVersion"),
        )
    return _answer(call, item, media)


async def update_scale(call: Call) -> StreamResponse:
    media = call.media()
    options = query.write_options(call.query, "UpdateOptions")
    scale, warnings = await bodies.decode(call.request, Scale, options.field_validation)
    call.warnings += warnings
    bodies.match_path(scale, call.info, call.resource)
    with _named_as_scale(call):
        item = await call.registry.scale(
            call.resource, call.namespace, call.name, lambda _: scale, call.context(options)
        )
    return _answer(call, item, media)


async def patch_scale(call: Call) -> StreamResponse:
    media = call.media()
    patch_type = body_type(call.request.headers.get("Content-Type", ""), SERVED, "")
    applies = patch_type == APPLY_PATCH
    options = query.write_options(call.query, "PatchOptions", applies=applies)
    with _named_as_scale(call):
        document, odd = await patch.read(call, patch_type, options.field_validation)
    context = call.context(options)
    if applies:
        call.warnings += patches.judge_repeated(odd, options.field_validation)
        item = await _applied(call, document, context)
    else:
        context.repeated = odd
        change = by_patch(document, patch_type, context)
        with _named_as_scale(call):
            item = await call.registry.scale(
                call.resource, call.namespace, call.name, change, context
            )
    return _answer(call, item, media)


async def _applied(call: Call, config: Any, context: RequestContext) -> Stored:
    """Apply what *config* says of the Scale as a configuration of the object."""
    document = _about_replicas(call, config) if isinstance(config, dict) else config
    with _named_as_scale(call):
        return await call.registry.patch(
            call.resource, call.namespace, call.name, document, APPLY_PATCH, context,
            subresource="scale",
        )  # fmt: skip


def _about_replicas(call: Call, document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"apiVersion": call.resource.api_version, "kind": call.resource.kind}
    spec, metadata = document.get("spec"), document.get("metadata")
    if isinstance(spec, dict) and "replicas" in spec:
        found["spec"] = {"replicas": spec["replicas"]}
    if isinstance(metadata, dict):
        kept = {key: metadata[key] for key in ("name", "resourceVersion") if key in metadata}
        if kept:
            found["metadata"] = kept
    return found


def _answer(call: Call, item: Stored, media: MediaType) -> Response:
    scale = strategy_for(call.resource).scale(item.obj)
    return responses.answer(codec.encode(scale), media, 200, call.warnings)


@contextmanager
def _named_as_scale(call: Call) -> Iterator[None]:
    """Have a missing object reported as ``deployments/scale``, as upstream does."""
    try:
        yield
    except ApiError as error:
        if error.code != 404:
            raise
        resource = call.resource
        kind = f"{resource.plural}/scale"
        qualified = f"{kind}.{resource.group}" if resource.group else kind
        details = StatusDetails(name=call.name, group=resource.group, kind=kind)
        text = f'{qualified} "{call.name}" not found'
        raise errors.failure(404, "NotFound", text, details) from error

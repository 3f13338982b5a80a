"""PATCH. Follows ``k8s.io/apiserver/pkg/endpoints/handlers/patch.go``."""

from __future__ import annotations

from typing import Any

from podium.api import codec, errors, kinds
from podium.api.errors import ApiError
from podium.registry import update
from podium.registry.kind import Kind
from podium.registry.patching import (
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_MERGE_PATCH,
    Patched,
    patched,
)
from podium.registry.types import RequestContext, Stored

SERVED = (JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH)


async def patch(
    kind: Kind,
    namespace: str,
    name: str,
    change: Any,
    patch_type: str,
    context: RequestContext,
    *,
    subresource: str = "",
) -> Stored:
    """Apply *change*, a plain value, to the object as it is now. Raises ApiError.

    When somebody else writes meanwhile, it is applied anew, to what they wrote; a patch that
    carries a resourceVersion is a conflict then.
    """
    if patch_type not in SERVED:
        raise unsupported_media_type()

    def wanted(old: Stored) -> Any:
        result = patched(kind.resource, codec.to_plain(old.obj), change, patch_type)
        obj = _read(result, context)
        update.check_name(obj.metadata, namespace, name)
        return obj

    return await update.apply(kind, namespace, name, wanted, context, subresource=subresource)


def unsupported_media_type() -> ApiError:
    """415 for patches of other types, server-side apply among them."""
    return errors.failure(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(SERVED),
    )


def _read(result: Patched, context: RequestContext) -> Any:
    struct = result.resource.type
    try:
        obj, unknown = codec.from_plain_checked(struct, result.document)
    except ValueError as error:
        raise result.invalid(str(error)) from error
    kinds.set_itself(struct, obj)
    if unknown and context.field_validation == "Strict":
        raise result.invalid(codec.strict_failure(unknown))
    if context.field_validation == "Warn":
        context.warnings.extend(unknown)
    return obj

"""PATCH. Follows ``k8s.io/apiserver/pkg/endpoints/handlers/patch.go``."""

from __future__ import annotations

from typing import Any

from podium.api import codec, errors, kinds, managed_fields
from podium.api.errors import ApiError
from podium.api.scheme import Resource
from podium.kit.apart import apart
from podium.registry import create, ownership, update
from podium.registry.kind import Kind
from podium.registry.patching import (
    APPLY_PATCH,
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_MERGE_PATCH,
    Patched,
    patched,
)
from podium.registry.types import RequestContext, Stored

SERVED = (JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, APPLY_PATCH)


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
    if patch_type == APPLY_PATCH:
        return await _apply(kind, namespace, name, change, context, subresource)

    def wanted(old: Stored) -> Any:
        if patch_type == STRATEGIC_MERGE_PATCH and not _names_owners(change):
            # Those need not be read anew, and errors show the patch, not the object.
            before = managed_fields.plain_without_owners(old.obj)
        else:
            before = codec.to_plain(old.obj)
        obj, result = made_of(kind.resource, before, change, patch_type, context)
        if (result.document.get("metadata") or {}).get("managedFields") == []:
            obj.metadata.managed_fields = managed_fields.RESET
        update.check_name(obj.metadata, namespace, name)
        return obj

    return await update.apply(kind, namespace, name, wanted, context, subresource=subresource)


def _names_owners(change: Any) -> bool:
    metadata = change.get("metadata")
    return isinstance(metadata, dict) and any("managedFields" in name for name in metadata)


async def _apply(
    kind: Kind, namespace: str, name: str, config: Any, context: RequestContext, subresource: str
) -> Stored:
    """Server-side apply: of an object that is not there, too, except through a subresource."""

    def wanted(old: Stored | None) -> Any:
        obj = ownership.applied(kind, old, config, context, subresource)
        update.check_name(obj.metadata, namespace, name)
        return obj

    while not subresource and await kind.current(namespace, name) is None:
        obj = await apart(context.size, wanted, None)
        if obj.metadata.uid:
            raise errors.conflict(
                kind.resource,
                name,
                f"uid mismatch: the provided object specified uid {obj.metadata.uid}, and no "
                "existing object was found",
            )
        obj.metadata.resource_version = ""
        context.created = True
        try:
            return await create.create(kind, namespace, obj, context, owned=True)
        except ApiError as taken:
            if taken.reason != "AlreadyExists" or await kind.current(namespace, name) is None:
                raise
            context.created = False
            break  # somebody was faster: it is an update now
    return await update.apply(
        kind, namespace, name, wanted, context, subresource=subresource, owned=True
    )


def unsupported_media_type() -> ApiError:
    """415 for patches of other types."""
    return errors.failure(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(SERVED),
    )


def made_of(
    resource: Resource, before: Any, change: Any, patch_type: str, context: RequestContext
) -> tuple[Any, Patched]:
    """Return the object that a patch makes of *before*, a plain value, and what errors about it
    show; warn of what is odd about it. Raises ApiError."""
    try:
        result = patched(resource, before, change, patch_type)
        return _read(result, context), result
    except RecursionError as error:
        raise errors.bad_request("exceeded max depth") from error


def _read(result: Patched, context: RequestContext) -> Any:
    struct = result.resource.type
    try:
        obj, unknown = result.read()
    except ValueError as error:
        raise result.invalid(str(error)) from error
    kinds.set_itself(struct, obj)
    offences = [*context.repeated, *unknown]
    if offences and context.field_validation == "Strict":
        raise result.invalid(codec.strict_failure(offences))
    if context.field_validation == "Warn":
        context.warnings.extend(offences)
    return obj

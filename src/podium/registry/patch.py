"""PATCH. Follows ``k8s.io/apiserver/pkg/endpoints/handlers/patch.go``."""

from __future__ import annotations

from typing import Any

import msgspec

from podium.api import codec, errors, field, kinds
from podium.api.errors import ApiError
from podium.api.field import Path
from podium.registry import update
from podium.registry.kind import Kind
from podium.registry.types import RequestContext, Stored

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
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
        from podium.api import schema
        from podium.api.patch import json_patch, merge, strategic

        document = codec.to_plain(old.obj)
        if patch_type == STRATEGIC_MERGE_PATCH:
            patched = strategic.apply(document, change, schema.definition_of(kind.resource.type))
            shown = _go_map(change)
        else:
            apply = json_patch.apply if patch_type == JSON_PATCH else merge.apply
            patched = apply(document, change)
            _check_kind(kind, patched)
            shown = msgspec.json.encode(patched).decode()
        obj = _read(kind, patched, shown, context)
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


def _read(kind: Kind, patched: Any, shown: str, context: RequestContext) -> Any:
    try:
        obj, unknown = codec.from_plain_checked(kind.resource.type, patched)
    except ValueError as error:
        raise _invalid_patch(shown, str(error)) from error
    kinds.set_itself(kind.resource.type, obj)
    if unknown and context.field_validation == "Strict":
        raise _invalid_patch(shown, codec.strict_failure(unknown))
    if context.field_validation == "Warn":
        context.warnings.extend(unknown)
    return obj


def _check_kind(kind: Kind, patched: Any) -> None:
    """A patch cannot turn an object into one of another kind."""
    resource = kind.resource
    said = patched.get("apiVersion"), patched.get("kind")
    if said != (resource.api_version, resource.kind):
        raise _invalid_patch(
            msgspec.json.encode(patched).decode(),
            f'no kind "{said[1]}" is registered for version "{said[0]}" '
            'in scheme "pkg/runtime/scheme.go:100"',
        )


def _invalid_patch(shown: str, why: str) -> ApiError:
    return errors.invalid_kind("", "", "", [field.invalid(Path("patch"), shown, why)])


def _go_map(value: Any) -> str:
    """Return *value* as Go prints maps and slices by ``%+v``."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_go_map(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(_go_map, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "<nil>" if value is None else str(value)

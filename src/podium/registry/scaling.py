"""Writes through ``/scale``: what is sent is about a Scale, and its replicas become the object's.

Follows ``scaleUpdatedObjectInfo`` of ``pkg/registry/apps``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from podium.api import codec, errors, field
from podium.api.field import Path
from podium.api.scheme import Resource
from podium.api.types.autoscaling_v1 import Scale
from podium.registry import patch, update
from podium.registry.kind import Kind
from podium.registry.types import RequestContext, Stored

SCALE = Resource("autoscaling", "v1", "Scale", "scales", "scale")

#: Makes the wanted Scale of the present one. Raises ApiError.
Change = Callable[[Scale], Scale]


async def scale(
    kind: Kind, namespace: str, name: str, change: Change, context: RequestContext
) -> Stored:
    """Give the object as many replicas as *change* says. Raises ApiError."""

    def wanted(old: Stored) -> Any:
        present: Any = kind.strategy.scale(old.obj)
        scale = change(present)
        update.check_name(scale.metadata, namespace, name)
        _check(kind, old, scale)
        obj = codec.decode_stored(kind.resource.type, old.data)
        obj.spec.replicas = scale.spec.replicas
        obj.metadata.resource_version = scale.metadata.resource_version
        return obj

    return await update.apply(kind, namespace, name, wanted, context, subresource="scale")


def by_patch(document: Any, patch_type: str, context: RequestContext) -> Change:
    """Return the change that a patch, a plain value, is; of any type but server-side apply."""

    def change(present: Scale) -> Scale:
        before = codec.to_plain(present)
        scale: Scale = patch.made_of(SCALE, before, document, patch_type, context)[0]
        return scale

    return change


def _check(kind: Kind, old: Stored, scale: Scale) -> None:
    metadata = old.obj.metadata
    if scale.spec.replicas < 0:
        text = "must be greater than or equal to 0"
        offence = field.invalid(Path("spec.replicas"), scale.spec.replicas, text)
        raise errors.invalid_kind(SCALE.group, SCALE.kind, metadata.name, [offence])
    if scale.metadata.uid not in ("", metadata.uid):
        resource = replace(kind.resource, plural=f"{kind.resource.plural}/scale")
        text = (
            f"Precondition failed: UID in precondition: {scale.metadata.uid}, "
            f"UID in object meta: {metadata.uid}"
        )
        raise errors.conflict(resource, metadata.name, text)

"""Patches of objects: strategic ones where the schema of the type is known, else merge patches."""

from __future__ import annotations

from typing import Any

from podium.kubectl.discovery import ResourceType

Map = dict[str, Any]
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


def definition_of(group: str, version: str, kind: str) -> str:
    """Return the definition that the lists of a kind are merged by; "" where nobody knows."""
    from podium.api import schema, scheme

    known = scheme.find_kind(group, version, kind)
    return schema.definition_of(known.type) if known is not None else ""


def difference(type_: ResourceType, before: Map, after: Map) -> tuple[Map, str]:
    """Return the patch that makes *after* of *before*, and its content type."""
    from podium.api.patch import merge, strategic

    if definition := definition_of(type_.group, type_.version, type_.kind):
        return strategic.diff(before, after, definition), STRATEGIC
    return merge.diff(before, after), MERGE

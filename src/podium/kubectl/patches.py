"""Patches of objects: strategic ones where the schema of the type is known, else merge patches."""

from __future__ import annotations

import json
from typing import Any

from podium.kubectl.discovery import ResourceType
from podium.kubectl.errors import CommandError

Map = dict[str, Any]
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
#: Ways to patch, as flags name them, and their content types.
WAYS = {"json": "application/json-patch+json", "merge": MERGE, "strategic": STRATEGIC}
#: What upstream's says of a text that is no patch of a way.
_NO_PATCH = {"merge": "Invalid JSON Patch", "strategic": "invalid JSON document"}


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


def patched(obj: Map, text: bytes, way: str, definition: str) -> Any:
    """Return *obj* with the patch *text* of one of the WAYS made in it here; *definition* is the
    object's. What a merge patch makes need not be an object. Raises CommandError."""
    from podium.api import go_json
    from podium.api.patch import json_patch, merge, strategic

    try:
        patch: Any = go_json.plain(go_json.load(text))
    except go_json.SyntaxFailure as exc:
        raise CommandError(_NO_PATCH.get(way, str(exc))) from exc
    fits = {"merge": isinstance(patch, dict | list), "strategic": isinstance(patch, dict | None)}
    if not fits.get(way, True):
        raise CommandError(_NO_PATCH[way])
    try:
        if way == "json":
            return json_patch.apply(obj, [] if patch is None else patch)
        if way == "merge":
            return merge.apply(obj, patch)
        return strategic.apply(obj, patch or {}, definition)
    except ValueError as exc:
        raise CommandError(str(exc)) from exc


def check_says(obj: Map, name: str) -> None:
    """Raise CommandError for what does not say its ``kind``, or its ``apiVersion``."""
    if not obj.get(name):
        shown = "Kind" if name == "kind" else name
        text = json.dumps(obj, separators=(",", ":"), ensure_ascii=False)
        raise CommandError(f"Object '{shown}' is missing in '{text}'")

"""Strategic merges as kustomize makes them: what a patch adds to a list comes first. Pure."""

from __future__ import annotations

from typing import Any

Map = dict[str, Any]
_DIRECTIVE = "$patch"


def merged(obj: Map, patch: Map, definition: str) -> Map | None:
    """Return *obj*, of the kind that *definition* names ("" for one that is not known), with
    *patch* in it; None where that deletes it."""
    from podium.api import schema

    known = schema.definition(definition) if definition else None
    return _map(obj, patch, known)


def _map(there: Map | None, patch: Map, known: Any) -> Map | None:
    directive = patch.get(_DIRECTIVE)
    plain = {name: value for name, value in patch.items() if name != _DIRECTIVE}
    if directive == "delete":
        return None
    if directive == "replace" or there is None:
        there = {}
    result = dict(there)
    for name, value in plain.items():
        if value is None:
            result.pop(name, None)
            continue
        field, key, inner = _field(known, name)
        before = result.get(name)
        if isinstance(value, dict):
            found = _map(before if isinstance(before, dict) else None, value, inner)
            if found is None:
                result.pop(name, None)
            else:
                result[name] = found
        elif isinstance(value, list) and key and field:
            result[name] = _list(before if isinstance(before, list) else [], value, key, inner)
        else:
            result[name] = value
    return result


def _field(known: Any, name: str) -> tuple[Any, str, Any]:
    """Return what the schema says of a member: itself, its merge key, what its value is."""
    if known is None:
        return None, "", None
    from podium.api import schema

    field = schema.field(known, name)
    if not field:
        return None, "", None
    merges = "merge" in field.get("x-kubernetes-patch-strategy", "").split(",")
    key = field.get("x-kubernetes-patch-merge-key", "") if merges else ""
    listed = field.get("type") == "array"
    return field, key, schema.items(field) if listed else schema.resolve(field)


def _list(there: list[Any], patch: list[Any], key: str, inner: Any) -> list[Any]:
    """Merge items by *key*: the patch's in its order, then the others."""
    if any(not isinstance(item, dict) for item in [*there, *patch]):
        return patch
    if any(item.get(_DIRECTIVE) == "replace" and len(item) == 1 for item in patch):
        return [item for item in patch if item.get(_DIRECTIVE) != "replace"]
    by_key = {item.get(key): item for item in there if item.get(key) is not None}
    result = []
    for item in patch:
        found = _map(by_key.pop(item.get(key), None), item, inner)
        if found is not None:
            result.append(found)
    named = {item.get(key) for item in patch}
    return result + [item for item in there if item.get(key) not in named]

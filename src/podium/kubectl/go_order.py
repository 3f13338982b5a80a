"""Objects with their members in the order in which Go's types declare them.

Upstream's prints what it has read into its own types that way, and sorts the keys of all else.
"""

from __future__ import annotations

from typing import Any

_FIRST = ("kind", "apiVersion")


def ordered(obj: dict[str, Any]) -> dict[str, Any]:
    """Return *obj* with the order of its type; sorted where the type is not known, as the items of
    a list of many types are."""
    from podium.api import kinds, schema

    if obj.get("kind") == "List":
        items = [sorted_keys(item) for item in obj["items"]]
        return {"kind": "List", "apiVersion": "v1", "metadata": obj["metadata"], "items": items}
    if str(obj.get("kind", "")).endswith("List") and isinstance(obj.get("items"), list):
        items = [_item(obj, item) for item in obj["items"]]
        return {**{name: obj[name] for name in (*_FIRST, "metadata")}, "items": items}
    group, _, version = str(obj.get("apiVersion", "")).rpartition("/")
    cls = kinds.find(kinds.GroupVersionKind(group, version, str(obj.get("kind", ""))))
    message = schema.definition_of(cls) if cls is not None else ""
    found = _message(message, obj)
    return {**{name: obj[name] for name in _FIRST if name in obj}, **found}


def _item(listed: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    """Return an item of a list of one type, which need not say of which."""
    kind = str(listed["kind"]).removesuffix("List")
    found = ordered({"kind": kind, "apiVersion": listed["apiVersion"], **item})
    return {name: value for name, value in found.items() if name in item}


def _message(name: str, value: dict[str, Any]) -> dict[str, Any]:
    from podium.api import protobuf

    declared = protobuf.declared(name)
    result = {}
    for member, (kind, what) in declared.items():
        if member in value:
            result[member] = _member(kind, what, value[member])
    for member in sorted(value):
        if member not in result:
            result[member] = sorted_keys(value[member])
    return result


def sorted_keys(value: Any) -> Any:
    """Return *value* with the members of each map in the order of their names."""
    if isinstance(value, dict):
        return {key: sorted_keys(value[key]) for key in sorted(value)}
    return [sorted_keys(item) for item in value] if isinstance(value, list) else value


def _member(kind: str, what: str, value: Any) -> Any:
    if what == "many" and isinstance(value, list):
        return [_member(kind, "", item) for item in value]
    if isinstance(value, dict):
        if what == "map":
            return {key: _member(kind, "", value[key]) for key in sorted(value)}
        return _message(kind, value)
    return value

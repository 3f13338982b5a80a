"""A patched object as Go's patch library writes it: errors about the object quote that text. Pure.

The server encodes the present object with the fields in the order of Go's structs. The library
takes apart what a patch reaches into, and writes that with sorted keys; all else stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from podium.api import protobuf, schema
from podium.api.scheme import Resource

#: What a patch reaches into: member names (of arrays: indexes) to what it reaches into there.
Reached = dict[str, "Reached"]

_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026",
            "\u2028": "\\u2028", "\u2029": "\\u2029"}  # fmt: skip
_TO_ESCAPED = str.maketrans(_ESCAPED)
#: Where structs do not have their fields in the order of their protobuf numbers.
_FIRST = {
    "io.k8s.api.core.v1.PodSpec": (
        "volumes", "initContainers", "containers", "ephemeralContainers",
    ),
}  # fmt: skip


def text(
    resource: Resource,
    document: Any,
    patch: Any,
    apply: Callable[[Any, Any], Any],
    reached: Reached,
) -> str:
    """Return the text of *document*, an object of *resource*, with *patch* put on by *apply*."""
    ordered = in_order(document, schema.definition_of(resource.type))
    result = _sorted(apply(ordered, patch), reached)
    return msgspec.json.encode(result).decode().translate(_TO_ESCAPED)


def in_order(value: Any, message: str) -> Any:
    """Return plain *value*, a *message* (``io.k8s.api.core.v1.Pod``), in the order of Go."""
    if not isinstance(value, dict):
        return value
    fields = protobuf.members(message)
    type_meta = [name for name in ("kind", "apiVersion") if name not in fields]
    names = dict.fromkeys((*type_meta, *_FIRST.get(message, ()), *fields, *value))
    return {name: _member(value[name], fields.get(name, "")) for name in names if name in value}


def _member(value: Any, message: str) -> Any:
    if isinstance(value, list):
        return [in_order(item, message) for item in value]
    if isinstance(value, dict) and not protobuf.members(message):  # a map of what *message* names
        return {name: in_order(value[name], message) for name in sorted(value)}
    return in_order(value, message)


def reached_by_operations(patch: Iterable[Mapping[str, Any]]) -> Reached:
    """Return what a JSON patch takes apart."""
    found: Reached = {}
    for operation in patch:
        for pointer in (operation.get("path"), operation.get("from")):
            if not isinstance(pointer, str):
                continue
            here = found
            for part in pointer.split("/")[1:-1]:
                here = here.setdefault(part.replace("~1", "/").replace("~0", "~"), {})
    return found


def reached_by_merge(patch: Any) -> Reached:
    """Return what a merge patch takes apart."""
    if not isinstance(patch, dict):
        return {}
    return {name: reached_by_merge(value) for name, value in patch.items() if value is not None}


def _sorted(value: Any, reached: Reached) -> Any:
    if isinstance(value, list):
        return [
            _sorted(item, reached[str(index)]) if str(index) in reached else item
            for index, item in enumerate(value)
        ]
    if not isinstance(value, dict):
        return value
    return {
        name: _sorted(value[name], reached[name]) if name in reached else value[name]
        for name in sorted(value)
    }

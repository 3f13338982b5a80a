"""Fields by the paths of replacements: ``spec.containers.[name=web].env.0.value``. Pure.

A part is a name, the number of an item, ``[key=value]`` for items with a field (``[=value]``: that
are a value), ``*`` for each, ``-`` for an item behind the last; ``\\.`` is a dot within a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

#: A map or list, and the name or number of what is meant in it.
Place = tuple[Any, Any]
_PART = re.compile(r"\[[^\]]*\]|(?:\\.|[^.\\])+")


def split(path: str) -> list[str]:
    return [part.replace("\\.", ".") for part in _PART.findall(path)]


def get(obj: Any, path: str) -> Any:
    """Return the first value at *path*, None where there is none."""
    return next((holder[key] for holder, key in places(obj, split(path))), None)


def places(node: Any, parts: Sequence[str], *, create: bool = False) -> Iterator[Place]:
    """Yield where *parts* lead to from *node*; with *create* to what is not there yet, too."""
    first, *rest = parts
    for key in list(_keys(node, first, create=create)):
        if not rest:
            yield node, key
            continue
        if isinstance(node, dict) and node.get(key) is None:
            if not create:
                continue
            node[key] = [] if _of_list(rest[0]) else {}
        yield from places(node[key], rest, create=create)


def _of_list(part: str) -> bool:
    return part == "-" or part.isdigit() or part.startswith("[")


def _keys(node: Any, part: str, *, create: bool) -> Iterator[Any]:
    if isinstance(node, dict):
        if part == "*":
            yield from node
        elif part in node or create:
            yield part
    elif isinstance(node, list):
        yield from _numbers(node, part, create=create)


def _numbers(items: list[Any], part: str, *, create: bool) -> Iterator[int]:
    if part == "*":
        yield from range(len(items))
    elif part == "-":
        items.append({})
        yield len(items) - 1
    elif part.isdigit():
        if int(part) < len(items):
            yield int(part)
    elif part.startswith("["):
        name, _, value = part[1:-1].partition("=")
        found = [place for place, item in enumerate(items) if _is(item, name, value)]
        if not found and create:
            items.append({name: value} if name else value)
            found = [len(items) - 1]
        yield from found


def _is(item: Any, name: str, value: str) -> bool:
    if not name:
        return text(item) == value
    return isinstance(item, dict) and name in item and text(item[name]) == value


def text(value: Any) -> str:
    """Return a plain value as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def plain(written: str) -> Any:
    """Return what a text is that YAML has without quotes."""
    words = {"true": True, "false": False, "null": None, "": None}
    if written in words:
        return words[written]
    if re.fullmatch(r"-?(0|[1-9]\d*)", written, re.ASCII):
        return int(written)
    return float(written) if re.fullmatch(r"-?\d+\.\d+", written, re.ASCII) else written

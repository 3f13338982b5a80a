"""An applied configuration merged into an object, and fields taken out of one.

Follows ``typed.Merge`` and ``typed.RemoveItems``.
"""

from __future__ import annotations

from typing import Any

from podium.api.fields import elements, sets
from podium.api.fields.extract import grouped, member_of
from podium.api.fields.sets import Fields
from podium.api.fields.shapes import List, Map, Shape, Struct

_ABSENT: Any = object()


def merge(shape: Shape, live: Any, config: Any) -> Any:
    """Return *live* with everything that *config* says; what it does not name stays."""
    merged = _merge(shape, live, config)
    return {} if merged is _ABSENT else merged


def _merge(shape: Shape, live: Any, config: Any) -> Any:
    if config is _ABSENT:
        return live
    if live is _ABSENT and (shape.atomic or not config):
        return config
    before = None if live is _ABSENT else live
    if shape.atomic or not (before or config):
        return config
    if isinstance(shape, List):
        items = _merge_items(shape, before or [], config or [])
        return items or _ABSENT
    return _merge_members(shape, before or {}, config or {}) or _ABSENT


def _merge_members(shape: Shape, live: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name in (*live, *(name for name in config if name not in live)):
        member = member_of(shape, name)
        if member is None:
            continue
        value = _merge(member[1], live.get(name, _ABSENT), config.get(name, _ABSENT))
        if value is not _ABSENT:
            result[name] = value
    return result


def _merge_items(shape: List, live: list[Any], config: list[Any]) -> list[Any]:
    """Merge lists: the items of *config* in its order, those of *live* alone where they stood.

    Items that nothing tells apart take part as often as they are there; a configuration has none.
    """
    left = [shape.element(item) for item in live]
    right = [shape.element(item) for item in config]
    mine, theirs = grouped(shape, live), dict(zip(right, config, strict=True))
    shared = iter([element for element in right if element in mine])
    next_shared = next(shared, None)
    result: list[Any] = []
    taken: set[str] = set()
    at_left = at_right = 0

    def take(element: str) -> None:
        taken.add(element)
        same = mine.get(element, [])
        before = same[0] if len(same) == 1 else (None if same else _ABSENT)
        merged = _merge(shape.items, before, theirs[element])
        if merged is not _ABSENT:
            result.append(merged)

    while at_left < len(left) or at_right < len(right):
        if at_left < len(left):
            element = left[at_left]
            if at_right < len(right):
                if element == right[at_right]:
                    take(element)
                    at_left, at_right = at_left + 1, at_right + 1
                    next_shared = next(shared, None)
                    continue
                if element in theirs and next_shared is not None and next_shared != element:
                    at_left += 1  # shared, but not the one whose turn it is
                    continue
            if element not in theirs:
                result.append(live[at_left])
                at_left += 1
                continue
            if element in taken:
                at_left += 1
        if at_right < len(right):
            element = right[at_right]
            take(element)
            at_right += 1
            if next_shared == element:
                next_shared = next(shared, None)
    return result


def remove(shape: Shape, value: Any, fields: Fields) -> Any:
    """Return *value* without *fields*; None where nothing is left."""
    if isinstance(shape, List):
        return _remove_items(shape, value, fields)
    if isinstance(shape, Struct | Map):
        return _remove_members(shape, value, fields)
    return value


def _remove_members(shape: Struct | Map, value: Any, fields: Fields) -> Any:
    if shape.atomic or not value or not isinstance(value, dict):
        return None
    result: dict[str, Any] = {}
    for name, item in value.items():
        node = fields.get(elements.field(name))
        if node is None:
            result[name] = item
        elif not sets.is_member(node):
            member = member_of(shape, name)
            result[name] = item if member is None else remove(member[1], item, node)
    return result or None


def _remove_items(shape: List, value: Any, fields: Fields) -> Any:
    if shape.atomic or not value or not isinstance(value, list):
        return None
    result: list[Any] = []
    for item in value:
        node = fields.get(shape.element(item))
        if node is None:
            result.append(item)
        elif not sets.is_member(node):
            result.append(remove(shape.items, item, node))
    return result or None


def with_named_members(shape: Shape, fields: Fields) -> Fields:
    """Return *fields* with those declared fields that lead to others in it as its own paths.

    That somebody owns a field below a declared one keeps that one, which items of lists and keys
    of maps are not granted.
    """
    result: Fields = {}
    for element, node in fields.items():
        inner = _inner(shape, element)
        below = with_named_members(inner, node) if inner is not None and node else node
        if below and isinstance(shape, Struct) and inner is not None:
            below = sets.with_self(below)
        result[element] = below
    return result


def _inner(shape: Shape, element: str) -> Shape | None:
    if isinstance(shape, List):
        return shape.items
    if element[:2] != "f:":
        return None
    if isinstance(shape, Struct | Map):
        member = member_of(shape, element[2:])
        return member[1] if member else None
    return None

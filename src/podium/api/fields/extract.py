"""The fields of a value, and what differs between two values, as sets of paths.

Follows ``typed.ToFieldSet`` and ``typed.Compare``. Raises ValueError where the items of a list
cannot be told from each other by their keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from podium.api.fields import sets
from podium.api.fields.sets import EMPTY, LEAF, SELF, Fields
from podium.api.fields.shapes import List, Map, Shape, Struct


def fields_of(shape: Shape, value: Any) -> Fields:
    """Return the paths that *value* sets: its leaves, the items of its lists and maps."""
    return _fields(shape, value) or EMPTY


def _fields(shape: Shape, value: Any) -> Fields | None:
    """Return the node of a value: None where it sets nothing."""
    if shape.atomic:
        return LEAF
    if not value:
        return None
    if isinstance(shape, List):
        return _fields_of_items(shape, value)
    result: Fields = {}
    for name, item in value.items():
        member = member_of(shape, name)
        if member is None:
            continue
        element, inner = member
        node = _fields(inner, item)
        if item is None or item == {} or isinstance(shape, Map):
            node = sets.with_self(node)
        if node is not None:
            result[element] = node
    return result or None


def _fields_of_items(shape: List, items: list[Any]) -> Fields:
    result: Fields = {}
    for element, same in grouped(shape, items).items():
        if len(same) > 1:
            result[element] = LEAF  # items that nothing tells apart are owned together
        else:
            result[element] = sets.with_self(_fields(shape.items, same[0]))
    return result


def member_of(shape: Shape, name: str) -> tuple[str, Shape] | None:
    """Return element and shape of what an object or map has under *name*."""
    if type(shape) is Struct:
        return shape.members.get(name) or shape.member(name)
    assert type(shape) is Map
    return f"f:{name}", shape.values


def grouped(shape: List, items: list[Any]) -> dict[str, list[Any]]:
    """Return the items by their elements, in order. Raises ValueError."""
    result: dict[str, list[Any]] = {}
    for item in items:
        result.setdefault(shape.element(item), []).append(item)
    return result


class Comparison(msgspec.Struct):
    """What a value gained, what changed in it and what it lost."""

    added: Fields
    modified: Fields
    removed: Fields

    def without(self, ignored: Fields) -> Comparison:
        """Leave out what is in *ignored* or below it."""
        if not ignored:
            return self
        return Comparison(
            sets.recursive_difference(self.added, ignored),
            sets.recursive_difference(self.modified, ignored),
            sets.recursive_difference(self.removed, ignored),
        )

    def is_same(self) -> bool:
        return not (self.added or self.modified or self.removed)

    def touched(self) -> Fields:
        return sets.union(sets.union(self.added, self.modified), self.removed)


def compare(shape: Shape, old: Any, new: Any) -> Comparison:
    """Compare two values of *shape*. Equal parts cost next to nothing."""
    added, modified, removed = _compare(shape, old, new)
    return Comparison(added or EMPTY, modified or EMPTY, removed or EMPTY)


_Nodes = tuple[Fields | None, Fields | None, Fields | None]
_SAME: _Nodes = (None, None, None)
_MODIFIED: _Nodes = (None, LEAF, None)


def _compare(shape: Shape, old: Any, new: Any) -> _Nodes:
    if old == new:
        return _SAME
    if shape.atomic or not (old or new):
        return _MODIFIED
    result: tuple[Fields, Fields, Fields] = ({}, {}, {})
    if isinstance(shape, List):
        _compare_items(shape, old or [], new or [], result)
    else:
        _compare_members(shape, old or {}, new or {}, result)
    return result[0] or None, result[1] or None, result[2] or None


def _compare_members(
    shape: Shape, old: Mapping[str, Any], new: Mapping[str, Any], result: tuple[Fields, ...]
) -> None:
    for name, item in new.items():
        if name not in old:
            if (member := member_of(shape, name)) is not None:
                result[0][member[0]] = _whole(member[1], item)
        elif item != (before := old[name]) and (member := member_of(shape, name)) is not None:
            _put(result, member[0], _compare(member[1], before, item))
    for name, item in old.items():
        if name not in new and (member := member_of(shape, name)) is not None:
            result[2][member[0]] = _whole(member[1], item)


def _compare_items(shape: List, old: list[Any], new: list[Any], result: tuple[Fields, ...]) -> None:
    before, after = grouped(shape, old), grouped(shape, new)
    for element, items in after.items():
        there = before.get(element, [])
        if len(items) == 1 and len(there) == 1:
            _put(result, element, _compare(shape.items, there[0], items[0]))
        elif len(items) > 1 and len(there) > 1:
            if items != there:
                result[1][element] = LEAF
        elif len(items) > 1:
            if there:
                result[2][element] = _whole(shape.items, there[0])
            result[0][element] = LEAF
        else:
            if there:
                result[2][element] = LEAF
            result[0][element] = _whole(shape.items, items[0])
    for element, items in before.items():
        if element not in after:
            whole = _whole(shape.items, items[0]) if len(items) == 1 else LEAF
            result[2][element] = whole


def _put(result: tuple[Fields, ...], element: str, nodes: _Nodes) -> None:
    if nodes is _SAME:
        return
    for target, node in zip(result, nodes, strict=True):
        if node is not None:
            target[element] = node


def _whole(shape: Shape, value: Any) -> Fields:
    """Return all paths of a value that has come or gone, those of its containers included."""
    if shape.atomic or not value:
        return LEAF
    result: Fields = {SELF: LEAF}
    if isinstance(shape, List):
        for element, same in grouped(shape, value).items():
            result[element] = _whole(shape.items, same[0]) if len(same) == 1 else LEAF
        return result
    for name, item in value.items():
        member = member_of(shape, name)
        if member is not None:
            element, inner = member
            result[element] = LEAF if inner.atomic or not item else _whole(inner, item)
    return result if len(result) > 1 else LEAF

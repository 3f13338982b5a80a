"""Sets of paths, as ``FieldsV1`` writes them: ``{"f:spec": {"f:replicas": {}}}``.

A path is a row of elements (see ``elements``), a set a tree of them. A node without children is a
path of the set; a node with children is one if it has the member ``.``. The empty set is ``{}``.
Sets are values: functions return new ones, share what they can and change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from podium.api.fields import elements

Fields = dict[str, Any]
Path = tuple[str, ...]

SELF = "."
#: A path without children; shared, never to be changed.
LEAF: Fields = {}
EMPTY: Fields = {}


def is_member(node: Fields | None) -> bool:
    """Whether the path that leads to *node* belongs to the set."""
    return node is not None and (not node or SELF in node)


def with_self(node: Fields | None) -> Fields:
    """Return *node* with the path that leads to it."""
    if not node:
        return LEAF
    return node if SELF in node else {SELF: LEAF, **node}


def union(one: Fields, other: Fields) -> Fields:
    if not one or not other:
        return one or other
    return _union(one, other)


def _union(one: Fields, other: Fields) -> Fields:
    if one is other:
        return one
    if not one or not other:
        return with_self(one or other)
    result = dict(one)
    for element, node in other.items():
        there = result.get(element)
        result[element] = node if there is None else _union(there, node)
    return result


def difference(one: Fields, other: Fields) -> Fields:
    """Return the paths of *one* that *other* does not have; those below a common one stay."""
    return _difference(one, other)[1] if one and other else one


def _difference(one: Fields, other: Fields) -> tuple[bool, Fields]:
    """Return whether the node itself remains, and what remains below it."""
    remains = is_member(one) and not is_member(other)
    below: Fields = {}
    for element, node in one.items():
        if element == SELF:
            continue
        taken = other.get(element)
        if taken is None:
            below[element] = node
            continue
        stays, rest = _difference(node, taken)
        if stays:
            below[element] = with_self(rest)
        elif rest:
            below[element] = rest
    return remains, below


def recursive_difference(one: Fields, other: Fields) -> Fields:
    """Return the paths of *one* that neither are in *other* nor lie below one that is."""
    if not one or not other:
        return one
    result: Fields = {}
    for element, node in one.items():
        taken = other.get(element)
        if taken is None:
            result[element] = node
        elif element != SELF and not is_member(taken):
            rest = recursive_difference(children(node), taken)
            if is_member(node):
                result[element] = with_self(rest)
            elif rest:
                result[element] = rest
    return result


def intersection(one: Fields, other: Fields) -> Fields:
    if not one or not other:
        return EMPTY
    result: Fields = {}
    for element, node in one.items():
        match = other.get(element)
        if match is None or element == SELF:
            continue
        rest = intersection(node, match)
        if is_member(node) and is_member(match):
            result[element] = with_self(rest)
        elif rest:
            result[element] = rest
    return result


def children(node: Fields) -> Fields:
    """Return *node* as a set of its own, relative to it."""
    if SELF not in node:
        return node
    return {element: below for element, below in node.items() if element != SELF}


def has(fields: Fields, path: Path) -> bool:
    node: Fields | None = fields
    for element in path:
        node = node.get(element) if node else None
    return is_member(node) if path else False


def of(*paths: Path) -> Fields:
    """Return the set of *paths*."""
    result = EMPTY
    for path in paths:
        node: Fields = LEAF
        for element in reversed(path):
            node = {element: node}
        result = union(result, node)
    return result


def paths(fields: Fields, prefix: Path = ()) -> Iterator[Path]:
    """Yield the paths, those of one level before those below them, in upstream's order."""
    ordered = sorted((each for each in fields if each != SELF), key=elements.order)
    for element in ordered:
        if is_member(fields[element]):
            yield (*prefix, element)
    for element in ordered:
        if fields[element]:
            yield from paths(fields[element], (*prefix, element))


def ordered(fields: Fields) -> Fields:
    """Return the same set with its elements in the order in which upstream writes them."""
    if len(fields) < 2:
        return {element: ordered(node) if node else LEAF for element, node in fields.items()}
    by_text = sorted(fields)
    if by_text[-1].startswith("k:"):
        by_text.sort(key=elements.order)
    return {element: ordered(fields[element]) if fields[element] else LEAF for element in by_text}


#: No object is as deep; what works on sets is recursive.
_MAX_DEPTH = 200


def parse(value: Any) -> Fields:
    """Return the set that a client's ``fieldsV1`` means, in canonical form.

    Elements of sorts that are not known are left out, as upstream does. Raises ValueError.
    """
    try:
        known = _shared.get(_encode(value))  # most clients send back what they were given
    except RecursionError:
        known = None
    return known if known is not None else _parse(value, 0)


def _parse(value: Any, depth: int) -> Fields:
    if not isinstance(value, dict):
        raise ValueError("fieldsV1 is no object")
    if depth > _MAX_DEPTH:
        raise ValueError("fieldsV1 is too deep")
    result: Fields = {}
    for text, below in value.items():
        element = SELF if text == SELF else elements.canonical(text)
        if element is not None:
            node = _parse(below, depth + 1)
            if len(node) == 1 and SELF in node:
                node = LEAF
            there = result.get(element)
            result[element] = node if there is None else _union(there, node)
    return result


_encode = msgspec.json.Encoder().encode
_shared: dict[bytes, Fields] = {}
_SHARED_AT_MOST = 512
#: Bytes beyond which fields are nobody else's: 512 of any size could be more than there is memory.
_SHARED_SIZE = 16 * 1024


def shared(fields: Fields) -> Fields:
    """Return *fields*, ordered; objects of one make, of which there are many, share the result."""
    key = _encode(fields)
    if len(key) > _SHARED_SIZE:
        return ordered(fields)
    found = _shared.get(key)
    if found is None:
        if len(_shared) >= _SHARED_AT_MOST:
            _shared.clear()  # what is in use stays shared among those that hold it
        found = ordered(fields)
        _shared[key] = found = _shared.setdefault(_encode(found), found)
    return found

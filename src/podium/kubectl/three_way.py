"""The patch of ``kubectl apply``: what a file wants, against what it wanted last and what is there.

Fields that the last file had and this one has not are deleted; what differs from the file is set;
what others have added stays. Pure. Follows ``CreateThreeWayMergePatch`` of apimachinery.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from podium.api.patch import merge, strategic

Map = dict[str, Any]


def strategic_patch(last: Map, wanted: Map, current: Map, definition: str) -> Map:
    """Return a strategic merge patch of *current*; empty where nothing is to be done."""
    additions = strategic.diff(current, wanted, definition, strategic.Parts(deletions=False))
    deletions = strategic.diff(last, wanted, definition, strategic.Parts(additions=False))
    return _merged(deletions, additions)


def merge_patch(last: Map, wanted: Map, current: Map) -> Map:
    """Return a JSON merge patch of *current*, for kinds whose lists nobody can merge."""
    patch = merge.diff(current, wanted, deletions=False)
    for name in last:
        if name not in wanted:
            patch[name] = None
        elif isinstance(last[name], dict) and isinstance(wanted[name], dict):
            inner = merge_patch(last[name], wanted[name], current.get(name) or {})
            if inner:
                patch[name] = inner
    return {k: v for k, v in patch.items() if v is not None or k in current}


def _deletes(item: Any) -> bool:
    return isinstance(item, dict) and item.get("$patch") == "delete"


def _merged(one: Map, other: Map) -> Map:
    """Both patches in one; they never say different things of a field."""
    merged = dict(one)
    for name, value in other.items():
        before = merged.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            merged[name] = _merged(before, value)
        elif isinstance(before, list) and isinstance(value, list) and not name.startswith("$"):
            merged[name] = _merged_items(before, value)
        else:
            merged[name] = value
    for name, value in merged.items():
        order = merged.get(f"$setElementOrder/{name}")
        if order is not None and isinstance(value, list):
            merged[name] = _in_order(value, order)
    return merged


def _in_order(items: list[Any], order: list[Any]) -> list[Any]:
    """The server wants a patch's items in their order, deletions last; several may share a key."""
    places = list(enumerate(order))
    placed: list[tuple[int, Any]] = []
    for item in items:
        found = next((entry for entry in places if _stands_for(entry[1], item)), None)
        if found is not None:
            places.remove(found)
        placed.append((found[0] if found else len(order) + _deletes(item), item))
    return [item for _, item in sorted(placed, key=itemgetter(0))]


def _stands_for(entry: Any, item: Any) -> bool:
    """Whether an entry of an order, of which maps have their key only, is about an item."""
    if not isinstance(entry, dict) or not isinstance(item, dict):
        return bool(entry == item)
    return not _deletes(item) and all(item.get(key) == value for key, value in entry.items())


def _merged_items(one: list[Any], other: list[Any]) -> list[Any]:
    merged = list(one)
    for item in other:
        place = next((i for i, known in enumerate(merged) if _same(known, item)), None)
        if place is None:
            merged.append(item)
        else:
            merged[place] = _merged(merged[place], item)
    return merged


def _same(deletion: Any, other: Any) -> bool:
    """Whether both are about the same item: all that a deletion says of its item is its key."""
    if not isinstance(deletion, dict) or not isinstance(other, dict) or _deletes(deletion):
        return False
    keys = {name: value for name, value in deletion.items() if isinstance(value, str | int)}
    return bool(keys) and all(other.get(name) == value for name, value in keys.items())

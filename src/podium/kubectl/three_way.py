"""The patch of ``kubectl apply``: what a file wants, against what it wanted last and what is there.

Fields that the last file had and this one has not are deleted; what differs from the file is set;
what others have added stays. Pure. Follows ``CreateThreeWayMergePatch`` of apimachinery.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from podium.api.patch import strategic

Map = dict[str, Any]

_RETAIN_KEYS = "$retainKeys"


def strategic_patch(last: Map, wanted: Map, current: Map, definition: str) -> Map:
    """Return a strategic merge patch of *current*; empty where nothing is to be done."""
    additions = _without_deletions(strategic.diff(current, wanted, definition))
    deletions = _only_deletions(strategic.diff(last, wanted, definition))
    return _merged(deletions, additions)


def merge_patch(last: Map, wanted: Map, current: Map) -> Map:
    """Return a JSON merge patch of *current*, for kinds whose lists nobody can merge."""
    patch = _changed(current, wanted)
    for name in last:
        if name not in wanted:
            patch[name] = None
        elif isinstance(last[name], dict) and isinstance(wanted[name], dict):
            inner = merge_patch(last[name], wanted[name], current.get(name) or {})
            if inner:
                patch[name] = inner
    return {k: v for k, v in patch.items() if v is not None or k in current}


def _changed(current: Map, wanted: Map) -> Map:
    patch: Map = {}
    for name, value in wanted.items():
        before = current.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            if inner := _changed(before, value):
                patch[name] = inner
        elif name not in current or before != value:
            patch[name] = value
    return patch


def _without_deletions(patch: Map) -> Map:
    kept: Map = {}
    for name, value in patch.items():
        if value is None or name.startswith("$deleteFromPrimitiveList/"):
            continue
        if isinstance(value, dict):
            inner = _without_deletions(value)
            if inner or not value:
                kept[name] = inner
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            items = [item for item in map(_item_additions, value) if item is not None]
            if items:
                kept[name] = items
        else:
            kept[name] = value
    if any(name.startswith("$setElementOrder/") for name in kept):
        changed = {name for name in kept if not name.startswith("$")}
        for name in [name for name in kept if name.startswith("$setElementOrder/")]:
            if name.partition("/")[2] not in changed:
                del kept[name]
    if not kept.keys() - {_RETAIN_KEYS} and None not in patch.values():
        kept.pop(_RETAIN_KEYS, None)  # it only matters beside other changes, or for a key that goes
    return kept


def _item_additions(item: Any) -> Any:
    """What an item of a list of a patch adds; None where it only deletes."""
    if not isinstance(item, dict):
        return item
    if _deletes(item):
        return None
    kept = _without_deletions(item)
    if len(kept.keys() - {_RETAIN_KEYS}) <= 1 and None not in item.values():
        kept.pop(_RETAIN_KEYS, None)
    only_its_key = kept != item and len(kept) <= 1
    return None if only_its_key else kept


def _only_deletions(patch: Map) -> Map:
    kept: Map = {}
    for name, value in patch.items():
        if value is None or name.startswith("$deleteFromPrimitiveList/"):
            kept[name] = value
        elif isinstance(value, dict):
            if inner := _only_deletions(value):
                kept[name] = inner
        elif isinstance(value, list):
            items = [found for item in value if (found := _item_deletions(item))]
            if items:
                kept[name] = items
                order = f"$setElementOrder/{name}"
                if order in patch:
                    kept[order] = patch[order]
    return kept


def _item_deletions(item: Any) -> Any:
    """What an item of a list of a patch deletes: itself, or parts of it (with its merge key)."""
    if not isinstance(item, dict):
        return None
    if _deletes(item):
        return item
    deletions = _only_deletions(item)
    if not deletions:
        return None
    keys = {name: value for name, value in item.items() if isinstance(value, str | int)}
    return {**keys, **deletions}


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
            merged[name] = sorted(value, key=partial(_place, order))
    return merged


def _place(order: list[Any], item: Any) -> int:
    """Where an item belongs: the server wants a patch's items in their order, deletions last."""
    if _deletes(item):
        return len(order) + 1
    for place, entry in enumerate(order):
        if isinstance(entry, dict) and isinstance(item, dict):
            if all(item.get(key) == value for key, value in entry.items()):
                return place
        elif entry == item:
            return place
    return len(order)


def _merged_items(one: list[Any], other: list[Any]) -> list[Any]:
    merged = list(one)
    for item in other:
        place = next((i for i, known in enumerate(merged) if _same(known, item)), None)
        if place is None:
            merged.append(item)
        else:
            merged[place] = _merged(merged[place], item)
    return merged


def _same(one: Any, other: Any) -> bool:
    """Whether two items of a patch are about the same item: they share a merge key."""
    if not isinstance(one, dict) or not isinstance(other, dict) or _deletes(one):
        return False
    keys = ("name", "mountPath", "containerPort", "port", "key", "type", "ip", "uid", "topologyKey",
            "devicePath", "claimName", "conditionType")  # fmt: skip
    return any(key in one and one[key] == other.get(key) for key in keys)

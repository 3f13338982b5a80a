"""Strategic merge patch: applied, and computed from two versions of an object.

Lists whose field carries a patch merge key are merged item by item, lists of plain values with the
merge strategy are sets, all others are replaced; ``$patch``, ``$retainKeys``, ``$setElementOrder``
and ``$deleteFromPrimitiveList`` direct. Follows ``k8s.io/apimachinery/pkg/util/strategicpatch``.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

import msgspec

from podium.api import go_text, schema
from podium.api.schema import Definition

_PATCH = "$patch"
_RETAIN_KEYS = "$retainKeys"
_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"

Map = dict[str, Any]


class PatchFailure(ValueError):
    """The patch cannot be applied; the message is upstream's."""


def apply(document: Map, patch: Map, definition: str) -> Map:
    """Return *document*, of the kind that *definition* names, with *patch* applied.

    Raises PatchFailure. The inputs stay as they are; the result shares with them what is the same.
    """
    return _merge_map(document, patch, schema.definition(definition))


class _Field:
    """What the schema says about patching one member."""

    __slots__ = ("definition", "key", "merged", "replaced", "retain_keys")

    def __init__(self, parent: Definition, name: str) -> None:
        found = schema.field(parent, name)
        strategies = found.get("x-kubernetes-patch-strategy", "").split(",")
        self.merged = "merge" in strategies
        self.replaced = "replace" in strategies
        self.retain_keys = "retainKeys" in strategies
        self.key: str = found.get("x-kubernetes-patch-merge-key", "")
        listed = found.get("type") == "array"
        self.definition = schema.items(found) if listed else schema.resolve(found)


def _merge_map(original: Map | None, patch: Map, definition: Definition) -> Map:
    """Merge *patch* into a copy of *original*."""
    if _PATCH in patch:
        return _directed(patch)
    result, patch = dict(original or {}), dict(patch)
    _retain_keys(result, patch)
    _merge_ordered_lists(result, patch, definition)
    for name, value in patch.items():
        deleting = name.startswith(_DELETE[:-1])
        if deleting:
            name = _list_name(name, _DELETE, "primitive list")
        if value is None:
            result.pop(name, None)
        elif name not in result or type(result[name]) is not type(value):
            if not deleting:
                _assign(result, name, value)
        elif isinstance(value, dict):
            field = _Field(definition, name)
            before = None if field.replaced else result[name]
            result[name] = value if field.replaced else _merge_map(before, value, field.definition)
        elif isinstance(value, list):
            result[name] = _merge_list(result[name], value, _Field(definition, name), deleting)
        else:
            result[name] = value
    return result


def _assign(target: Map, name: str, value: Any) -> None:
    kept, clean = _without_directives(value)
    if kept:
        target[name] = clean


def _directed(patch: Map) -> Map:
    directive = patch[_PATCH]
    if directive == "replace":
        return {name: value for name, value in patch.items() if name != _PATCH}
    if directive == "delete":
        return {}
    raise _unknown_directive(patch)


def _unknown_directive(patch: Map) -> PatchFailure:
    shown = go_text.plain(patch[_PATCH])
    return PatchFailure(f"unknown patch type: {shown} in map: {go_text.plain(patch)}")


def _retain_keys(original: Map, patch: Map) -> None:
    if _RETAIN_KEYS not in patch:
        return
    keys = patch.pop(_RETAIN_KEYS)
    named = [
        name
        for name, value in patch.items()
        if value is not None and not name.startswith((_DELETE[:-1], _ORDER[:-1]))
    ]
    if not isinstance(keys, list) or any(name not in keys for name in named):
        raise PatchFailure("invalid patch format of retainKeys")
    for name in [name for name in original if name not in keys]:
        del original[name]


def _list_name(directive: str, prefix: str, what: str) -> str:
    if not directive.startswith(prefix):
        raise PatchFailure(f"invalid patch format of {what}")
    return directive.removeprefix(prefix)


def _merge_ordered_lists(original: Map, patch: Map, definition: Definition) -> None:
    """Merge the lists that ``$setElementOrder`` names, and take them out of *patch*."""
    for directive in [name for name in patch if name.startswith(_ORDER[:-1])]:
        order = patch.pop(directive)
        name = _list_name(directive, _ORDER, "setElementOrder list")
        field = _Field(definition, name)
        before, change = original.get(name), patch.get(name)
        for value in (order, before, change):
            if value is not None and not isinstance(value, list):
                raise PatchFailure("invalid patch format of setElementOrder list")
        order = order or []
        _check_order(change or [], order, field.key)
        if before is None and change is None:
            continue
        if change is None:
            merged = before
        elif before is None:
            merged = _without_directives(change)[1]
        else:
            merged = _merge_list(before, change, field, deleting=False)
        original[name] = _ordered(merged or [], order, before or [], field.key)
        patch.pop(name, None)


def _check_order(change: list[Any], order: list[Any], key: str) -> None:
    """Refuse a patch list whose items do not follow the order list."""
    wanted = iter(_identity(item, key) for item in order)
    for item in change:
        if key and isinstance(item, dict) and item.get(_PATCH) == "delete":
            continue
        if _identity(item, key) not in wanted:  # consumes the iterator: order matters
            raise PatchFailure(
                f"The order in patch list:\n{go_text.plain(change)}\n doesn't match "
                f"$setElementOrder list:\n{go_text.plain(order)}\n"
            )


def _identity(item: Any, key: str) -> Any:
    """Return what tells *item* from others in its list: its merge key's value, or itself."""
    if not key:
        return (type(item).__name__, item)
    if not isinstance(item, dict) or key not in item:
        raise PatchFailure(f"map: {go_text.plain(item)} does not contain declared merge key: {key}")
    return go_text.plain(item[key])


def _merge_list(original: list[Any], patch: list[Any], field: _Field, deleting: bool) -> list[Any]:
    if not field.merged and not deleting:
        return patch
    if not original and not patch:
        return original
    if any(isinstance(item, list) for item in (*original, *patch)):
        raise PatchFailure("lists of lists are not supported")
    if any(isinstance(item, dict) for item in (*original, *patch)):
        return _merge_list_of_maps(original, patch, field)
    if deleting:
        return [item for item in original if item not in patch]
    merged = list(dict.fromkeys([*original, *patch]))
    return _ordered(merged, patch, original, "")


def _merge_list_of_maps(original: list[Any], patch: list[Any], field: _Field) -> list[Any]:
    if not field.key:
        raise PatchFailure("cannot merge lists without merge key for " + str(field.definition))
    before, changes, replaced = _follow_item_directives(original, patch, field.key)
    if replaced:
        return before
    merged = list(before)
    places = {_identity(item, field.key): place for place, item in enumerate(merged)}
    for change in changes:
        identity = _identity(change, field.key)
        place = places.get(identity)
        if place is None:
            places[identity] = len(merged)
            merged.append(_without_directives(change)[1])
        else:
            merged[place] = _merge_map(merged[place], change, field.definition)
    return _ordered(merged, changes, before, field.key)


def _follow_item_directives(
    original: list[Any], patch: list[Any], key: str
) -> tuple[list[Any], list[Any], bool]:
    """Obey the ``$patch`` of items. Return (original, patch without them, whether it replaces)."""
    changes: list[Any] = []
    replace = False
    for item in patch:
        if not isinstance(item, dict):
            raise PatchFailure(
                f"map: {go_text.plain(item)} does not contain declared merge key: {key}"
            )
        match item.get(_PATCH):
            case None:
                changes.append(item)
            case "delete":
                gone = _identity(item, key)
                original = [one for one in original if _identity(one, key) != gone]
            case "replace":
                replace = True
            case "merge":
                raise PatchFailure("merging lists cannot yet be specified in the patch")
            case _:
                raise _unknown_directive(item)
    if replace:
        return changes, [], True
    return original, changes, False


def _ordered(merged: list[Any], wanted: list[Any], before: list[Any], key: str) -> list[Any]:
    """Order *merged*: items of the patch as *wanted*, the others as *before*, interleaved.

    An item that only the server has goes before the next patch item it stood before.
    """
    rank = {_identity(item, key): place for place, item in enumerate(wanted)}
    live = {_identity(item, key): place for place, item in enumerate(before)}
    named = {id(item): _identity(item, key) for item in merged}
    mine = sorted((i for i in merged if named[id(i)] in rank), key=lambda i: rank[named[id(i)]])
    theirs = [item for item in merged if named[id(item)] not in rank]
    theirs.sort(key=lambda item: live.get(named[id(item)], len(live)))
    result: list[Any] = []
    while mine and theirs:
        left, right = live.get(named[id(theirs[0])]), live.get(named[id(mine[0])])
        server_first = left is not None and right is not None and left < right
        result.append(theirs.pop(0) if server_first else mine.pop(0))
    return result + mine + theirs


def _without_directives(value: Any) -> tuple[bool, Any]:
    """Return (whether to keep *value* at all, *value* without directives and nulls)."""
    if isinstance(value, dict):
        if value.get(_PATCH) == "delete":
            return False, None
        clean: Map = {}
        for name, item in value.items():
            if item is None or name in (_PATCH, _RETAIN_KEYS) or name.startswith((_ORDER, _DELETE)):
                continue
            _assign(clean, name, item)
        return True, clean
    if isinstance(value, list):
        items = (item for item in value if not (isinstance(item, dict) and _PATCH in item))
        return True, [_without_directives(item)[1] for item in items]
    return True, value


class Parts(msgspec.Struct, frozen=True):
    """Which parts of a difference a patch is to have."""

    additions: bool = True  # and changes
    deletions: bool = True


_ALL = Parts()


def diff(old: Map, new: Map, definition: str, parts: Parts = _ALL) -> Map:
    """Return the patch that makes *new* of *old* (``CreateTwoWayMergePatch``); empty when equal.

    Raises PatchFailure where a list lacks its merge keys. Values of *new* are not copied.
    """
    return _diff_map(old, new, schema.definition(definition), parts, retain_keys=False)


def _diff_map(
    old: Map, new: Map, definition: Definition, parts: Parts, *, retain_keys: bool
) -> Map:
    gone = [name for name in old if name not in new]
    patch: Map = dict.fromkeys(gone) if parts.deletions else {}
    for name, value in new.items():
        before = old.get(name)
        if name not in old or type(before) is not type(value):
            if parts.additions:
                patch[name] = value
        elif before == value and not _bools_differ(before, value):
            continue
        elif isinstance(value, dict) and not (field := _Field(definition, name)).replaced:
            inner = _diff_map(
                before or {}, value, field.definition, parts, retain_keys=field.retain_keys
            )
            if inner:
                patch[name] = inner
        elif isinstance(value, list) and (field := _Field(definition, name)).merged:
            _diff_list(name, before or [], value, field, patch, parts)
        elif parts.additions:
            patch[name] = value
    if retain_keys and new and (patch or any(old[name] is not None for name in gone)):
        patch[_RETAIN_KEYS] = sorted(name for name, value in new.items() if value is not None)
    return patch


def _bools_differ(before: Any, value: Any) -> bool:
    """Python holds ``True == 1``; JSON does not. Types were compared for the value itself only."""
    if isinstance(value, dict):
        return any(
            name in before
            and (type(before[name]) is not type(item) or _bools_differ(before[name], item))
            for name, item in value.items()
        )
    if isinstance(value, list):
        return any(
            type(one) is not type(other) or _bools_differ(one, other)
            for one, other in zip(before, value, strict=False)
        )
    return False


def _diff_list(
    name: str, old: list[Any], new: list[Any], field: _Field, patch: Map, parts: Parts
) -> None:
    """Put the directives that make *new* of the merged list *old* into *patch*."""
    if not old:
        if new and parts.additions:
            patch[name] = new
        return
    if any(isinstance(item, dict) for item in (*old, *new)):
        changes = _diff_list_of_maps(old, new, field, parts)
        if changes:
            patch[name] = changes
        order: list[Any] = [{field.key: item[field.key]} for item in new]
        same_order = _identities(old, field.key) == _identities(new, field.key)
        if order and (changes or (parts.additions and not same_order)):
            patch[_ORDER + name] = order
        return
    added = [item for item in new if item not in old] if parts.additions else []
    removed = [item for item in old if item not in new] if parts.deletions else []
    if added:
        patch[name] = added
    if removed:
        patch[_DELETE + name] = removed
    if new and (parts.additions or removed):
        patch[_ORDER + name] = new


def _identities(items: list[Any], key: str) -> list[Any]:
    return [_identity(item, key) for item in items]


def _diff_list_of_maps(old: list[Any], new: list[Any], field: _Field, parts: Parts) -> list[Any]:
    if not field.key:
        raise PatchFailure("cannot merge lists without merge key for " + str(field.definition))
    before: dict[Any, deque[Any]] = {}  # several items may share a key, as ports of two protocols
    for item in old:
        before.setdefault(_identity(item, field.key), deque()).append(item)
    after = _identities(new, field.key)
    surplus = Counter(_identities(old, field.key)) - Counter(after)
    changes: list[Any] = []
    for identity, item in zip(after, new, strict=True):
        if not before.get(identity):
            if parts.additions:
                changes.append(item)
            continue
        known = before[identity].popleft()
        change = _diff_map(known, item, field.definition, parts, retain_keys=field.retain_keys)
        if change and parts.additions and identity in surplus:
            changes.append(item)  # whole: the deletion of the surplus takes all with this key
        elif change:
            changes.append(change | {field.key: item[field.key]})
    deleted = [items[0] for items in before.values() if items] if parts.deletions else []
    changes += [{_PATCH: "delete", field.key: item[field.key]} for item in deleted]
    return changes

"""Patches a second time, as the specifications put them, without a thought for speed or leniency.

JSON patch is RFC 6902 with the pointers of RFC 6901, merge patch the pseudo-code of RFC 7386,
strategic merge patch sig-api-machinery's text on it. ``Refused`` is raised where those say that a
patch does not apply. They are what ``podium.api.patch`` is compared with.
"""

from __future__ import annotations

import copy
from typing import Any

from podium.api import schema
from podium.api.schema import Definition


class Refused(Exception):
    """The patch does not apply."""


# ---------------------------------------------------------------------- RFC 6902


def json_patch(document: Any, operations: list[dict[str, Any]]) -> Any:
    root = {"": copy.deepcopy(document)}  # so that the whole document has a place, too
    for operation in operations:
        path = operation["path"]
        match operation["op"]:
            case "add":
                _add(root, path, copy.deepcopy(operation["value"]))
            case "remove":
                _remove(root, path)
            case "replace":
                _value_at(root, path)
                _assign(root, path, copy.deepcopy(operation["value"]))
            case "move":
                value = _value_at(root, operation["from"])
                _remove(root, operation["from"])
                _add(root, path, value)
            case "copy":
                _add(root, path, copy.deepcopy(_value_at(root, operation["from"])))
            case "test":
                if not _same(_value_at(root, path), operation["value"]):
                    raise Refused
    return root[""]


def _tokens(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")]


def _parent(root: Any, pointer: str) -> tuple[Any, str]:
    *above, last = _tokens(pointer)
    there = root
    for token in above:
        there = _member(there, token)
    return there, last


def _member(holder: Any, token: str) -> Any:
    if isinstance(holder, dict) and token in holder:
        return holder[token]
    if isinstance(holder, list):
        return holder[_index(token, len(holder) - 1)]
    raise Refused


def _index(token: str, highest: int) -> int:
    if token != "0" and (not token.isdigit() or token.startswith("0")):
        raise Refused
    if int(token) > highest:
        raise Refused
    return int(token)


def _value_at(root: Any, pointer: str) -> Any:
    return _member(*_parent(root, pointer))


def _add(root: Any, pointer: str, value: Any) -> None:
    holder, token = _parent(root, pointer)
    if isinstance(holder, dict):
        holder[token] = value
    elif isinstance(holder, list):
        holder.insert(len(holder) if token == "-" else _index(token, len(holder)), value)
    else:
        raise Refused


def _assign(root: Any, pointer: str, value: Any) -> None:
    holder, token = _parent(root, pointer)
    holder[token if isinstance(holder, dict) else int(token)] = value


def _remove(root: Any, pointer: str) -> None:
    _value_at(root, pointer)
    holder, token = _parent(root, pointer)
    del holder[token if isinstance(holder, dict) else int(token)]


def _same(one: Any, other: Any) -> bool:
    """JSON's equality: numbers by value, and no truth value is a number."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


# ---------------------------------------------------------------------- RFC 7386


def merge_patch(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    target = copy.deepcopy(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            if name in target:
                del target[name]
        else:
            target[name] = merge_patch(target.get(name), value)
    return target


# ---------------------------------------------------------------------- strategic merge patch


def strategic_merge_patch(original: Any, patch: dict[str, Any], definition: str) -> Any:
    return _merge_maps(copy.deepcopy(original), copy.deepcopy(patch), schema.definition(definition))


def _merge_maps(original: dict[str, Any], patch: dict[str, Any], found: Definition) -> Any:
    match patch.pop("$patch", "merge"):
        case "replace":
            return patch
        case "delete":
            return {}
    if "$retainKeys" in patch:
        retained = patch.pop("$retainKeys")
        original = {name: value for name, value in original.items() if name in retained}
    orders = _taken(patch, "$setElementOrder/")
    for name, deleted in _taken(patch, "$deleteFromPrimitiveList/").items():
        if name in original:
            original[name] = [item for item in original[name] if item not in deleted]
    for name, value in patch.items():
        if value is None:
            original.pop(name, None)
            continue
        field = schema.field(found, name)
        inner = schema.items(field) if isinstance(value, list) else schema.resolve(field)
        there = original.get(name)
        strategies = field.get("x-kubernetes-patch-strategy", "").split(",")
        if isinstance(value, dict):
            if isinstance(there, dict) and "replace" not in strategies:
                original[name] = _merge_maps(there, value, inner)
            elif value.get("$patch") != "delete":
                original[name] = _merge_maps({}, value, inner)
        elif isinstance(value, list) and "merge" in strategies:
            key = field.get("x-kubernetes-patch-merge-key", "")
            if there is None:
                original[name] = _new_list(value, inner)
            else:
                original[name] = _merge_lists(there, value, key, inner)
        else:
            original[name] = value
    for name, order in orders.items():
        if name in original:
            key = schema.field(found, name).get("x-kubernetes-patch-merge-key", "")
            original[name] = _in_order(original[name], order, key)
    return original


def _taken(patch: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Take the directives that begin with *prefix* out of *patch*; return them by field."""
    names = [name for name in patch if name.startswith(prefix)]
    return {name.removeprefix(prefix): patch.pop(name) for name in names}


def _new_list(patch: list[Any], inner: Definition) -> list[Any]:
    """Where there is no list, its items are taken as they are, keys or no keys."""
    items = [item for item in patch if not (isinstance(item, dict) and "$patch" in item)]
    return [_merge_maps({}, item, inner) if isinstance(item, dict) else item for item in items]


def _merge_lists(original: list[Any], patch: list[Any], key: str, inner: Definition) -> list[Any]:
    if not key:
        return original + [item for item in patch if item not in original]
    if any(key not in item for item in original) or any(
        key not in item and item.get("$patch") != "replace" for item in patch
    ):
        raise Refused
    directives = {item[key]: item["$patch"] for item in patch if "$patch" in item and key in item}
    items = [item for item in patch if "$patch" not in item]
    if any(item.get("$patch") == "replace" for item in patch):
        return items
    merged = [item for item in original if directives.get(item[key]) != "delete"]
    for item in items:
        places = [place for place, there in enumerate(merged) if there[key] == item[key]]
        if places:
            merged[places[0]] = _merge_maps(merged[places[0]], item, inner)
        else:
            merged.append(_merge_maps({}, item, inner))
    return merged


def _in_order(items: list[Any], order: list[Any], key: str) -> list[Any]:
    """Put the items that *order* names into that order, in the places that they have together;
    the text leaves open where the others go."""
    wanted = [each[key] if key else each for each in order]

    def rank(item: Any) -> int:
        identity = item[key] if key else item
        return wanted.index(identity) if identity in wanted else -1

    named = iter(sorted((item for item in items if rank(item) >= 0), key=rank))
    return [next(named) if rank(item) >= 0 else item for item in items]

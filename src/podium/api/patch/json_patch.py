"""JSON patch (RFC 6902), as lenient and with the messages of the library that upstream uses.

A path is split at its slashes and its first part is not looked at, so ``data/a`` is ``/a``. An
index of an array may be negative: it counts from the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

#: Bytes that all ``copy`` operations of a patch may add, so that no patch doubles its way up.
MAX_COPIED = 3 * 1024 * 1024


class PatchFailure(ValueError):
    """The patch does not apply."""


class TestFailure(PatchFailure):
    """A ``test`` operation found another value."""

    __test__ = False  # no test class, whatever pytest thinks of the name


def check(patch: Any) -> None:
    """Raise ValueError, in the words of Go's decoder, when *patch* is no list of operations."""
    if not isinstance(patch, list):
        raise ValueError(
            f"json: cannot unmarshal {_kind(patch)} into Go value of type jsonpatch.Patch"
        )
    for operation in patch:
        if not isinstance(operation, Mapping | None):
            raise ValueError(
                f"json: cannot unmarshal {_kind(operation)} into Go value of type "
                "jsonpatch.Operation"
            )


def apply(document: Any, patch: Sequence[Mapping[str, Any] | None]) -> Any:
    """Return *document* with all operations applied; the inputs stay as they are.

    Raises PatchFailure, or ValueError when *patch* is no patch at all.
    """
    check(patch)
    state = _State(_copied(document))
    for one in patch:
        operation = one or {}  # to Go, a null says nothing
        kind = operation.get("op")
        handler = _OPERATIONS.get(kind) if isinstance(kind, str) else None
        if handler is None:
            raise PatchFailure(f"Unexpected kind: {kind if isinstance(kind, str) else 'unknown'}")
        handler(state, operation)
    return state.document


class _State:
    def __init__(self, document: Any) -> None:
        self.document = document
        self.copied = 0

    def container(self, path: str) -> tuple[Any, str] | None:
        """Return what holds the value at *path*, and its key there; None when that is missing."""
        parts = [_unescape(part) for part in path.split("/")[1:]]
        holder = self.document
        for part in parts[:-1]:
            try:
                holder = _get(holder, part)
            except PatchFailure:
                return None
            if not isinstance(holder, dict | list):
                return None
        return holder, parts[-1] if parts else ""


def _add(state: _State, operation: Mapping[str, Any]) -> None:
    path = _text(operation, "path", "add")
    _insert(state, path, _copied(operation.get("value")), "add", "path")


def _remove(state: _State, operation: Mapping[str, Any]) -> None:
    path = _text(operation, "path", "remove")
    holder, key = _found(state.container(path), "remove", "path", path)
    _discard(holder, key, f"error in remove for path: '{path}'")


def _replace(state: _State, operation: Mapping[str, Any]) -> None:
    path = _text(operation, "path", "replace")
    value = _copied(operation.get("value"))
    if path == "":
        state.document = value
        return
    holder, key = _found(state.container(path), "replace", "path", path)
    try:
        _get(holder, key)
    except PatchFailure:
        raise PatchFailure(
            f"replace operation does not apply: doc is missing key: {path}: missing value"
        ) from None
    _set(holder, key, value)


def _move(state: _State, operation: Mapping[str, Any]) -> None:
    source, path = _text(operation, "from", "move"), _text(operation, "path", "move")
    holder, key = _found(state.container(source), "move", "from path", source)
    value = _get(holder, key, f"error in move for path: '{source}'")
    _discard(holder, key, f"error in move for path: '{source}'")
    _insert(state, path, value, "move", "destination path")


def _copy(state: _State, operation: Mapping[str, Any]) -> None:
    source, path = _text(operation, "from", "copy"), _text(operation, "path", "copy")
    holder, key = _found(state.container(source), "copy", "from path", source)
    value = _get(holder, key, f"error in copy for path: '{source}'")
    state.copied += len(msgspec.json.encode(value))
    if state.copied > MAX_COPIED:
        raise PatchFailure(
            "Unable to copy, the accumulated size increase of copy operation is "
            f"{state.copied}, exceeding the limit {MAX_COPIED}"
        )
    _insert(state, path, _copied(value), "copy", "destination path")


def _test(state: _State, operation: Mapping[str, Any]) -> None:
    path = _text(operation, "path", "test")
    expected = operation.get("value")
    if path == "":
        found = state.document
    else:
        holder, key = _found(state.container(path), "test", "path", path)
        try:
            found = _get(holder, key)
        except PatchFailure:
            found = None
    if not _equal(found, expected):
        raise TestFailure(f"testing value {path} failed: test failed")


_OPERATIONS: dict[str, Callable[[_State, Mapping[str, Any]], None]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def _text(operation: Mapping[str, Any], member: str, kind: str) -> str:
    value = operation.get(member)
    if not isinstance(value, str):
        raise PatchFailure(f"{kind} operation failed to decode {member}: missing value")
    return value


def _found(container: tuple[Any, str] | None, kind: str, what: str, path: str) -> tuple[Any, str]:
    if container is None:
        raise PatchFailure(
            f"{kind} operation does not apply: doc is missing {what}: {path}: missing value"
        )
    return container


def _insert(state: _State, path: str, value: Any, kind: str, what: str) -> None:
    if path == "":
        state.document = value
        return
    holder, key = _found(state.container(path), kind, what, path)
    if isinstance(holder, dict):
        holder[key] = value
    elif isinstance(holder, list):
        where = f"error in {kind} for path: '{path}'"
        holder.insert(len(holder) if key == "-" else _index(key, len(holder) + 1, where), value)
    else:
        raise PatchFailure(f"error in {kind} for path: '{path}': missing value")


def _get(holder: Any, key: str, where: str = "") -> Any:
    prefix = f"{where}: " if where else ""
    if isinstance(holder, dict):
        if key in holder:
            return holder[key]
        raise PatchFailure(f"{prefix}unable to get nonexistent key: {key}: missing value")
    if isinstance(holder, list):
        return holder[_index(key, len(holder), where)]
    raise PatchFailure(f"{prefix}unable to get nonexistent key: {key}: missing value")


def _set(holder: Any, key: str, value: Any) -> None:
    if isinstance(holder, dict):
        holder[key] = value
    else:
        holder[_index(key, len(holder), "")] = value


def _discard(holder: Any, key: str, where: str) -> None:
    if isinstance(holder, dict):
        if key not in holder:
            raise PatchFailure(f"{where}: Unable to remove nonexistent key: {key}: missing value")
        del holder[key]
    elif isinstance(holder, list):
        del holder[_index(key, len(holder), where)]
    else:
        raise PatchFailure(f"{where}: Unable to remove nonexistent key: {key}: missing value")


def _index(key: str, length: int, where: str) -> int:
    prefix = f"{where}: " if where else ""
    digits = key.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise PatchFailure(f'{prefix}strconv.Atoi: parsing "{key}": invalid syntax')
    index = int(key)
    if index < 0:
        index += length
    if not 0 <= index < length:
        raise PatchFailure(
            f"{prefix}Unable to access invalid index: {int(key)}: invalid index referenced"
        )
    return index


def _unescape(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")


def _equal(left: Any, right: Any) -> bool:
    """JSON equality: ``1`` is ``1.0``, but ``true`` is not ``1``."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value


def _kind(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "bool"}
    return names.get(type(value), "number")

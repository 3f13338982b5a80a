"""Elements of field paths, as ``FieldsV1`` writes them.

``f:name`` is a field or the key of a map, ``k:{"name":"c"}`` the item of a list by its keys,
``v:"x"`` a value of a set, ``i:0`` an item by its place.
"""

from __future__ import annotations

from typing import Any

import msgspec

from podium.api.go_text import quote

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def field(name: str) -> str:
    return f"f:{name}"


def keyed(values: dict[str, Any]) -> str:
    """Return the element of a list item with these keys."""
    return "k:" + _encode(dict(sorted(values.items()))).decode()


def value(item: Any) -> str:
    """Return the element of an item of a set."""
    return "v:" + _encode(item).decode()


def canonical(text: str) -> str | None:
    """Return an element that a client wrote as we write it; None for an unknown sort.

    Raises ValueError for what is no element.
    """
    sort, colon, rest = text.partition(":")
    if len(sort) != 1 or not colon:
        raise ValueError(f"missing colon: {text}")
    match sort:
        case "f":
            return text
        case "k":
            keys = _decode(rest)
            if not isinstance(keys, dict):
                raise ValueError(f"key is no object: {text}")
            return keyed(keys)
        case "v":
            return value(_decode(rest))
        case "i":
            return f"i:{int(rest)}"
    return None


def show(element: str) -> str:
    """Return the element as error messages show it: ``.name``, ``[name="c"]``, ``[0]``."""
    sort, rest = element[0], element[2:]
    if sort == "f":
        return f".{rest}"
    if sort == "k":
        keys = _decode(rest)
        return f"[{','.join(f'{name}={show_value(keys[name])}' for name in keys)}]"
    return f"[={show_value(_decode(rest))}]" if sort == "v" else f"[{rest}]"


def show_path(path: tuple[str, ...]) -> str:
    return "".join(map(show, path))


def show_value(item: Any) -> str:
    """Return *item* as ``value.ToString`` does."""
    match item:
        case None:
            return "null"
        case bool():
            return "true" if item else "false"
        case str():
            return quote(item)
        case list():
            return f"[{','.join(map(show_value, item))}]"
        case dict():
            inner = ";".join(f"{key}={show_value(item[key])}" for key in sorted(item))
            return f"{{{inner}}}"
    return str(item)


def order(element: str) -> tuple[Any, ...]:
    """Return what elements are sorted by: fields, then keys, values and places."""
    sort, rest = element[0], element[2:]
    if sort == "k":
        keys = _decode(rest)
        return (2, *((name, *_rank(keys[name])) for name in keys))
    if sort == "v":
        return (3, *_rank(_decode(rest)))
    return (4, int(rest)) if sort == "i" else (0 if sort == "." else 1, rest)


def _rank(item: Any) -> tuple[Any, ...]:
    """Order scalars as ``value.Compare`` does: numbers, text, then truth values."""
    if isinstance(item, bool):
        return (2, item)
    if isinstance(item, int | float):
        return (0, item)
    return (1, item) if isinstance(item, str) else (3, str(item))

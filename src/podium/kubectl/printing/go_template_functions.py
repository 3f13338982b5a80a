"""The functions of Go's templates, and kubectl's ``exists`` and ``base64decode``. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus

from podium.kubectl.printing import go_values
from podium.kubectl.printing.jsonpath import go_syntax

#: A key that is not there.
MISSING = object()


class ArgumentError(ValueError):
    """The number of arguments is wrong."""


class CallError(ValueError):
    """The function refuses its arguments."""


def true(value: Any) -> bool:
    """Whether ``if`` goes on with *value*."""
    return value is not MISSING and bool(value)


def printed(value: Any) -> str:
    """Return *value* as an action prints it."""
    return "<no value>" if value is None or value is MISSING else go_values.text(value)


def call(name: str, values: list[Any]) -> Any:
    """Raises ArgumentError, CallError."""
    least, most, function = _FUNCTIONS[name]
    if len(values) < least or (most is not None and len(values) > most):
        want = f"at least {least}" if most is None else str(most)
        raise ArgumentError(f"wrong number of args for {name}: want {want} got {len(values)}")
    return function(*(None if value is MISSING else value for value in values))


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if value is None:
            raise CallError("index of untyped nil")
        if isinstance(value, Mapping):
            if not isinstance(key, str):
                kind = go_values.text(key) if key is None else _kind(key)
                raise CallError(f"value has type {kind}; should be string")
            value = value.get(key)
        elif isinstance(value, list | str):
            of = "string" if isinstance(value, str) else "slice"
            value = value[_place(key, len(value), of)]
            value = ord(value) if isinstance(value, str) and len(value) == 1 else value
        else:
            raise CallError(f"can't index item of type {_kind(value)}")
    return value


def _place(key: Any, length: int, of: str = "slice", *, end: bool = False) -> int:
    if isinstance(key, bool) or not isinstance(key, int):
        raise CallError(f"cannot index slice/array with type {_kind(key)}")
    if not 0 <= key <= length:
        raise CallError(f"index out of range: {key}")
    if key == length and not end:
        raise CallError(f"reflect: {of} index out of range")
    return key


def _slice(value: Any, *places: Any) -> Any:
    if not isinstance(value, list | str):
        raise CallError(f"can't slice item of type {_kind(value)}")
    begin, end = (*(_place(place, len(value), end=True) for place in places), None, None)[:2]
    return value[begin:end]


def _len(value: Any) -> int:
    if not isinstance(value, list | str | Mapping):
        raise CallError("len of nil pointer" if value is None else f"len of type {_kind(value)}")
    return len(value.encode()) if isinstance(value, str) else len(value)


def _kind(value: Any) -> str:
    kinds = {bool: "bool", int: "int", float: "float64", str: "string", list: "[]interface {}",
             dict: "map[string]interface {}"}  # fmt: skip
    return kinds.get(type(value), "nil")


def _class(value: Any) -> str:
    """What values are compared as."""
    return {"bool": "bool", "int": "int", "float64": "float", "string": "string"}.get(
        _kind(value), ""
    )


def _eq(one: Any, *others: Any) -> bool:
    for other in others:
        if one is None or other is None:
            if one is other:
                return True
            continue
        if _class(one) != _class(other):
            raise _incompatible(one, other)
        if not _class(one):
            raise CallError(f"non-comparable type {go_values.text(one)}: {_kind(one)}")
        if one == other:
            return True
    return False


def _less(one: Any, other: Any) -> bool:
    if _class(one) in ("", "bool") or _class(other) in ("", "bool"):
        raise CallError("invalid type for comparison")
    if _class(one) != _class(other):
        raise _incompatible(one, other)
    less: bool = one < other
    return less


def _incompatible(one: Any, other: Any) -> CallError:
    return CallError(f"incompatible types for comparison: {_kind(one)} and {_kind(other)}")


_VERB = re.compile(r"%([-+# 0]*)(\d+|\*)?(?:\.(\d+))?([a-zA-Z%])?")


def _printf(pattern: Any, *values: Any) -> str:
    if not isinstance(pattern, str):
        raise CallError(f"wrong type for value; expected string; got {_kind(pattern)}")
    rest = list(values)

    def shown(found: re.Match[str]) -> str:
        flags, width, precision, verb = found[1], found[2], found[3], found[4]
        if verb == "%":
            return "%"
        if verb is None:
            return "%!(NOVERB)"
        if width == "*" and rest:
            width = str(rest.pop(0))
        if not rest:
            return f"%!{verb}(MISSING)"
        return _verb(verb, rest.pop(0), flags, width or "", precision)

    text = _VERB.sub(shown, pattern)
    extra = ", ".join(f"{_kind(value)}={go_values.text(value)}" for value in rest)
    return f"{text}%!(EXTRA {extra})" if rest else text


def _verb(verb: str, value: Any, flags: str, width: str, precision: str | None) -> str:
    wrong = f"%!{verb}({_kind(value)}={go_values.text(value)})"
    if value is None:
        wrong = f"%!{verb}(<nil>)"
    whole = isinstance(value, int) and not isinstance(value, bool)
    text = wrong
    if verb == "v" and "#" in flags:
        text = go_syntax(value)
    elif verb == "v" or (verb == "t" and isinstance(value, bool)):
        text = go_values.text(value)
    elif verb in ("s", "q") and isinstance(value, str | list | dict):
        text = go_values.text(value) if verb == "s" else go_values.quoted(go_values.text(value))
        text = text[: int(precision)] if precision else text
    elif verb in "dxXob" and whole:
        text = format(value, f"{'+' if '+' in flags else ''}{verb}")
    elif verb in "xX" and isinstance(value, str):
        text = value.encode().hex()
        text = text.upper() if verb == "X" else text
    elif verb in "feg" and isinstance(value, float):
        text = go_values.number(value) if verb == "g" and precision is None else format(
            value, f".{precision or 6}{verb}"
        )  # fmt: skip
    elif verb == "q" and whole:
        text = go_values.quoted(_rune(value), "'")
    elif verb in "cU" and whole:
        text = _rune(value) if verb == "c" else f"U+{value % (1 << 64):04X}"
    elif verb == "T":
        text = _kind(value)
    if not width.isdigit():
        return text
    if "-" in flags:
        return text.ljust(int(width))
    return text.zfill(int(width)) if "0" in flags and verb in "dfgxX" else text.rjust(int(width))


def _rune(number: int) -> str:
    """Return the character of a number; what is none is U+FFFD."""
    none = not 0 <= number < 0x110000 or 0xD800 <= number < 0xE000
    return "\ufffd" if none else chr(number)


def _print(*values: Any) -> str:
    """Blanks stand between operands of which neither is a text."""
    parts: list[str] = []
    for place, value in enumerate(values):
        texts = isinstance(value, str) or (place and isinstance(values[place - 1], str))
        parts.append(("" if not place or texts else " ") + go_values.text(value))
    return "".join(parts)


def _escaped(text: str) -> str:
    return html.escape(text).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


def _js(text: str) -> str:
    marks = {"\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E",
             "&": "\\u0026", "=": "\\u003D", "\n": "\\u000A", "\r": "\\u000D", "\t": "\\u0009"
             }  # fmt: skip
    return "".join(marks.get(character, character) for character in text)


def _exists(value: Any, *keys: Any) -> bool:
    try:
        return _index(value, *keys) is not None
    except CallError:
        return False


def _base64decode(text: Any) -> str:
    from podium.api.decoding import base64_bytes

    try:
        return base64_bytes(go_values.text(text)).decode(errors="replace")
    except ValueError as exc:
        raise CallError(f"base64 decode failed: {exc}") from None


_FUNCTIONS: dict[str, tuple[int, int | None, Callable[..., Any]]] = {
    "base64decode": (1, 1, _base64decode),
    "eq": (2, None, _eq),
    "exists": (1, None, _exists),
    "ge": (2, 2, lambda one, other: not _less(one, other)),
    "gt": (2, 2, lambda one, other: _less(other, one)),
    "html": (1, None, lambda *values: _escaped(_print(*values))),
    "index": (1, None, _index),
    "js": (1, None, lambda *values: _js(_print(*values))),
    "le": (2, 2, lambda one, other: not _less(other, one)),
    "len": (1, 1, _len),
    "lt": (2, 2, _less),
    "ne": (2, 2, lambda one, other: not _eq(one, other)),
    "not": (1, 1, lambda value: not true(value)),
    "print": (0, None, _print),
    "printf": (1, None, _printf),
    "println": (0, None, lambda *values: " ".join(map(go_values.text, values)) + "\n"),
    "slice": (1, 4, _slice),
    "urlquery": (1, None, lambda *values: quote_plus(_print(*values))),
}
NAMES = frozenset((*_FUNCTIONS, "and", "or"))

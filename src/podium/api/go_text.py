"""Values as Go prints them: ``%q``, ``%v`` and ``%#v`` of what error messages quote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec


class Verbatim(str):
    """Text that is Go syntax already (``0x0``, ``core.SeccompProfile{…}``): printed as it is."""

    __slots__ = ()


_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    '"': '\\"',
    "\\": "\\\\",
}


def quote(text: str) -> str:
    """``strconv.Quote``: what ``%q`` prints of a string."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(_quoted_char(char) for char in text) + '"'


def _quoted_char(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def value(shown: Any) -> str:
    """Return *shown* as a field error prints the value that stood in the field."""
    if shown is None:
        return '"null"'
    if isinstance(shown, Verbatim):
        return str(shown)
    if isinstance(shown, str):
        return quote(shown)
    if isinstance(shown, bool):
        return "true" if shown else "false"
    if isinstance(shown, int | float):
        return str(shown)
    if isinstance(shown, datetime):
        return time(shown)
    return syntax(shown)


def time(moment: datetime) -> str:
    """``time.Time.String``: ``2006-01-02 15:04:05 +0000 UTC``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")


def syntax(shown: Any) -> str:
    """``%#v`` of strings, numbers, lists and maps of strings, and of selectors."""
    if isinstance(shown, Mapping):
        items = ", ".join(f"{quote(str(k))}:{syntax(v)}" for k, v in sorted(shown.items()))
        return f"map[string]{_element(list(shown.values()))}{{{items}}}"
    if isinstance(shown, Sequence) and not isinstance(shown, str):
        return f"[]{_element(shown)}{{{', '.join(syntax(item) for item in shown)}}}"
    if shown is None:
        return "<nil>"
    if isinstance(shown, msgspec.Struct):
        return _struct(shown)
    return value(shown)


def _struct(shown: msgspec.Struct) -> str:
    """Selectors as Go has them; all else as JSON, for upstream prints addresses of pointers."""
    if type(shown).__name__ != "LabelSelector":
        return msgspec.json.encode(shown).decode()
    labels, expressions = shown.match_labels, shown.match_expressions  # type: ignore[attr-defined]
    items = ", ".join(
        f"v1.LabelSelectorRequirement{{Key:{quote(item.key)}, Operator:{quote(item.operator)}, "
        f"Values:{syntax(item.values) if item.values else '[]string(nil)'}}}"
        for item in expressions
    )
    return (
        f"v1.LabelSelector{{MatchLabels:{syntax(labels) if labels else 'map[string]string(nil)'}, "
        f"MatchExpressions:[]v1.LabelSelectorRequirement{f'{{{items}}}' if items else '(nil)'}}}"
    )


def _element(items: Sequence[Any]) -> str:
    if items and all(isinstance(item, int) and not isinstance(item, bool) for item in items):
        return "int64"
    if all(isinstance(item, str) for item in items):
        return "string"
    return "interface {}"


def plain(shown: Any) -> str:
    """``%v`` of a JSON value: ``map[a:1 b:[x y]]``."""
    if type(shown) is str:
        return shown
    if isinstance(shown, Mapping):
        return f"map[{' '.join(f'{key}:{plain(item)}' for key, item in sorted(shown.items()))}]"
    if isinstance(shown, Sequence) and not isinstance(shown, str):
        return f"[{' '.join(plain(item) for item in shown)}]"
    if shown is None:
        return "<nil>"
    if isinstance(shown, bool):
        return "true" if shown else "false"
    return str(shown)

"""Values of JSON as Go's ``fmt`` prints them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def text(value: Any) -> str:
    """Return *value* as ``%v`` prints it inside of others."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return f"map[{' '.join(f'{key}:{text(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list | tuple):
        return f"[{' '.join(map(text, value))}]"
    return number(value) if isinstance(value, float) else str(value)


def number(value: float) -> str:
    """Return a float as ``%v`` prints it: as short as may be, with an exponent from 1e+06 on."""
    shown = repr(value)
    digits, _, exponent = shown.partition("e")
    whole, _, fraction = digits.lstrip("-").partition(".")
    fraction = "" if fraction == "0" else fraction
    power = int(exponent or 0) + (len(whole) - 1 if whole != "0" else _first(fraction))
    if value == 0 or -4 <= power < 6:
        return f"{value:f}".rstrip("0").rstrip(".") if exponent else shown.removesuffix(".0")
    figures = (whole + fraction).lstrip("0").rstrip("0")
    mantissa = figures[0] + (f".{figures[1:]}" if figures[1:] else "")
    sign = "-" if value < 0 else ""
    return f"{sign}{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"


def _first(fraction: str) -> int:
    return -(len(fraction) - len(fraction.lstrip("0")) + 1)


_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t",
            "\v": "\\v", "\\": "\\\\"}  # fmt: skip


def quoted(value: str, mark: str = '"') -> str:
    """Return a text as ``%q`` prints it."""
    return f"{mark}{''.join(_escaped(character, mark) for character in value)}{mark}"


def _escaped(character: str, mark: str) -> str:
    if character == mark:
        return f"\\{mark}"
    if character in _ESCAPES or character.isprintable():
        return _ESCAPES.get(character, character)
    number = ord(character)
    if number < 0x80:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"

"""KYAML: YAML in braces, texts in quotes, nothing that an indent or a word could change. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from podium.kubectl.go_order import sorted_keys
from podium.kubectl.printing.yaml_text import reads_as_something_else

_PLAIN_KEY = re.compile(r"\w(?:[\w./-]*\w)?\Z")
#: Words that Go takes for truth values, besides those of YAML.
_TRUTHS = frozenset("tTfF")
_ESCAPES = {"\0": "\\0", "\a": "\\a", "\b": "\\b", "\t": "\t", "\v": "\\v", "\f": "\\f",
            "\r": "\\r", "\x1b": "\\e", '"': '\\"', "\\": "\\\\", "\x85": "\\N", "\xa0": "\\_",
            "\u2028": "\\L", "\u2029": "\\P"}  # fmt: skip


def dump(value: Any, *, sort: bool = True) -> str:
    """Return *value*, of JSON's types, as a document."""
    return f"---\n{_shown(sorted_keys(value) if sort else value, 0)}\n"


def _shown(value: Any, level: int) -> str:
    if isinstance(value, Mapping):
        return _map(value, level)
    if isinstance(value, list):
        return _list(value, level)
    if isinstance(value, str):
        return _text(value, level)
    return json.dumps(value)


def _map(value: Mapping[str, Any], level: int) -> str:
    if not value:
        return "{}"
    indent = "  " * (level + 1)
    lines = [f"{indent}{_key(key)}: {_shown(value[key], level + 1)},\n" for key in value]
    return f"{{\n{''.join(lines)}{'  ' * level}}}"


def _list(value: list[Any], level: int) -> str:
    if not value:
        return "[]"
    if all(isinstance(item, dict | list) and item for item in value):
        return f"[{', '.join(_shown(item, level) for item in value)}]"
    indent = "  " * (level + 1)
    lines = [f"{indent}{_shown(item, level + 1)},\n" for item in value]
    return f"[\n{''.join(lines)}{'  ' * level}]"


def _key(key: str) -> str:
    plain = _PLAIN_KEY.match(key) and not reads_as_something_else(key) and key not in _TRUTHS
    return key if plain else _quoted(key)


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return "".join(map(_character, text))


def _character(character: str) -> str:
    if (escape := _ESCAPES.get(character)) is not None:
        return escape
    if character.isprintable():
        return character
    number = ord(character)
    if number < 0x80:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _text(text: str, level: int) -> str:
    """Texts of several lines are folded, one line a line."""
    if "\n" not in text:
        return _quoted(text)
    indent = "  " * (level + 1)
    *lines, last = text.split("\n")
    shown = [f"{indent}{_folded(line)}\\n\\\n" for line in lines]
    shown += [f"{indent}{_folded(last)}\\\n"] if last else []
    return f'"\\\n{"".join(shown)}{indent}"'


def _folded(line: str) -> str:
    """A line between the quotes; white space at its beginning would be lost."""
    return ("\\" if line[:1].isspace() else " ") + _escaped(line)

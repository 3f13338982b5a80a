"""KYAML: YAML in braces, texts in quotes, nothing that an indent or a word could change. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from podium.kubectl.go_order import sorted_keys
from podium.kubectl.printing.yaml_text import reads_as_something_else

_PLAIN_KEY = re.compile(r"[A-Za-z_](?:[A-Za-z0-9_./-]*[A-Za-z0-9_])?\Z")


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
    plain = _PLAIN_KEY.match(key) and not reads_as_something_else(key)
    return key if plain else _quoted(key)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _text(text: str, level: int) -> str:
    """Texts of several lines are folded, one line a line."""
    if "\n" not in text:
        return _quoted(text)
    indent = "  " * level + "   "
    *lines, last = text.split("\n")
    shown = [f"{indent}{_folded(line)}\\n\\\n" for line in lines]
    shown += [f"{indent}{_folded(last)}\\\n"] if last else []
    return f'"\\\n{"".join(shown)}{"  " * level}  "'


def _folded(line: str) -> str:
    """A line between the quotes; blanks at its beginning would be lost."""
    inner = _quoted(line)[1:-1]
    return f"\\{inner}" if inner.startswith(" ") else inner

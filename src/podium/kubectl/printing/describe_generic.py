"""``describe`` of kinds without a describer of their own: all fields, as they come. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from podium.kubectl.printing import describe
from podium.kubectl.printing.describe import Lines

_SKIPPED = frozenset({"managedFields", "name", "namespace", "labels", "annotations"})


def generic(lines: Lines, obj: Mapping[str, Any], _now: datetime) -> None:
    """Write an object of any kind."""
    metadata = obj["metadata"]
    describe.head(lines, metadata)
    shown = {key: value for key, value in metadata.items() if key not in _SKIPPED}
    _fields(lines, 0, {**obj, "metadata": shown})


def _fields(lines: Lines, level: int, fields: Mapping[str, Any]) -> None:
    for key, value in sorted(fields.items()):
        title = smart_label(key)
        if isinstance(value, Mapping):
            lines.add(level, f"{title}:")
            _fields(lines, level + 1, value)
        elif isinstance(value, list):
            lines.add(level, f"{title}:")
            for item in value:
                if isinstance(item, Mapping):
                    _fields(lines, level + 1, item)
                else:
                    lines.add(level + 1, _scalar(item))
        else:
            lines.add(level, f"{title}:\t{_scalar(value)}")


def _scalar(value: Any) -> str:
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


def smart_label(name: str) -> str:
    """``clusterIP`` as words: ``Cluster IP``."""
    if not all(character.isalpha() or character == "-" for character in name):
        return name
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^A-Z\W_]+|\W+", name)
    shown = [word.upper() if word.upper() in ("API", "URL", "UID", "GUID") else
             word[:1].upper() + word[1:] for word in words]  # fmt: skip
    return " ".join(shown)

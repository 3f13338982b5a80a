"""``describe`` of kinds without a describer of their own: all fields, as they come. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from podium.kubectl.printing import describe
from podium.kubectl.printing.describe import Lines

_SKIPPED = frozenset(
    {"managedFields", "name", "namespace", "labels", "annotations", "generateName"}
)


def generic(obj: Mapping[str, Any], events: Sequence[Mapping[str, Any]], now: datetime) -> str:
    """Return the description of an object of any kind."""
    lines, metadata = Lines(), obj["metadata"]
    lines.add(0, f"Name:\t{metadata['name']}")
    lines.add(0, f"Namespace:\t{metadata.get('namespace', '')}")
    describe.labels(lines, "Labels:", metadata.get("labels"))
    describe.notes(lines, metadata.get("annotations"))
    lines.add(0, f"API Version:\t{obj.get('apiVersion', '')}")
    lines.add(0, f"Kind:\t{obj.get('kind', '')}")
    lines.add(0, "Metadata:")
    _fields(lines, 1, {key: value for key, value in metadata.items() if key not in _SKIPPED})
    rest = {key: value for key, value in obj.items()
            if key not in ("apiVersion", "kind", "metadata")}  # fmt: skip
    _fields(lines, 0, rest)
    describe.events(lines, events, now)
    return lines.aligned()


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
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^A-Z\W_]+|\W+", name)
    shown = [word.upper() if word.upper() in ("API", "URL", "UID", "OSB", "GUID") else
             word[:1].upper() + word[1:] for word in words]  # fmt: skip
    return " ".join(shown)

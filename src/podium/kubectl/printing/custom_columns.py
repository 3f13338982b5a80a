"""``-o custom-columns=NAME:.metadata.name,…``: a table of one's own. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from podium.kubectl.printing import go_values, jsonpath
from podium.kubectl.printing.table import escaped

_RELAXED = re.compile(r"\{\.?([^{}]+)\}|\.?([^{}]+)")


class CustomColumns:
    """Columns, each with its title and a path. Raises JsonPathError for what is neither."""

    def __init__(self, spec: str) -> None:
        if not spec:
            raise jsonpath.JsonPathError(
                "custom-columns format specified but no custom columns given"
            )
        columns = [part.partition(":") for part in spec.split(",")]
        for title, colon, _ in columns:
            if not colon:
                raise jsonpath.JsonPathError(
                    f"unexpected custom-columns spec: {title}, expected <header>:<json-path-expr>"
                )
        self.titles = [title for title, _, _ in columns]
        self._paths = [jsonpath.parse(strict_path(path)) for _, _, path in columns]

    def rows(self, objects: Iterable[Mapping[str, Any]]) -> Iterator[list[str]]:
        for obj in objects:
            yield [_cell(jsonpath.find(path, obj)) for path in self._paths]


def strict_path(path: str) -> str:
    """Return a path with the braces and the dot that may be left away."""
    found = _RELAXED.fullmatch(path)
    if path and found is None:
        raise jsonpath.JsonPathError(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' "
            "or '{.name1.name2}'"
        )
    return f"{{.{found[1] or found[2]}}}" if found else ""


def _cell(found: list[list[Any]]) -> str:
    if not found or not found[0]:
        return "<none>"
    return ",".join(escaped(go_values.text(value)) for results in found for value in results)

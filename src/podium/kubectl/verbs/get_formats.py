"""Formats of ``kubectl get`` that take a text: ``-o jsonpath=…``, ``-o custom-columns=…``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from podium.kubectl.errors import CommandError
from podium.kubectl.printing import jsonpath as paths
from podium.kubectl.printing.custom_columns import CustomColumns
from podium.kubectl.printing.table import Aligner

Printer = Callable[[dict[str, Any]], str]

_FAILED = """\
error executing jsonpath {text}: Error executing template: {error}. Printing more information for \
debugging the template:
\ttemplate was:
\t\t{template}
\tobject given to jsonpath engine was:
\t\t{document}

"""


def jsonpath(template: str, *, headers: bool) -> Printer:
    """Return the printer of a template; *headers* is not for it. Raises CommandError."""
    del headers
    if not template:
        raise CommandError("template format specified but no template given")
    try:
        parts = paths.parse(template)
    except paths.JsonPathError as exc:
        raise CommandError(f"error parsing jsonpath {template}, {exc}") from exc

    def show(document: dict[str, Any]) -> str:
        try:
            return paths.render(parts, document)
        except paths.JsonPathError as exc:
            shown = paths.go_syntax(document)
            text = paths.go_syntax(template)
            raise CommandError(
                _FAILED.format(text=text, error=exc, template=template, document=shown)
            ) from exc

    return show


def custom_columns(spec: str, *, headers: bool) -> Printer:
    """Return the printer of a table with the columns of *spec*; only what it prints first has
    headers. Raises CommandError."""
    try:
        columns = CustomColumns(spec)
    except paths.JsonPathError as exc:
        raise CommandError(str(exc)) from exc
    aligner, titles = Aligner(), [columns.titles] if headers else []

    def show(document: dict[str, Any]) -> str:
        objects = document["items"] if document.get("kind") == "List" else [document]
        try:
            rows = list(columns.rows(objects))
        except paths.JsonPathError as exc:
            raise CommandError(str(exc)) from exc
        table = [*titles, *rows]
        titles.clear()
        return "".join(f"{line}\n" for line in aligner.lines(table))

    return show

"""Formats that take a text, or a file with it: JSONPath, custom columns, Go's templates."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from podium.kubectl.errors import CommandError, unreadable
from podium.kubectl.flags import Values
from podium.kubectl.printing import jsonpath as paths
from podium.kubectl.printing.table import Aligner
from podium.kubectl.writing import ESCAPED

Printer = Callable[[dict[str, Any]], str]

_FAILED = """\
error executing jsonpath {text}: Error executing template: {error}. Printing more information for \
debugging the template:
\ttemplate was:
\t\t{template}
\tobject given to jsonpath engine was:
\t\t{document}

"""
_TEMPLATE_FAILED = """\
Error executing template: {error}. Printing more information for debugging the template:
\ttemplate was:
\t\t{template}
\traw data was:
\t\t{raw}
\tobject given to template engine was:
\t\t{document}

"""
_FILES = ("custom-columns-file", "go-template-file", "jsonpath-file", "templatefile")


def printer(output: str, text: str, values: Values) -> Printer:
    """Return the printer of a format and its text. Raises CommandError."""
    if not text and not output.startswith("custom-columns"):
        raise CommandError("template format specified but no template given")
    if output == "custom-columns-file" and not text:
        raise CommandError("custom-columns format specified but no custom columns given")
    if output in _FILES:
        text = _read(text, columns=output.startswith("custom-columns"))
    if output.startswith("custom-columns"):
        if output.endswith("-file"):
            text = _from_lines(text)
        return _custom_columns(text, headers=not getattr(values, "no_headers", False))
    strict = not getattr(values, "allow_missing_template_keys", True)
    if output.startswith("jsonpath"):
        return _jsonpath(text, as_json=output == "jsonpath-as-json", strict=strict)
    return _go_template(text, strict=strict)


def _read(path: str, *, columns: bool) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError as exc:
        option = "template" if columns else "--template"
        raise CommandError(f"error reading {option} {path}, {unreadable(exc, path)}") from exc


def _jsonpath(template: str, *, as_json: bool, strict: bool) -> Printer:
    wrong: paths.ExecutionError | None = None
    parts: paths.Block = ()
    try:
        parts = paths.parse(template)
    except paths.ExecutionError as exc:
        wrong = exc
    except paths.JsonPathError as exc:
        raise CommandError(f"error parsing jsonpath {template}, {exc}") from exc

    def show(document: dict[str, Any]) -> str:
        try:
            if wrong is not None:
                raise wrong
            if as_json:
                parts_found = paths.find(parts, document, strict=strict)
                return _indented([value for part in parts_found for value in part])
            return paths.render(parts, document, strict=strict)
        except paths.JsonPathError as exc:
            shown = paths.go_syntax(document)
            text = paths.go_syntax(template)
            raise CommandError(
                _FAILED.format(text=text, error=exc, template=template, document=shown)
            ) from exc

    return show


def _indented(found: list[Any]) -> str:
    if not found:
        return "[]\n"
    text = json.dumps(found, indent=4, sort_keys=True, ensure_ascii=False)
    return f"{text.translate(ESCAPED)}\n"


def _from_lines(text: str) -> str:
    """Return the columns of a file, headings over paths, as a text for ``custom-columns``."""
    lines = [line.split() for line in text.splitlines()[:2]]
    if len(lines) < 2:
        missing = "spec" if lines else "header"
        raise CommandError(
            f"invalid template, missing {missing} line. Expected format is one line of space "
            "separated headers, one line of space separated column specs."
        )
    if len(lines) != 2 or not lines[0] or len(lines[0]) != len(lines[1]):
        count = len(lines[0]) if lines else 0
        paths_ = len(lines[1]) if len(lines) > 1 else 0
        raise CommandError(
            f"number of headers ({count}) and field specifications ({paths_}) don't match"
        )
    return ",".join(f"{title}:{path}" for title, path in zip(*lines, strict=True))


def _custom_columns(spec: str, *, headers: bool) -> Printer:
    """Only what is printed first has headers."""
    from podium.kubectl.printing.custom_columns import CustomColumns

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
        table = "\n".join("\t".join(row) for row in [*titles, *rows])
        titles.clear()
        # What a cell has of lines and tabs makes lines and cells, as upstream's writer has it.
        lines = [line.split("\t") for line in table.split("\n")] if table else []
        return "".join(f"{line}\n" for line in aligner.lines(lines))

    return show


def _go_template(text: str, *, strict: bool) -> Printer:
    from podium.kubectl.printing import go_values
    from podium.kubectl.printing.go_template import GoTemplate, TemplateError

    try:
        template = GoTemplate(text, strict=strict)
    except TemplateError as exc:
        raise CommandError(f"error parsing template {text}, {exc}") from exc

    def show(document: dict[str, Any]) -> str:
        out: list[str] = []
        try:
            template.render(document, out)
        except TemplateError as exc:
            raw = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            raw, shown = raw.translate(ESCAPED), go_values.text(document)
            sys.stdout.write("".join(out) + _TEMPLATE_FAILED.format(
                error=exc, template=text, raw=raw, document=shown))  # fmt: skip
            quoted = go_values.quoted(text)
            raise CommandError(f"error executing template {quoted}: {exc}") from exc
        return "".join(out)

    return show

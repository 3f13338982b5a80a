"""``-o``: what shows objects in the format that was asked for; each is loaded when it is."""

from __future__ import annotations

from podium.kubectl.errors import CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from podium.kubectl.flags import Values

#: From an object, or a list of them, to its text.
Printer: TypeAlias = "Callable[[dict[str, Any]], str]"
#: What ``get`` knows; commands that write know those of :data:`FOR_WRITERS`.
ALL = ("custom-columns", "custom-columns-file", "go-template", "go-template-file", "json",
       "jsonpath", "jsonpath-as-json", "jsonpath-file", "kyaml", "name", "template",
       "templatefile", "wide", "yaml")  # fmt: skip
FOR_WRITERS = tuple(name for name in ALL if not name.startswith("custom") and name != "wide")
#: Formats that show objects without what their managers own, unless they are asked to.
PLAIN = ("json", "kyaml", "yaml")


def printer(values: Values, known: tuple[str, ...] = ALL) -> Printer | None:
    """Return what shows documents as ``-o`` and ``--template`` ask; None for tables and names.

    Raises CommandError for no format, and for a text that is wrong.
    """
    output, equals, text = str(values.output).partition("=")
    template = getattr(values, "template", "")
    if template and not (output and values.changed("output")):
        output = "go-template"
    takes_text = output not in ("", "json", "yaml", "kyaml", "name", "wide")
    twice = bool(template and text and takes_text)
    if output not in ("", *known) or (equals and not takes_text) or twice:
        raise CommandError(
            f'unable to match a printer suitable for the output format "{values.output}", '
            f"allowed formats are: {','.join(known)}"
        )
    if output in ("", "name", "wide"):
        return None
    if takes_text:
        from podium.kubectl import templates

        return templates.printer(output, text or template, values)
    if output == "kyaml":
        from podium.kubectl.printing.kyaml import dump

        return dump
    from podium.kubectl.writing import as_text

    return lambda document: as_text(document, output)


def without_managers(document: dict[str, Any], values: Values) -> dict[str, Any]:
    """Return what a format shows of an object."""
    if values.output not in PLAIN or values.show_managed_fields:
        return document
    metadata = document.get("metadata") or {}
    if "managedFields" not in metadata:
        return document
    kept = {name: value for name, value in metadata.items() if name != "managedFields"}
    return {**document, "metadata": kept}

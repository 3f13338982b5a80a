"""Whether an applied configuration fits the schema, in upstream's words.

Follows ``validate.go`` of ``structured-merge-diff/typed``.
"""

from __future__ import annotations

from typing import Any

from podium.api.fields import elements
from podium.api.fields.extract import member_of
from podium.api.fields.shapes import List, Map, Scalar, Shape
from podium.api.go_text import quote


def offences(shape: Shape, value: Any) -> list[str]:
    """Return what in *value* does not fit, each with the path where it stands."""
    return [f"{path}: {text}" if path else text for path, text in _check(shape, value)]


def message(found: list[str]) -> str:
    """Return the offences as one text."""
    return found[0] if len(found) == 1 else "\n".join(["errors:", *(f"  {each}" for each in found)])


_Found = list[tuple[str, str]]


def _check(shape: Shape, value: Any) -> _Found:
    if value is None:
        return []
    if isinstance(shape, Scalar):
        text = _check_scalar(shape.sort, value)
        return [("", text)] if text else []
    if isinstance(shape, List):
        if not isinstance(value, list):
            return [("", f"expected list, got {_shown(value)}")]
        return _check_items(shape, value)
    if not isinstance(value, dict):
        return [("", f"expected map, got {_shown(value)}")]
    found: _Found = []
    for name, item in value.items():
        member = member_of(shape, name)
        if member is None and not isinstance(shape, Map):
            found.append((f".{name}", "field not declared in schema"))
            break
        if member is not None:
            found += _at(f".{name}", _check(member[1], item))
    return found


def _check_items(shape: List, items: list[Any]) -> _Found:
    found: _Found = []
    seen: set[str] = set()
    for index, item in enumerate(items):
        shown = f"[{index}]"
        if not shape.atomic:
            try:
                element = shape.element(item)
            except ValueError as error:
                return [*found, ("", f"element {index}: {error}")]
            shown = elements.show(element)
            if element in seen:
                found.append(("", f"duplicate entries for key {shown}"))
            seen.add(element)
        found += _at(shown, _check(shape.items, item))
    return found


def _at(prefix: str, found: _Found) -> _Found:
    return [(prefix + path, text) for path, text in found]


def _check_scalar(sort: str, value: Any) -> str:
    is_bool = isinstance(value, bool)
    is_number = isinstance(value, int | float) and not is_bool
    match sort:
        case "number":
            return "" if is_number else f"expected numeric (int or float), got {_go_type(value)}"
        case "string":
            if isinstance(value, str):
                return ""
            return f"expected string, got &value.valueUnstructured{{Value:{_syntax(value)}}}"
        case "boolean":
            return "" if is_bool else f"expected boolean, got {_shown(value)}"
    return ""


def _shown(value: Any) -> str:
    return elements.show_value(value)


def _go_type(value: Any) -> str:
    match value:
        case bool():
            return "bool"
        case str():
            return "string"
        case list():
            return "[]interface {}"
        case dict():
            return "map[string]interface {}"
    return "int64" if isinstance(value, int) else "float64"


def _syntax(value: Any) -> str:
    """``%#v`` of a JSON value."""
    match value:
        case None:
            return "interface {}(nil)"
        case bool():
            return "true" if value else "false"
        case str():
            return quote(value)
        case list():
            return f"[]interface {{}}{{{', '.join(map(_syntax, value))}}}"
        case dict():
            inner = ", ".join(f"{quote(key)}:{_syntax(value[key])}" for key in sorted(value))
            return f"map[string]interface {{}}{{{inner}}}"
    return str(value)

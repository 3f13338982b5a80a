"""JSONPath as kubectl has it: ``{.spec.containers[?(@.stdin)].name}{"\\n"}``. Pure.

Text stands for itself; an action in braces is steps, one after the other, each from a list of
values to a list of values. ``{range …}…{end}`` prints what is between them for each value.
Keys that are missing give nothing. ``jsonpath_parser`` reads the text.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from podium.kubectl.printing import go_values
from podium.kubectl.printing.jsonpath_parser import (
    Action,
    ExecutionError,
    Field,
    Filter,
    JsonPathError,
    Literal,
    Range,
    Recursive,
    Slice,
    Step,
    Union,
    Wildcard,
    parse,
)
from podium.kubectl.writing import ESCAPED

__all__ = ["ExecutionError", "JsonPathError", "find", "go_syntax", "parse", "render"]

Block = Sequence["str | Action | Range"]


def find(block: Block, value: Any, *, strict: bool = False) -> list[list[Any]]:
    """Return what each part of *block* finds in *value*. Raises JsonPathError, with *strict* also
    for keys that are missing."""
    found: list[list[Any]] = []
    for part in block:
        if isinstance(part, str):
            found.append([part])
        elif isinstance(part, Action):
            found.append(_walk(part.steps, [value], strict))
        else:
            for each in _walk(part.steps, [value], strict):
                found += find(part.block, each, strict=strict)
            if not part.closed:
                found += find(part.again, value, strict=strict)
    return found


def render(block: Block, value: Any, *, strict: bool = False) -> str:
    """Return the text that *block* is for *value*. Raises JsonPathError."""
    return "".join(" ".join(map(_text, results)) for results in find(block, value, strict=strict))


def _walk(steps: Sequence[Step], values: Sequence[Any], strict: bool = False) -> list[Any]:
    found = list(values)
    for step in steps:
        found = list(_step(step, found, strict))
    return found


def _step(step: Step, values: Sequence[Any], strict: bool) -> Iterator[Any]:
    match step:
        case Literal(value):
            yield value
        case Union(branches):
            for branch in branches:
                yield from _walk(branch, values, strict)
        case Recursive():
            yield from _all_below(values)
        case _:
            for value in values:
                yield from _from_one(step, value, strict)


def _from_one(step: Step, value: Any, strict: bool) -> Iterator[Any]:
    if value is None:
        return
    match step:
        case Field(name):
            if isinstance(value, Mapping) and name in value:
                yield value[name]
            elif strict:
                raise JsonPathError(f"{name} is not found")
        case Wildcard():
            yield from _children(value)
        case Slice():
            yield from _sliced(step, value)
        case Filter():
            if not isinstance(value, list):
                raise JsonPathError(f"{_type(value)} is not array or slice and cannot be filtered")
            yield from (item for item in value if _passes(step, item))


def _children(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [value[key] for key in sorted(value)]
    return list(value) if isinstance(value, list) else []


def _all_below(values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        if children := _children(value):
            yield value
            yield from _all_below(children)


def _sliced(step: Slice, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise JsonPathError(f"{_type(value)} is not array or slice")
    length = len(value)
    start = step.start or 0
    start += length if start < 0 else 0
    end = length if step.end is None else step.end
    end += length if end < 0 or (end == 0 and step.one) else 0
    if start == end:
        return []
    if not 0 <= start < length:
        raise JsonPathError(f"array index out of bounds: index {start}, length {length}")
    if not 0 <= end <= length:
        raise JsonPathError(f"array index out of bounds: index {end - 1}, length {length}")
    if start > end:
        raise JsonPathError(f"starting index {start} is greater than ending index {end}")
    if step.by is not None and step.by <= 0:
        raise JsonPathError("step must be > 0")
    return value[start : end : step.by or 1]


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _passes(step: Filter, item: Any) -> bool:
    lefts = _walk(step.left, [item])
    if not step.operator or not lefts:
        return bool(lefts)
    rights = _walk(step.right, [item])
    if len(lefts) > 1 or len(rights) > 1:
        raise JsonPathError("can only compare one element at a time")
    if not rights:
        return False
    left, right = lefts[0], rights[0]
    if step.operator not in _COMPARE:
        raise JsonPathError(f"unrecognized filter operator {step.operator}")
    if type(left) is not type(right):
        raise JsonPathError("incompatible types for comparison")
    if not isinstance(left, str | int | float):
        raise JsonPathError("invalid type for comparison")
    return _COMPARE[step.operator](left, right)


# -- values as text


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return go_values.number(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.translate(ESCAPED)


def _type(value: Any) -> str:
    """Return the name of a value's type in Go."""
    if isinstance(value, Mapping):
        return "map[string]interface {}"
    return {str: "string", bool: "bool", int: "int64", float: "float64"}[type(value)]


def go_syntax(value: Any) -> str:
    """Return *value* as Go's ``%#v`` prints it."""
    if isinstance(value, Mapping):
        pairs = (f"{go_values.quoted(key)}:{go_syntax(value[key])}" for key in sorted(value))
        return f"map[string]interface {{}}{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(map(go_syntax, value))}}}"
    if value is None:
        return "interface {}(nil)"
    return go_values.quoted(value) if isinstance(value, str) else _text(value)

"""``--sort-by``: objects in the order of one of their fields."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from podium.api import quantity
from podium.kubectl.errors import CommandError
from podium.kubectl.printing import jsonpath
from podium.kubectl.printing.custom_columns import strict_path

_Item = TypeVar("_Item")


def ordered(
    items: Sequence[_Item], field: str, of: Callable[[_Item], dict[str, Any]]
) -> list[_Item]:
    """Return *items* sorted by a *field*, a path, of the objects that *of* gives; those without it
    come first. Raises CommandError, also where there is none with it."""
    try:
        path = strict_path(field)
        parsed = jsonpath.parse(path)
        found = [_first(jsonpath.find(parsed, of(item))) for item in items]
    except jsonpath.JsonPathError as exc:
        raise CommandError(str(exc)) from exc
    if all(value is None for value in found):
        raise unsortable(field)
    keys = [_Key(value) for value in found]
    return [items[place] for place in sorted(range(len(items)), key=keys.__getitem__)]


def unsortable(field: str) -> CommandError:
    """Return the failure for a field that nothing has. Raises CommandError for what is none."""
    try:
        path = strict_path(field)
    except jsonpath.JsonPathError as exc:
        raise CommandError(str(exc)) from exc
    return CommandError(f'couldn\'t find any field with path "{path}" in the list of objects')


def _first(results: list[list[Any]]) -> Any:
    return results[0][0] if results and results[0] else None


class _Key:
    """Nothing, numbers, texts with numbers in them by those, all else as it prints; two texts that
    are amounts by what they amount to."""

    __slots__ = ("_amount", "_order")

    def __init__(self, value: Any) -> None:
        self._amount: Any = None
        self._order: tuple[Any, ...] = (0,)
        if isinstance(value, bool | int | float):
            self._order = (1, value)
        elif isinstance(value, str):
            self._order = (2, [_part(text) for text in re.findall(r"\d+|\D+", value)])
            with contextlib.suppress(ValueError):
                self._amount = quantity.parse(value).value
        elif value is not None:
            self._order = (3, str(value))

    def __lt__(self, other: _Key) -> bool:
        if self._amount is not None and other._amount is not None:
            return bool(self._amount < other._amount)
        return self._order < other._order


def _part(text: str) -> tuple[int, Any, int]:
    return (0, int(text), len(text)) if text.isdigit() else (1, text, 0)

"""Checks of numbers that may be percentages: how many of a set's Pods may be gone, or too many."""

from __future__ import annotations

from podium.api import names
from podium.api.field import Path, invalid
from podium.api.go_syntax import int_or_string
from podium.api.validation.common import Errors, non_negative


def share(path: Path, value: int | str | None) -> Errors:
    """Require a number that is not negative, or a percentage."""
    if not isinstance(value, str):
        yield from non_negative(path, value or 0)
        return
    for message in names.percent(value):
        yield invalid(path, int_or_string(value), message)


def not_more_than_all(path: Path, value: int | str | None) -> Errors:
    if isinstance(value, str) and not names.percent(value) and names.is_more_than_all(value):
        yield invalid(path, int_or_string(value), "must not be greater than 100%")


def is_nothing(value: int | str | None) -> bool:
    """Whether *value* is 0, or 0%; text that is neither number nor percentage counts as 0."""
    if not isinstance(value, str):
        return not value
    number = value if names.percent(value) else value[:-1]
    return not number.isdecimal() or not number.strip("0")

"""Bring a freshly decoded struct to normal form: quantities canonical, times UTC in whole seconds.

Each type is compiled once into a function that visits only fields that can need it.
"""

from __future__ import annotations

import binascii
import types
import typing
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from podium.api import go_time, quantity
from podium.api.types import scalars

Normaliser = Callable[[Any], Any]


class Odd(Exception):
    """A value that only the thorough reader can judge."""


def normaliser(cls: type[Any]) -> Normaliser:
    """Return the function that puts structs of type *cls* into normal form, in place.

    It raises Odd where a value is none of its type.
    """
    found = _COMPILED.get(cls)
    if found is None:
        found = _compile(cls)
    return found or _nothing


_COMPILED: dict[type[Any], Normaliser | None] = {}


def _nothing(value: Any) -> Any:
    return value


def _compile(cls: type[Any]) -> Normaliser | None:
    if cls in _COMPILED:
        return _COMPILED[cls]
    steps: list[tuple[str, Normaliser]] = []

    def visit(obj: Any) -> Any:
        for name, step in steps:
            value = getattr(obj, name)
            if value:
                new = step(value)
                if new is not value:
                    setattr(obj, name, new)
        return obj

    _COMPILED[cls] = visit  # types may refer to themselves
    for member in msgspec.structs.fields(cls):
        step = _step(member.type)
        if step is not None:
            steps.append((member.name, step))
    if not steps:
        _COMPILED[cls] = None
    return _COMPILED[cls]


def _step(annotation: Any) -> Normaliser | None:
    for scalar, step in _SCALARS:
        if annotation == scalar:
            return step
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        inner = [argument for argument in arguments if argument is not type(None)]
        return _step(inner[0]) if len(inner) == 1 else None
    if origin is list:
        item = _step(arguments[0])
        return _each_item(item) if item else None
    if origin is dict:
        item = _step(arguments[1])
        return _each_value(item) if item else None
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return _compile(annotation)
    return None


def _each_item(step: Normaliser) -> Normaliser:
    def visit(values: list[Any]) -> Any:
        for index, value in enumerate(values):
            new = step(value)
            if new is not value:
                values[index] = new
        return values

    return visit


def _each_value(step: Normaliser) -> Normaliser:
    def visit(values: dict[str, Any]) -> Any:
        for key, value in values.items():
            new = step(value)
            if new is not value:
                values[key] = new
        return values

    return visit


def _quantity(text: str) -> str:
    try:
        return quantity.canonical(text)
    except ValueError:
        raise Odd from None


def _time(time: datetime) -> datetime:
    if time.tzinfo is not UTC:
        time = time.astimezone(UTC)
    return time.replace(microsecond=0) if time.microsecond else time


def _micro_time(text: str) -> str:
    try:
        return go_time.format_micro_time(go_time.parse_micro_time(text))
    except ValueError:
        raise Odd from None


def _base64(text: str) -> str:
    try:
        binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        raise Odd from None
    return text


_SCALARS: list[tuple[Any, Normaliser]] = [
    (scalars.Quantity, _quantity),
    (scalars.Time, _time),
    (scalars.MicroTime, _micro_time),
    (scalars.Base64, _base64),
]

"""Protobuf messages taken apart, without knowing what they say."""

from __future__ import annotations

from collections import defaultdict
from typing import Any


def number(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data: bytes) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    at = 0
    while at < len(data):
        key, at = number(data, at)
        value: Any
        value, at = number(data, at)
        if key & 7 == 2:
            at, value = at + value, data[at : at + value]
        found[key >> 3].append(value)
    return found

"""Protobuf as gnostic's messages need it: fields by number, maps as lists of named values. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any


def message(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def text(number: int, value: str) -> bytes:
    return message(number, value.encode()) if value else b""


def texts(number: int, values: Iterable[str]) -> bytes:
    return b"".join(message(number, value.encode()) for value in values)


def flag(number: int, value: bool) -> bytes:
    return varint(number << 3) + b"\x01" if value else b""


def named(name: str, content: bytes) -> bytes:
    """A ``Named…``: how gnostic writes the entries of a map."""
    return text(1, name) + message(2, content)


def any_value(value: Any) -> bytes:
    """An ``Any`` by its YAML text; JSON is YAML."""
    return text(2, json.dumps(value) + "\n")


def extension(number: int, name: str, value: Any) -> bytes:
    """A ``NamedAny``: one of the members that begin with ``x-``."""
    return message(number, named(name, any_value(value)))


def varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)

"""Texts with a NUL byte in them: the kernel takes none as a path, an argument or a variable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

NUL = "\0"


def nul_bytes(value: msgspec.Struct, path: str) -> Iterator[str]:
    """Yield the path of each text below *value*, itself at *path*, that has a NUL byte."""
    if b"\\u0000" in msgspec.json.encode(value):  # else, as nearly always, there is none
        yield from _inside(msgspec.to_builtins(value), path)


def _inside(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, str) and NUL in value:
        yield f"{path} (a NUL byte)"
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _inside(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _inside(inner, f"{path}[{number}]")

"""Where two structs of one type differ, to be read by people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec


def differences(name: str, old: Any, new: Any) -> str:
    """Return the differing fields, one a line: ``-`` what was, ``+`` what would be.

    *old* and *new* are structs of one type, or dicts of structs. *name* is what upstream calls
    the type; its comparison begins with it, too.
    """
    lines = _compare("", msgspec.to_builtins(old), msgspec.to_builtins(new))
    return "\n".join((f"  {name}{{", *lines, "  }", ""))


_ABSENT = object()


def _compare(path: str, old: Any, new: Any) -> Iterator[str]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            inner = f"{path}.{key}" if path else key
            yield from _compare(inner, old.get(key, _ABSENT), new.get(key, _ABSENT))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (was, now) in enumerate(zip(old, new, strict=True)):
            yield from _compare(f"{path}[{i}]", was, now)
    else:
        if old is not _ABSENT:
            yield f"-   {path}: {json.dumps(old)}"
        if new is not _ABSENT:
            yield f"+   {path}: {json.dumps(new)}"

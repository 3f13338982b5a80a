"""JSON merge patch (RFC 7386)."""

from __future__ import annotations

from typing import Any


def apply(document: Any, patch: Any) -> Any:
    """Return *document* with *patch* merged into it; ``null`` removes. Inputs stay as they are."""
    if not isinstance(patch, dict):
        return patch
    result = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = apply(result.get(key), value)
    return result


def diff(old: dict[str, Any], new: dict[str, Any], *, deletions: bool = True) -> dict[str, Any]:
    """Return the patch that makes *new* of *old*; lists that differ are replaced. Without
    *deletions*, what only *old* has stays."""
    patch: dict[str, Any] = {}
    for name, value in new.items():
        before = old.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            if inner := diff(before, value, deletions=deletions):
                patch[name] = inner
        elif name not in old or before != value:
            patch[name] = value
    return patch | {name: None for name in old if deletions and name not in new}

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


def diff(old: Any, new: Any) -> Any:
    """Return the merge patch that makes *new* of *old*; both are objects."""
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if key in old and type(before) is type(value) and before == value:
            continue
        both = isinstance(before, dict) and isinstance(value, dict)
        patch[key] = diff(before, value) if both else value
    return patch

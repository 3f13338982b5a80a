"""``kubectl apply --overwrite=false``: whether a patch would undo what others have changed. Pure.

What the last applied configuration does not say of itself is its annotation, which every patch that
applies another one changes: all but such that changes nothing in the file conflict. As upstream's.
"""

from __future__ import annotations

from typing import Any

from podium.api.patch import strategic
from podium.kubectl.errors import CommandError
from podium.kubectl.last_applied import compact

Map = dict[str, Any]


def conflict(last: Map, current: Map, patch: Map, definition: str) -> str:
    """Return what a strategic *patch* and the changes since *last* disagree in; "" for nothing."""
    changed = _unordered(strategic.diff(last, current, definition))
    if not _disagree(patch, changed):
        return ""
    from podium.kubectl.printing.yaml_text import dump

    return (
        f"patch:\n{dump(patch)}\nconflicts with changes made from original to current:\n"
        f"{dump(changed)}\n"
    )


def _unordered(patch: Any) -> Any:
    """Return a patch without what it says of the order of lists."""
    if isinstance(patch, list):
        return [_unordered(item) for item in patch]
    if not isinstance(patch, dict):
        return patch
    kept = {name: value for name, value in patch.items() if not name.startswith("$setElementOrder")}
    return {name: _unordered(value) for name, value in kept.items()}


def _disagree(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return any(
            _disagree(value, other[name])
            for name, value in one.items()
            if name in other and not name.startswith("$")
        )
    if isinstance(one, list) and isinstance(other, list):
        return _items_disagree(one, other)
    return bool(one != other)


def _items_disagree(one: list[Any], other: list[Any]) -> bool:
    """Whether two patches of a list do: items with a name are compared with their namesakes."""
    named = [item for item in (*one, *other) if isinstance(item, dict) and "name" in item]
    if len(named) < len(one) + len(other):
        return one != other
    there = {item["name"]: item for item in other}
    return any(_disagree(item, there[item["name"]]) for item in one if item["name"] in there)


def refused(found: str, last: str, wanted: Map, current: Map) -> CommandError:
    """Return the failure; *last* is the annotation's text."""
    return CommandError(
        f"creating patch with:\noriginal:\n{last}\nmodified:\n{compact(wanted)}\n\n"
        f"current:\n{compact(current)}\n\nfor: {found[:-1]}"
    )

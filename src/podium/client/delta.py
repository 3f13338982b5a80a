"""What a fresh list says has changed since the cache was last right (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class Key(NamedTuple):
    """What an object is found by; ``namespace`` is empty for cluster-scoped ones."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def key_of(obj: Any) -> Key:
    return Key(obj.metadata.namespace, obj.metadata.name)


class Change(NamedTuple):
    """One object's step: ``old`` is None when it is new, ``new`` is None when it is gone."""

    old: Any
    new: Any


def changes(cached: Mapping[Key, T], listed: Iterable[T]) -> list[Change]:
    """Return the steps from *cached* to *listed*: what is gone first, then the list's order.

    An object whose name was taken over by another one (another uid) counts as gone and new: two
    steps, so that nobody takes the second for a later state of the first.
    """
    present = {key_of(obj): obj for obj in listed}
    steps = [Change(old, None) for key, old in cached.items() if _gone(old, present.get(key))]
    for key, new in present.items():
        step = change(cached.get(key), new)
        if step is not None:
            steps.append(Change(None, new) if _gone(step.old, new) else step)
    return steps


def change(old: T | None, new: T) -> Change | None:
    """Return the step from *old* to *new*, None when both are the same version."""
    if old is None:
        return Change(None, new)
    before, after = old.metadata, new.metadata  # type: ignore[attr-defined]
    if before.uid == after.uid and before.resource_version == after.resource_version:
        return None
    return Change(old, new)


def _gone(old: Any, new: Any) -> bool:
    return old is not None and (new is None or old.metadata.uid != new.metadata.uid)

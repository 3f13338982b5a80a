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
    """Return the steps from *cached* to *listed*: what is gone first, then the list's order."""
    present = {key_of(obj): obj for obj in listed}
    gone = [Change(old, None) for key, old in cached.items() if key not in present]
    return gone + [step for key, new in present.items() for step in steps(cached.get(key), new)]


def steps(old: Any, new: Any) -> list[Change]:
    """Return the steps from *old* (None: unknown so far) to *new*; none for the same version.

    An object whose name was taken over by another one (another uid) is gone first: nobody may
    take the second for a later state of the first.
    """
    if old is None:
        return [Change(None, new)]
    if old.metadata.uid != new.metadata.uid:
        return [Change(old, None), Change(None, new)]
    if old.metadata.resource_version == new.metadata.resource_version:
        return []
    return [Change(old, new)]

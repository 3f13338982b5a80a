"""Server-side apply a second time, as the documentation tells it, on a flat picture of an object.

The picture is a map from leaves to values. A leaf is a path of names, of map keys and of list
items by their keys; whatever the schema calls atomic is one leaf, each item of a set is one. That
an item is there at all is a leaf, too: an item goes when nobody owns its being there, with all that
is in it. A manager owns leaves. Nothing here knows of sets of paths with their inner nodes, of
versions or of the form in which owners are stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Leaf = tuple[Any, ...]

#: What tells the items of a list apart, by the name of the list's field; "" for a set.
KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "env": ("name",),
    "ports": ("containerPort", "protocol"),
    "finalizers": (),
}
#: Fields whose value is owned as a whole.
ATOMIC = frozenset({"args", "tolerations", "nodeSelector"})
_DEFAULTS = {"protocol": "TCP"}
#: The value of the leaf that says that an item is there.
THERE = "<there>"


def leaves(value: Any, name: str = "", path: Leaf = ()) -> Iterator[tuple[Leaf, Any]]:
    """Yield the leaves of an object with their values."""
    if name in KEYS and isinstance(value, list):
        for item in value:
            if KEYS[name]:
                identity = tuple(item.get(key, _DEFAULTS.get(key)) for key in KEYS[name])
                yield (*path, identity), THERE
                yield from leaves(item, "", (*path, identity))
            else:
                yield (*path, item), item
    elif isinstance(value, dict) and name not in ATOMIC:
        for member, inner in value.items():
            yield from leaves(inner, member, (*path, member))
    else:
        yield path, value


class Conflict(Exception):
    """Others own, with another value, what is applied; ``found`` has (manager, leaf)."""

    def __init__(self, found: set[tuple[str, Leaf]]) -> None:
        super().__init__(str(found))
        self.found = found


@dataclass
class Model:
    """An object, and who owns which of its leaves."""

    values: dict[Leaf, Any] = field(default_factory=dict)
    owned: dict[str, set[Leaf]] = field(default_factory=dict)

    def apply(self, manager: str, config: dict[str, Any], *, force: bool) -> None:
        """Raises Conflict, and changes nothing then."""
        wanted = dict(leaves(config))
        others = {name: owned for name, owned in self.owned.items() if name != manager}
        changed = {leaf for leaf in wanted if self.values.get(leaf) != wanted[leaf]}
        conflicts = {(name, leaf) for name, owned in others.items() for leaf in owned & changed}
        if conflicts and not force:
            raise Conflict(conflicts)
        gone = self._gone(self.owned.get(manager, set()) - wanted.keys(), others)
        self.values = {leaf: value for leaf, value in self.values.items() if leaf not in gone}
        self.values |= wanted
        self._settle({name: owned - changed - gone for name, owned in others.items()})
        self._settle({manager: set(wanted)})

    def _gone(self, dropped: set[Leaf], others: dict[str, set[Leaf]]) -> set[Leaf]:
        """Return what goes when its applier has *dropped* it."""
        unowned = {leaf for leaf in dropped if not any(leaf in own for own in others.values())}
        items = {leaf for leaf in unowned if self.values.get(leaf) == THERE}
        return {
            leaf
            for leaf in self.values
            if leaf in unowned or any(leaf[: len(item)] == item for item in items)
        }

    def update(self, manager: str, obj: dict[str, Any]) -> None:
        """Replace the object: what *manager* changes or adds is its own, and nobody else's."""
        after = dict(leaves(obj))
        touched = {
            leaf
            for leaf in {*self.values, *after}
            if leaf not in after or leaf not in self.values or self.values[leaf] != after[leaf]
        }
        self.values = after
        self._settle({name: owned - touched for name, owned in self.owned.items()})
        mine = self.owned.get(manager, set()) | (touched & after.keys())
        self._settle({manager: mine})

    def _settle(self, owned: dict[str, set[Leaf]]) -> None:
        """Take over new owners; who owns nothing is forgotten."""
        for name, found in owned.items():
            self.owned.pop(name, None)
            if found:
                self.owned[name] = found

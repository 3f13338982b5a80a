"""Server-side apply against a naive model of ownership: any row of applies and updates leaves the
same object, the same owners and the same conflicts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from podium.api import last_applied
from podium.api.apply import Application, Conflicts
from podium.api.fields import sets
from podium.api.fields.extract import compare
from podium.api.fields.sets import Fields
from podium.api.fields.shapes import shape_of
from podium.api.managed_fields import Managed, Manager, update
from support.fuzzing import examples
from support.naive_apply import Conflict, Leaf, Model, leaves

POD = shape_of("io.k8s.api.core.v1.Pod")
NOW = datetime(2026, 1, 2, tzinfo=UTC)
EMPTY: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod"}


class World:
    """The real thing."""

    def __init__(self) -> None:
        self.obj: dict[str, Any] = EMPTY
        self.managed: Managed = {}

    def apply(self, manager: str, config: dict[str, Any], *, force: bool) -> None:
        application = Application(
            shape=POD,
            config={**EMPTY, **config},
            manager=manager,
            api_version="v1",
            subresource="",
            now=NOW,
            empty=EMPTY,
            ignored=sets.EMPTY,
        )
        result, self.managed = last_applied.apply(application, self.obj, self.managed, force=force)
        self.obj = self.obj if result is None else result

    def update(self, manager: str, obj: dict[str, Any]) -> None:
        new = {**EMPTY, **obj}
        comparison = compare(POD, self.obj, new)
        self.managed = update(self.managed, comparison, Manager(manager, "Update", "v1", ""), NOW)
        self.obj = new

    def values(self) -> dict[Leaf, Any]:
        return _without_types(leaves(self.obj))

    def owned(self) -> dict[str, set[Leaf]]:
        found = {
            manager.name: set(_owned_leaves(entry.fields_v1 or {}))
            for manager, entry in self.managed.items()
        }
        return {name: owned for name, owned in found.items() if owned}


def _without_types(found: Any) -> dict[Leaf, Any]:
    """Leave out the kind, and what is null, which is as if it were not there."""
    types = (("apiVersion",), ("kind",))
    return {leaf: value for leaf, value in found if leaf not in types and value is not None}


#: Objects, maps and lists themselves: that they are there is owned, but of no consequence.
_INNER = frozenset({"metadata", "labels", "finalizers", "spec", "containers", "env", "ports"})


def _owned_leaves(fields: Fields, path: Leaf = ()) -> Iterator[Leaf]:
    """Yield the leaves of a FieldsV1, those of items that are there included."""
    for element, below in fields.items():
        if element == ".":
            continue
        here = (*path, _part(element))
        if here[-1] not in _INNER and (not below or "." in below):
            yield here
        yield from _owned_leaves(below, here)


def _part(element: str) -> Any:
    sort, text = element[0], element[2:]
    if sort == "k":
        keys = json.loads(text)
        order = ("name",) if "name" in keys else ("containerPort", "protocol")
        return tuple(keys[key] for key in order)
    return json.loads(text) if sort == "v" else text


WORDS = st.sampled_from("xyz")
LABELS = st.dictionaries(st.sampled_from("ab"), WORDS, min_size=1)


def some(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with at least one of the members."""
    return st.fixed_dictionaries({}, optional=members).filter(bool)


def keyed(item: st.SearchStrategy[dict[str, Any]], *keys: str) -> st.SearchStrategy[list[Any]]:
    return st.lists(
        item, min_size=1, max_size=3, unique_by=lambda one: tuple(one.get(key) for key in keys)
    )


CONTAINERS = keyed(
    st.fixed_dictionaries(
        {"name": st.sampled_from("cd")},
        optional={
            "image": WORDS,
            "args": st.lists(WORDS, min_size=1, max_size=2),
            "env": keyed(
                st.fixed_dictionaries({"name": st.sampled_from("EF")}, optional={"value": WORDS}),
                "name",
            ),
            "ports": keyed(
                st.fixed_dictionaries(
                    {
                        "containerPort": st.sampled_from([80, 81]),
                        "protocol": st.sampled_from(["TCP", "UDP"]),
                    },
                    optional={"hostPort": st.sampled_from([1, 2])},
                ),
                "containerPort",
                "protocol",
            ),
        },
    ),
    "name",
)
OBJECTS = some(
    metadata=some(labels=LABELS, finalizers=st.lists(WORDS, min_size=1, max_size=2, unique=True)),
    spec=some(
        containers=CONTAINERS,
        nodeSelector=LABELS,
        tolerations=st.lists(st.fixed_dictionaries({"key": WORDS}), min_size=1, max_size=2),
        hostname=WORDS,
    ),
)
STEPS = st.lists(
    st.tuples(st.sampled_from(["apply", "force", "update"]), st.sampled_from("abc"), OBJECTS),
    min_size=1,
    max_size=6,
)


@examples(150)
@given(STEPS)
def test_applies_and_updates_in_any_order(steps: list[tuple[str, str, dict[str, Any]]]) -> None:
    world, model = World(), Model()
    for verb, name, obj in steps:
        if verb == "update":
            world.update(f"updater-{name}", obj)
            model.update(f"updater-{name}", obj)
        else:
            found = _conflicts(world, f"applier-{name}", obj, force=verb == "force")
            expected = _expected_conflicts(model, f"applier-{name}", obj, force=verb == "force")
            assert found == expected
        assert world.values() == model.values
        assert world.owned() == model.owned


def _conflicts(world: World, name: str, obj: dict[str, Any], *, force: bool) -> Any:
    try:
        world.apply(name, obj, force=force)
    except Conflicts as conflicts:
        return {(manager.name, tuple(map(_part, path))) for manager, path in conflicts.found}
    return None


def _expected_conflicts(model: Model, name: str, obj: dict[str, Any], *, force: bool) -> Any:
    try:
        model.apply(name, obj, force=force)
    except Conflict as conflict:
        return conflict.found
    return None

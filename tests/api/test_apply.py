"""Server-side apply as a pure function: who owns what, who is in the way, what goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api import last_applied
from podium.api.apply import Application, Conflicts, apply
from podium.api.fields import sets
from podium.api.fields.extract import compare, fields_of
from podium.api.fields.shapes import shape_of
from podium.api.managed_fields import Managed, Manager, encode, update

CONFIG_MAP = shape_of("io.k8s.api.core.v1.ConfigMap")
NOW = datetime(2026, 1, 2, tzinfo=UTC)
EMPTY: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}


class World:
    """An object and its owners, as applies and updates leave them."""

    def __init__(self) -> None:
        self.obj: dict[str, Any] = EMPTY
        self.managed: Managed = {}
        self.now = NOW

    def apply(self, manager: str, *, force: bool = False, **config: Any) -> bool:
        """Apply *config*; tell whether the object changed."""
        application = _application(manager, config, self.now)
        result, self.managed = last_applied.apply(application, self.obj, self.managed, force=force)
        self.obj = self.obj if result is None else result
        return result is not None

    def update(self, manager: str, **members: Any) -> None:
        new = {**EMPTY, **members}
        comparison = compare(CONFIG_MAP, self.obj, new)
        me = Manager(manager, "Update", "v1", "")
        self.managed = update(self.managed, comparison, me, self.now)
        self.obj = new

    def owners(self) -> dict[str, Any]:
        return {entry.manager: entry.fields_v1 for entry in encode(self.managed)}


def _application(manager: str, config: dict[str, Any], now: datetime) -> Application:
    return Application(
        shape=CONFIG_MAP,
        config={**EMPTY, **config},
        manager=manager,
        api_version="v1",
        subresource="",
        now=now,
        empty=EMPTY,
        ignored=sets.EMPTY,
    )


def test_what_is_applied_is_owned() -> None:
    world = World()
    assert world.apply("one", data={"a": "1"})
    assert world.obj["data"] == {"a": "1"}
    assert world.owners() == {"one": {"f:data": {"f:a": {}}}}


def test_what_is_no_longer_applied_goes() -> None:
    world = World()
    world.apply("one", data={"a": "1", "b": "2"})
    world.apply("one", data={"b": "2"})
    assert world.obj["data"] == {"b": "2"}
    assert world.owners() == {"one": {"f:data": {"f:b": {}}}}


def test_what_another_applies_stays() -> None:
    world = World()
    world.apply("one", data={"a": "1"})
    world.apply("two", data={"a": "1", "b": "2"})
    world.apply("one", data={})
    assert world.obj["data"] == {"a": "1", "b": "2"}
    world.apply("two", data={"b": "2"})
    assert world.obj["data"] == {"b": "2"}


def test_what_nobody_owns_stays() -> None:
    world = World()
    world.obj = {**EMPTY, "data": {"x": "0"}}
    world.apply("one", data={"a": "1"})
    world.apply("one")
    assert world.obj["data"] == {"x": "0"}
    assert world.owners() == {
        "before-first-apply": {"f:data": {".": {}, "f:x": {}}},
    }


def test_an_update_takes_over_and_what_it_took_outlives_the_applier() -> None:
    world = World()
    world.apply("one", data={"a": "1"})
    world.update("up", data={"a": "2"})
    assert world.owners() == {"up": {"f:data": {"f:a": {}}}}
    world.apply("one", data={})
    assert world.obj["data"] == {"a": "2"}


def test_a_conflict_names_owner_and_field() -> None:
    world = World()
    world.update("up", data={"a": "1"})
    with pytest.raises(Conflicts) as conflicts:
        world.apply("one", data={"a": "2"})
    assert str(conflicts.value) == (
        'Apply failed with 1 conflict: conflict with "up" using v1: .data.a'
    )
    assert conflicts.value.causes() == [('conflict with "up" using v1', ".data.a")]


def test_conflicts_are_told_all_at_once_by_owner() -> None:
    world = World()
    world.apply("b", data={"x": "1"})
    world.update("a", data={"x": "1", "y": "1", "z": "1"})
    with pytest.raises(Conflicts) as conflicts:
        world.apply("one", data={"x": "2", "y": "2", "z": "2"})
    assert str(conflicts.value) == (
        "Apply failed with 3 conflicts: "
        'conflicts with "a" using v1:\n- .data.y\n- .data.z\n'
        'conflicts with "b":\n- .data.x'
    )


def test_force_takes_what_is_in_the_way() -> None:
    world = World()
    world.apply("two", data={"a": "1", "b": "1"})
    assert world.apply("one", force=True, data={"a": "2"})
    assert world.obj["data"] == {"a": "2", "b": "1"}
    assert world.owners() == {
        "one": {"f:data": {"f:a": {}}},
        "two": {"f:data": {"f:b": {}}},
    }


def test_the_same_value_is_shared_without_conflict_and_without_a_time() -> None:
    """An object that stays what it is, is not touched: a new owner of it has no time."""
    world = World()
    world.apply("two", data={"a": "1"})
    assert not world.apply("one", data={"a": "1"})
    assert {entry.manager: entry.time for entry in encode(world.managed)} == {
        "one": None,
        "two": NOW,
    }


def test_applying_again_keeps_the_time() -> None:
    world = World()
    world.apply("one", data={"a": "1"})
    world.now += timedelta(hours=1)
    assert not world.apply("one", data={"a": "1"})
    (entry,) = encode(world.managed)
    assert entry.time == NOW


# ---------------------------------------------------------------- beside client-side apply

_BEFORE = '{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"1"}}'


def _client_side() -> World:
    world = World()
    annotations = {last_applied.ANNOTATION: _BEFORE}
    world.update(
        "kubectl-client-side-apply", metadata={"annotations": annotations}, data={"a": "1"}
    )
    return world


def test_kubectl_moves_from_client_side_apply_without_conflict() -> None:
    world = _client_side()
    assert world.apply("kubectl", data={"a": "2"})
    assert world.obj["data"] == {"a": "2"}
    assert world.obj["metadata"]["annotations"][last_applied.ANNOTATION] == (
        '{"apiVersion":"v1","data":{"a":"2"},"kind":"ConfigMap","metadata":{}}\n'
    )


def test_others_are_in_conflict_with_client_side_apply() -> None:
    with pytest.raises(Conflicts):
        _client_side().apply("other", data={"a": "2"})


def test_what_differs_from_the_annotation_is_in_conflict() -> None:
    world = _client_side()
    world.update("edit", metadata=world.obj["metadata"], data={"a": "3"})
    with pytest.raises(Conflicts, match='conflict with "edit" using v1'):
        world.apply("kubectl", data={"a": "2"})


@pytest.mark.parametrize(
    "annotation",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="no-json"),
        pytest.param("[]", id="no-object"),
        pytest.param('{"apiVersion":"v1","data":' + "[" * 5000, id="too-deep"),
        pytest.param('{"apiVersion":"v2","data":{"a":"1"}}', id="another-version"),
        pytest.param('{"apiVersion":"v1","data":{"a":1}}', id="not-of-the-kind"),
    ],
)
def test_an_annotation_that_says_nothing_excuses_nothing(annotation: str) -> None:
    world = World()
    annotations = {last_applied.ANNOTATION: annotation}
    world.update(
        "kubectl-client-side-apply", metadata={"annotations": annotations}, data={"a": "1"}
    )
    with pytest.raises(Conflicts):
        world.apply("kubectl", data={"a": "2"})


def test_an_annotation_that_gets_too_long_is_dropped() -> None:
    world = _client_side()
    world.apply("kubectl", data={"a": "1", "b": "x" * 300_000})
    assert last_applied.ANNOTATION not in world.obj["metadata"]["annotations"]


# ---------------------------------------------------------------- laws

_data = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"), min_size=1)
_steps = st.lists(
    st.tuples(st.sampled_from(["one", "two"]), st.booleans(), _data), min_size=1, max_size=8
)


@given(_steps)
def test_appliers_own_what_they_applied_last(steps: list[tuple[str, bool, Any]]) -> None:
    """By applies alone, the data is the union of what the managers applied last; forced or not,
    nobody is credited with a value that is not theirs."""
    world, last = World(), dict[str, Any]()
    for manager, force, data in steps:
        try:
            world.apply(manager, force=force, data=data)
        except Conflicts:
            mine, others = data, [last[other] for other in last if other != manager]
            assert not force
            assert any(mine.get(key, other[key]) != other[key] for other in others for key in other)
            continue
        for other, theirs in last.items():
            if other != manager:
                last[other] = {k: v for k, v in theirs.items() if data.get(k, v) == v}
        last[manager] = data
    expected: dict[str, str] = {}
    for data in last.values():
        expected |= data
    assert (world.obj.get("data") or {}) == expected


@given(_steps)
def test_applying_twice_is_applying_once(steps: list[tuple[str, bool, Any]]) -> None:
    world = World()
    for manager, _, data in steps:
        world.apply(manager, force=True, data=data)
        obj, managed = world.obj, world.managed
        world.apply(manager, force=True, data=data)
        assert (world.obj, encode(world.managed)) == (obj, encode(managed))


@given(_data, _data)
def test_owners_own_only_what_is_there(one: Any, two: Any) -> None:
    application = _application("one", {"data": one}, NOW)
    result, managed = apply(application, EMPTY, {})
    result, managed = apply(_application("one", {"data": two}, NOW), result or EMPTY, managed)
    there = fields_of(CONFIG_MAP, result or EMPTY)
    for entry in managed.values():
        owned = sets.difference(entry.fields_v1 or {}, sets.of(("f:data",)))
        assert not sets.difference(owned, there) or result is None

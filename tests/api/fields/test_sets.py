"""Sets of paths, against Python's own sets of tuples."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api.fields import sets
from podium.api.fields.sets import Fields, Path

_elements = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'k:{"name":"y"}', 'v:"z"', "i:0"])
_paths = st.lists(_elements, min_size=1, max_size=4).map(tuple)
twins = st.frozensets(_paths, max_size=8)


def as_set(fields: Fields) -> frozenset[Path]:
    return frozenset(sets.paths(fields))


@given(twins)
def test_a_set_has_the_paths_it_is_made_of(twin: frozenset[Path]) -> None:
    assert as_set(sets.of(*twin)) == twin


@given(twins, _paths)
def test_has(twin: frozenset[Path], path: Path) -> None:
    assert sets.has(sets.of(*twin), path) == (path in twin)


@given(twins, twins)
def test_union(one: frozenset[Path], other: frozenset[Path]) -> None:
    assert as_set(sets.union(sets.of(*one), sets.of(*other))) == one | other


@given(twins, twins)
def test_difference(one: frozenset[Path], other: frozenset[Path]) -> None:
    assert as_set(sets.difference(sets.of(*one), sets.of(*other))) == one - other


@given(twins, twins)
def test_intersection(one: frozenset[Path], other: frozenset[Path]) -> None:
    assert as_set(sets.intersection(sets.of(*one), sets.of(*other))) == one & other


@given(twins, twins)
def test_recursive_difference(one: frozenset[Path], other: frozenset[Path]) -> None:
    expected = {
        path for path in one if not any(path[:length] in other for length in range(len(path) + 1))
    }
    assert as_set(sets.recursive_difference(sets.of(*one), sets.of(*other))) == expected


@given(twins, twins)
def test_equal_sets_look_the_same(one: frozenset[Path], other: frozenset[Path]) -> None:
    """However a set came about, its form says nothing but which paths it has."""
    first, second = sets.of(*one), sets.of(*other)
    split = sets.union(sets.difference(first, second), sets.intersection(first, second))
    assert split == first
    assert sets.union(first, second) == sets.union(second, first)


@given(twins, twins)
def test_nothing_is_changed_in_place(one: frozenset[Path], other: frozenset[Path]) -> None:
    first, second = sets.of(*one), sets.of(*other)
    for operation in (sets.union, sets.difference, sets.intersection, sets.recursive_difference):
        operation(first, second)
    assert as_set(first) == one
    assert as_set(second) == other
    assert sets.LEAF == {}


@given(twins)
def test_ordering_and_parsing_keep_the_set(twin: frozenset[Path]) -> None:
    fields = sets.of(*twin)
    assert sets.ordered(fields) == fields
    assert sets.parse(fields) == fields
    assert sets.shared(fields) == fields
    assert sets.shared(sets.of(*twin)) is sets.shared(fields)


def test_the_order_is_upstreams() -> None:
    fields: Fields = {
        'k:{"containerPort":443,"protocol":"TCP"}': {},
        'k:{"containerPort":80,"protocol":"UDP"}': {},
        'k:{"containerPort":80,"protocol":"TCP"}': {"f:protocol": {}, "f:name": {}, ".": {}},
    }
    ordered = sets.ordered({"f:ports": fields, "f:name": {}})
    assert list(ordered) == ["f:name", "f:ports"]
    assert list(ordered["f:ports"]) == [
        'k:{"containerPort":80,"protocol":"TCP"}',
        'k:{"containerPort":80,"protocol":"UDP"}',
        'k:{"containerPort":443,"protocol":"TCP"}',
    ]
    first = ordered["f:ports"]['k:{"containerPort":80,"protocol":"TCP"}']
    assert list(first) == [".", "f:name", "f:protocol"]


def test_paths_of_a_level_come_before_those_below() -> None:
    fields = sets.of(("f:b",), ("f:a", "f:c"), ("f:a",))
    assert list(sets.paths(fields)) == [("f:a",), ("f:b",), ("f:a", "f:c")]


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        pytest.param(
            {'k:{"protocol":"TCP","port":80}': {}},
            {'k:{"port":80,"protocol":"TCP"}': {}},
            id="keys-in-another-order",
        ),
        pytest.param({"f:a": {".": {}}}, {"f:a": {}}, id="a-lone-dot-is-a-leaf"),
        pytest.param({"x:new": {}, "f:a": {}}, {"f:a": {}}, id="unknown-sort-is-left-out"),
        pytest.param({'v: "x"': {}}, {'v:"x"': {}}, id="blanks-in-a-value"),
    ],
)
def test_what_clients_write_is_brought_into_form(sent: Any, meant: Fields) -> None:
    assert sets.parse(sent) == meant


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param([], id="a-list"),
        pytest.param({"f:a": 3}, id="a-number"),
        pytest.param({"a": {}}, id="no-colon"),
        pytest.param({"k:3": {}}, id="a-key-that-is-no-object"),
        pytest.param({"v:{": {}}, id="a-value-that-is-no-json"),
        pytest.param({"i:x": {}}, id="a-place-that-is-no-number"),
    ],
)
def test_what_is_no_set_is_refused(sent: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the texts are for nobody
        sets.parse(sent)

"""Fields of objects, and comparisons of two, by the published schema."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api.fields import sets
from podium.api.fields.extract import compare, fields_of
from podium.api.fields.shapes import shape_of

POD = shape_of("io.k8s.api.core.v1.Pod")
CONFIG_MAP = shape_of("io.k8s.api.core.v1.ConfigMap")
SERVICE = shape_of("io.k8s.api.core.v1.Service")


def spec(**members: Any) -> dict[str, Any]:
    return {"spec": members}


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        pytest.param({"data": {"a": "1"}}, {"f:data": {"f:a": {}}}, id="map-by-key"),
        pytest.param({"data": {}}, {"f:data": {}}, id="empty-map-is-a-field"),
        pytest.param({"data": None}, {"f:data": {}}, id="null-is-a-field"),
    ],
)
def test_fields_of_a_config_map(value: Any, fields: Any) -> None:
    assert fields_of(CONFIG_MAP, value) == fields


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        pytest.param(
            spec(containers=[{"name": "c", "image": "i"}]),
            {"f:containers": {'k:{"name":"c"}': {".": {}, "f:name": {}, "f:image": {}}}},
            id="list-by-key",
        ),
        pytest.param(
            spec(containers=[{"name": "c", "ports": [{"containerPort": 80}]}]),
            {
                "f:containers": {
                    'k:{"name":"c"}': {
                        ".": {},
                        "f:name": {},
                        "f:ports": {
                            'k:{"containerPort":80,"protocol":"TCP"}': {
                                ".": {},
                                "f:containerPort": {},
                            }
                        },
                    }
                }
            },
            id="key-with-a-default",
        ),
        pytest.param(spec(nodeSelector={"a": "b"}), {"f:nodeSelector": {}}, id="atomic-map"),
        pytest.param(spec(tolerations=[{"key": "k"}]), {"f:tolerations": {}}, id="atomic-list"),
        pytest.param(
            spec(imagePullSecrets=[{"name": "p"}]),
            {"f:imagePullSecrets": {'k:{"name":"p"}': {}}},
            id="items-that-are-atomic",
        ),
        pytest.param(spec(containers=[]), None, id="empty-list-by-key-is-nothing"),
    ],
)
def test_fields_of_a_pod(value: Any, fields: Any) -> None:
    assert fields_of(POD, value) == ({"f:spec": fields} if fields else {})


def test_values_of_a_set() -> None:
    value = {"metadata": {"finalizers": ["a/b"]}}
    assert fields_of(POD, value) == {"f:metadata": {"f:finalizers": {'v:"a/b"': {}}}}


def test_items_without_their_key_cannot_be_told_apart() -> None:
    with pytest.raises(ValueError, match='omits key field "name"'):
        fields_of(POD, spec(containers=[{"image": "i"}]))


def test_items_with_the_same_key_are_owned_together() -> None:
    twice = spec(ports=[{"port": 80, "name": "a"}, {"port": 80, "name": "b"}])
    element = 'k:{"port":80,"protocol":"TCP"}'
    assert fields_of(SERVICE, twice) == {"f:spec": {"f:ports": {element: {}}}}
    once = spec(ports=[{"port": 80, "name": "a"}])
    comparison = compare(SERVICE, once, twice)
    assert comparison.added == {"f:spec": {"f:ports": {element: {}}}}
    assert compare(SERVICE, twice, once).removed == {"f:spec": {"f:ports": {element: {}}}}
    other = spec(ports=[{"port": 80, "name": "a"}, {"port": 80, "name": "c"}])
    assert compare(SERVICE, twice, other).modified == {"f:spec": {"f:ports": {element: {}}}}


def test_what_is_new_is_owned_with_its_containers() -> None:
    comparison = compare(CONFIG_MAP, {}, {"data": {"a": "1"}})
    assert comparison.added == {"f:data": {".": {}, "f:a": {}}}
    assert not comparison.modified
    assert not comparison.removed


def test_what_was_there_empty_is_not_new() -> None:
    comparison = compare(POD, spec(containers=[]), spec(containers=[{"name": "c"}]))
    assert comparison.added == {
        "f:spec": {"f:containers": {'k:{"name":"c"}': {".": {}, "f:name": {}}}}
    }


_values = st.text("ab", max_size=1)
_containers = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from("cde")},
        optional={
            "image": _values,
            "args": st.lists(_values, max_size=2),
            "env": st.lists(
                st.fixed_dictionaries({"name": st.sampled_from("xy")}, optional={"value": _values}),
                max_size=2,
                unique_by=lambda item: item["name"],
            ),
            "securityContext": st.fixed_dictionaries({}, optional={"runAsUser": st.integers(0, 1)}),
        },
    ),
    max_size=3,
    unique_by=lambda item: item["name"],
)
pods = st.fixed_dictionaries(
    {
        "metadata": st.fixed_dictionaries(
            {},
            optional={
                "labels": st.dictionaries(st.sampled_from("ab"), _values),
                "finalizers": st.lists(st.sampled_from("fg"), unique=True),
            },
        ),
        "spec": st.fixed_dictionaries(
            {"containers": _containers},
            optional={"nodeSelector": st.dictionaries(_values, _values, max_size=1)},
        ),
    }
)


@given(pods)
def test_an_object_is_the_same_as_itself(pod: Any) -> None:
    assert compare(POD, pod, pod).is_same()


@given(pods, pods)
def test_gain_of_one_way_is_loss_of_the_other(one: Any, other: Any) -> None:
    there, back = compare(POD, one, other), compare(POD, other, one)
    assert there.added == back.removed
    assert there.removed == back.added
    assert there.modified == back.modified


@given(pods, pods)
def test_nothing_is_gained_and_changed_at_once(one: Any, other: Any) -> None:
    comparison = compare(POD, one, other)
    parts = (comparison.added, comparison.modified, comparison.removed)
    for first in range(3):
        for second in range(first):
            assert not sets.intersection(parts[first], parts[second])


@given(pods, pods)
def test_leaves_that_differ_are_told(one: Any, other: Any) -> None:
    """What is a field on one side only has come or gone."""
    comparison = compare(POD, one, other)
    new = sets.difference(fields_of(POD, other), fields_of(POD, one))
    told = sets.union(comparison.added, comparison.modified)
    assert not sets.difference(new, sets.union(told, empty_maps(other)))


@given(pods, pods)
def test_what_is_ignored_is_left_out(one: Any, other: Any) -> None:
    comparison = compare(POD, one, other).without(sets.of(("f:spec",)))
    assert "f:spec" not in comparison.touched()


def empty_maps(value: Any) -> sets.Fields:
    """Paths of empty maps, which are fields only as long as nothing is in them."""
    found = sets.EMPTY
    for path in sets.paths(fields_of(POD, value)):
        if path in {("f:metadata",), ("f:metadata", "f:labels"), ("f:spec",)}:
            found = sets.union(found, sets.of(path))
        if path[-1] == "f:securityContext":
            found = sets.union(found, sets.of(path))
    return found

"""Configurations merged into objects, and fields taken out of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from podium.api.fields import sets
from podium.api.fields.extract import fields_of
from podium.api.fields.merging import merge, remove, with_named_members
from podium.api.fields.shapes import shape_of

from .test_extract import POD, empty_maps, pods, spec

_SERVICE = shape_of("io.k8s.api.core.v1.Service")


def named(*names: str) -> Any:
    return spec(containers=[{"name": name} for name in names])


@pytest.mark.parametrize(
    ("live", "config", "merged"),
    [
        pytest.param("abc", "cxa", "bcxa", id="the-configuration-orders-what-it-names"),
        pytest.param("bcxa", "cba", "cxba", id="also-against-the-order-they-had"),
        pytest.param("abc", "", "abc", id="nothing-applied"),
        pytest.param("", "ab", "ab", id="nothing-there"),
        pytest.param("ab", "bc", "abc", id="new-ones-after-what-they-follow"),
        pytest.param("ab", "ab", "ab", id="the-same"),
        pytest.param("axb", "ab", "axb", id="others-stay-where-they-are"),
    ],
)
def test_the_order_of_items(live: str, config: str, merged: str) -> None:
    assert merge(POD, named(*live), named(*config)) == named(*merged)


def test_an_atomic_list_is_replaced() -> None:
    live, config = spec(tolerations=[{"key": "a"}]), spec(tolerations=[{"key": "b"}])
    assert merge(POD, live, config) == config


def test_a_null_in_a_configuration_leaves_containers_alone() -> None:
    live = {"metadata": {"labels": {"a": "b"}}}
    assert merge(POD, live, {"metadata": {"labels": None}}) == live


def test_what_nothing_tells_apart_stays_as_often_as_it_is_there() -> None:
    live = spec(ports=[{"port": 80, "name": "a"}, {"port": 80, "name": "b"}])
    assert merge(_SERVICE, live, spec(type="ClusterIP")) == {
        "spec": {**live["spec"], "type": "ClusterIP"}
    }


def test_removing_takes_paths_and_what_is_below() -> None:
    live = spec(containers=[{"name": "c", "image": "i", "args": ["x"]}, {"name": "d"}])
    item = ("f:spec", "f:containers", 'k:{"name":"c"}')
    assert remove(POD, live, sets.of(item)) == named("d")
    expected = spec(containers=[{"name": "c", "args": ["x"]}, {"name": "d"}])
    assert remove(POD, live, sets.of((*item, "f:image"))) == expected


def test_fields_above_owned_ones_are_kept_but_items_are_not() -> None:
    fields = sets.of(("f:spec", "f:containers", 'k:{"name":"c"}', "f:image"))
    kept = with_named_members(POD, fields)
    assert sets.has(kept, ("f:spec",))
    assert sets.has(kept, ("f:spec", "f:containers"))
    assert not sets.has(kept, ("f:spec", "f:containers", 'k:{"name":"c"}'))


@given(pods, pods)
def test_everything_applied_is_there_afterwards(live: Any, config: Any) -> None:
    merged = merge(POD, live, config)
    wanted = fields_of(POD, config)
    assert not sets.difference(wanted, sets.union(fields_of(POD, merged), empty_maps(config)))
    assert merge(POD, merged, config) == merged


@given(pods, pods)
def test_nothing_that_was_there_is_lost(live: Any, config: Any) -> None:
    merged = merge(POD, live, config)
    lost = sets.difference(fields_of(POD, live), fields_of(POD, merged))
    assert not sets.difference(lost, empty_maps(live))


@given(pods)
def test_an_object_merged_with_itself_is_itself(pod: Any) -> None:
    assert merge(POD, pod, pod) == pod


@given(pods)
def test_taking_everything_leaves_nothing(pod: Any) -> None:
    fields = with_named_members(POD, fields_of(POD, pod))
    assert not fields_of(POD, remove(POD, pod, fields) or {})

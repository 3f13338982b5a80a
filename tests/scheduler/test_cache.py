"""Nodes with the Pods that are there or on their way."""

from __future__ import annotations

import msgspec

from podium.api.types.core_v1 import Node, Pod
from podium.domain.scheduling.node_info import PodDemand
from podium.scheduler.cache import NodeCache


def make_pod(uid: str, node: str = "") -> Pod:
    container = {"name": "c", "resources": {"requests": {"cpu": "1"}}}
    spec = {"containers": [container], "nodeName": node}
    return msgspec.convert({"metadata": {"name": uid, "uid": uid}, "spec": spec}, Pod)


def make_node(name: str) -> Node:
    return msgspec.convert({"metadata": {"name": name}}, Node)


def used(cache: NodeCache) -> dict[str, int]:
    return {info.name: info.requested.get("cpu", 0) for info in cache.nodes()}


def test_an_assumed_pod_counts_before_the_api_has_heard_of_it():
    cache = NodeCache()
    cache.set_node(make_node("a"))
    cache.assume(PodDemand(make_pod("p")), "a")
    assert cache.is_assumed("p")
    assert used(cache) == {"a": 1000}
    cache.confirm(make_pod("p", "a"))
    assert not cache.is_assumed("p")
    assert used(cache) == {"a": 1000}


def test_a_pod_that_went_elsewhere_leaves_where_it_was_assumed():
    cache = NodeCache()
    cache.set_node(make_node("a"))
    cache.set_node(make_node("b"))
    cache.assume(PodDemand(make_pod("p")), "a")
    cache.confirm(make_pod("p", "b"))
    assert used(cache) == {"a": 0, "b": 1000}


def test_pods_may_be_known_before_their_node():
    cache = NodeCache()
    cache.confirm(make_pod("p", "a"))
    cache.confirm(make_pod("q", "a"))
    assert cache.forget("q") is None
    cache.set_node(make_node("a"))
    assert used(cache) == {"a": 1000}
    cache.remove_node("a")
    cache.set_node(make_node("a"))
    assert used(cache) == {"a": 1000}


def test_a_forgotten_pod_makes_room_where_it_was():
    cache = NodeCache()
    info = cache.set_node(make_node("a"))
    cache.assume(PodDemand(make_pod("p")), "a")
    assert cache.forget("p") is info
    assert used(cache) == {"a": 0}
    assert cache.forget("p") is None

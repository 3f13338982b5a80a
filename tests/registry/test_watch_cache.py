"""The cache keeps the bytes of all objects, and few of them decoded."""

from __future__ import annotations

import pytest

from podium.api.scheme import PODS
from podium.registry import watch_cache
from podium.registry.predicate import Predicate
from podium.registry.types import ListOptions
from podium.registry.watch_cache import WatchCache
from podium.store.port import Event
from support.registries import pod


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch) -> WatchCache:
    """Five Pods, of which two are kept decoded."""
    monkeypatch.setattr(watch_cache, "_DECODED", 2)
    cache = WatchCache(PODS)
    for number in range(5):
        made = pod(f"p{number}", node=f"n{number % 2}", labels={"odd": str(number % 2)})
        made.metadata.namespace = "default"
        key = f"{cache.prefix}default/p{number}"
        cache.apply(Event(key, number + 1, cache.encode(made), None))
    return cache


def test_an_object_is_decoded_anew_and_then_kept(cache: WatchCache) -> None:
    first = cache.get("default", "p0")
    assert first is not None
    shown = first.obj
    assert shown == cache.copy(first)
    assert shown.metadata.resource_version == "1"
    assert first.obj is shown
    for name in ("p3", "p4"):
        other = cache.get("default", name)
        assert other is not None
        assert other.obj.metadata.name == name
    assert first.obj is not shown
    assert first.obj == shown


@pytest.mark.parametrize(
    ("labels", "fields", "names"),
    [
        pytest.param("odd=1", "", ["p1", "p3"], id="label"),
        pytest.param("", "spec.nodeName=n0", ["p0", "p2", "p4"], id="index"),
        pytest.param("", "metadata.name!=p1", ["p0", "p2", "p3", "p4"], id="field"),
        pytest.param("", "status.phase=Running", [], id="nothing"),
    ],
)
def test_selectors_need_no_decoded_object(
    cache: WatchCache, labels: str, fields: str, names: list[str]
) -> None:
    options = ListOptions(label_selector=labels, field_selector=fields)
    found = cache.select(Predicate(PODS, "default", options))
    assert [stored.fields["metadata.name"] for stored in found] == names


def test_an_index_follows_what_is_no_longer_decoded(cache: WatchCache) -> None:
    key = f"{cache.prefix}default/p0"
    moved = pod("p0", node="n1")
    moved.metadata.namespace = "default"
    cache.apply(Event(key, 6, cache.encode(moved), None))
    cache.apply(Event(f"{cache.prefix}default/p2", 7, None, None))
    for node, names in (("n0", ["p4"]), ("n1", ["p0", "p1", "p3"])):
        options = ListOptions(field_selector=f"spec.nodeName={node}")
        found = cache.select(Predicate(PODS, "", options))
        assert [stored.fields["metadata.name"] for stored in found] == names

"""A controller waits until its informer shows what it has written."""

from __future__ import annotations

from podium.api.types.core_v1 import ConfigMap
from podium.api.types.meta_v1 import ObjectMeta
from podium.controllers.written import Written
from podium.kit.clock import VirtualClock


def obj(uid: str, version: int) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(uid=uid, resource_version=str(version)))


def test_what_is_not_shown_yet_is_waited_for():
    written = Written(VirtualClock())
    assert written.is_in("k", [])
    written.note("k", obj("a", 7))
    assert not written.is_in("k", [])
    assert not written.is_in("k", [obj("a", 6)])
    assert written.is_in("other", [])
    assert written.is_in("k", [obj("a", 7)])
    assert written.is_in("k", [])  # seen once; that it is gone since is news of its own


def test_what_is_deleted_is_not_shown_any_more():
    written = Written(VirtualClock())
    written.note("k", obj("a", 7))
    written.drop("k", obj("a", 7))
    assert not written.is_in("k", [obj("a", 7)])
    assert written.is_in("k", [])


async def test_nothing_is_waited_for_forever():
    clock = VirtualClock()
    written = Written(clock)
    written.note("k", obj("a", 7))
    await clock.advance(Written.PATIENCE - 0.1)
    assert not written.is_in("k", [])
    await clock.advance(0.2)
    assert written.is_in("k", [])

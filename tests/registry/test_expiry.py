"""Events expire; the history is compacted; all else stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from podium.api.errors import ApiError
from podium.api.scheme import CONFIGMAPS, EVENTS
from podium.api.types.core_v1 import Event, ObjectReference
from podium.api.types.meta_v1 import DeleteOptions, ObjectMeta
from podium.kit.clock import VirtualClock
from podium.registry import compaction
from podium.registry.patching import MERGE_PATCH
from podium.registry.registry import Registry
from podium.registry.types import ListOptions
from podium.store.memory import MemoryStore
from podium.store.port import Compacted, Entry, StoreFailed
from support.registries import config_map, context, serving

HOUR = {EVENTS: 3600.0}


async def test_an_event_goes_an_hour_after_it_was_written() -> None:
    clock = VirtualClock()
    async with serving(clock=clock, time_to_live=HOUR) as registry:
        await _create(registry, "a")
        await registry.create(CONFIGMAPS, "default", config_map("stays"), context())
        await clock.advance(1800)
        await _create(registry, "b")
        await clock.advance(1799)
        assert await _names(registry) == ["a", "b"]
        await clock.advance(1)
        assert await _names(registry) == ["b"]
        await clock.advance(1800)
        assert await _names(registry) == []
        assert await registry.read(CONFIGMAPS, "default", "stays") is not None


async def test_a_write_lets_an_event_live_on() -> None:
    clock = VirtualClock()
    async with serving(clock=clock, time_to_live=HOUR) as registry:
        await _create(registry, "a")
        await _create(registry, "b")
        await clock.advance(3000)
        await registry.patch(EVENTS, "default", "a", {"count": 2}, MERGE_PATCH, context())
        await clock.advance(600)
        assert await _names(registry) == ["a"]
        await clock.advance(2999)
        assert await _names(registry) == ["a"]
        await clock.advance(1)
        assert await _names(registry) == []


async def test_an_event_that_was_deleted_and_made_again_lives_its_own_hour() -> None:
    clock = VirtualClock()
    async with serving(clock=clock, time_to_live=HOUR) as registry:
        await _create(registry, "a")
        await clock.advance(3000)
        await registry.delete(EVENTS, "default", "a", DeleteOptions(), context())
        await _create(registry, "a")
        await clock.advance(3599)
        assert await _names(registry) == ["a"]
        await clock.advance(1)
        assert await _names(registry) == []


async def test_more_events_than_are_removed_at_a_time() -> None:
    clock = VirtualClock()
    async with serving(clock=clock, time_to_live=HOUR) as registry:
        for number in range(250):
            await _create(registry, f"e{number}")
        await clock.advance(3600, settle=200)
        assert await _names(registry) == []


async def test_after_a_restart_events_go_when_they_say_they_were_written() -> None:
    store, clock = MemoryStore(), VirtualClock()
    async with serving(store, clock) as registry:
        await _create(registry, "created")
        await clock.advance(1000)
        await _create(registry, "seen", last=1000)
        await clock.advance(1000)
    async with serving(store, clock, time_to_live=HOUR) as registry:
        await clock.advance(1599)
        assert await _names(registry) == ["created", "seen"]
        await clock.advance(1)
        assert await _names(registry) == ["seen"]
        await clock.advance(1000)
        assert await _names(registry) == []


async def test_what_is_overdue_at_start_goes_at_once() -> None:
    store, clock = MemoryStore(), VirtualClock()
    async with serving(store, clock) as registry:
        await _create(registry, "old")
    await clock.advance(100_000)
    async with serving(store, clock, time_to_live=HOUR) as registry:
        await clock.advance(0.001)
        assert await _names(registry) == []


async def test_history_is_kept_for_an_interval_and_no_longer_than_two() -> None:
    store, clock = MemoryStore(), VirtualClock()
    async with serving(store, clock) as registry:
        await registry.create(CONFIGMAPS, "default", config_map("a", k="0"), context())
        await clock.advance(compaction.INTERVAL - 1)
        await registry.create(CONFIGMAPS, "default", config_map("b"), context())
        await clock.advance(1)
        assert (await store.list("/", revision=1)).revision == 1
        await clock.advance(compaction.INTERVAL)
        with pytest.raises(Compacted):
            await store.list("/", revision=1)
        assert (await store.list("/", revision=2)).revision == 2


async def _create(registry: Registry, name: str, last: float | None = None) -> None:
    event = Event(
        metadata=ObjectMeta(name=name),
        involved_object=ObjectReference(kind="Pod", namespace="default", name="p"),
        type="Normal",
        reason="Tested",
    )
    if last is not None:
        event.last_timestamp = VirtualClock().now() + timedelta(seconds=last)
    await registry.create(EVENTS, "default", event, context())


async def _names(registry: Registry) -> list[str]:
    listed = await registry.list(EVENTS, "", ListOptions())
    return [stored.obj.metadata.name for stored in listed.items]


async def test_when_the_store_cannot_write_removal_is_tried_again() -> None:
    store, clock = Failing(), VirtualClock()
    async with serving(store, clock, time_to_live=HOUR) as registry:
        await _create(registry, "a")
        store.broken = True
        await clock.advance(3600)
        assert await _names(registry) == ["a"]
        store.broken = False
        await clock.advance(5)
        assert await _names(registry) == []


class Failing(MemoryStore):
    """A store on a medium that refuses deletions for a while."""

    broken = False

    async def delete(self, key: str, expected: int) -> Entry:
        if self.broken:
            raise StoreFailed("the disk is full")
        return await super().delete(key, expected)


async def test_a_new_store_soon_forgets_its_first_revisions() -> None:
    clock = VirtualClock()
    async with serving(clock=clock) as registry:
        for name in "abcd":
            await registry.create(CONFIGMAPS, "default", config_map(name), context())
        await clock.advance(1)
        exact = ListOptions(resource_version="1", resource_version_match="Exact")
        with pytest.raises(ApiError) as refused:
            await registry.list(CONFIGMAPS, "default", exact)
        assert refused.value.code == 410
        assert str(refused.value) == "The resourceVersion for the provided list is too old."
        options = ListOptions(resource_version="1")
        async with registry.watch(CONFIGMAPS, "default", options) as stream:
            (event,) = await stream.batch()
        assert event.type == "ERROR"
        assert b"too old resource version: 1 (3)" in event.data

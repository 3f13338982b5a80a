"""The caches follow the store: after a start, when they fall behind, and until it closes."""

from __future__ import annotations

import asyncio
import gc
import json
from pathlib import Path

from podium.api.errors import ApiError
from podium.api.scheme import CONFIGMAPS, PODS
from podium.kit.clock import SystemClock, VirtualClock
from podium.registry.registry import Registry
from podium.registry.types import ListOptions
from podium.store.feed import Feed
from podium.store.memory import MemoryStore
from podium.store.sqlite import SqliteStore
from support.registries import KINDS, config_map, context, pod, serving, take


async def test_what_was_stored_is_served_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = SqliteStore.open(path)
    async with serving(store, SystemClock()) as registry:
        made = await registry.create(PODS, "default", pod("p", node="n"), context())
        await registry.create(CONFIGMAPS, "default", config_map("c", k="v"), context())
    await store.close()
    store = SqliteStore.open(path)
    async with serving(store, SystemClock()) as registry:
        assert (await registry.get(PODS, "default", "p")).data == made.data
        by_node = ListOptions(field_selector="spec.nodeName=n")
        assert len((await registry.list(PODS, "", by_node)).items) == 1
        listed = await registry.list(CONFIGMAPS, "default", ListOptions())
        assert listed.items[0].obj.data == {"k": "v"}
        assert listed.resource_version == "2"
    await store.close()


async def test_more_objects_than_are_read_at_a_time() -> None:
    store = MemoryStore()
    async with serving(store) as registry:
        for number in range(1203):
            await registry.create(CONFIGMAPS, "default", config_map(f"c{number:04}"), context())
    enabled = gc.isenabled()
    async with serving(store) as registry:
        listed = await registry.list(CONFIGMAPS, "default", ListOptions())
        assert [one.obj.metadata.name for one in listed.items] == [
            f"c{number:04}" for number in range(1203)
        ]
    assert gc.isenabled() is enabled


async def test_caches_that_fall_behind_catch_up_from_the_history() -> None:
    store = MemoryStore(Feed(max_events=5))
    async with serving(store) as registry:
        async with registry.watch(CONFIGMAPS, "default", ListOptions()) as stream:
            for number in range(50):  # the feeder gets no turn in between
                await store.create(f"/registry/configmaps/default/c{number}", _value(number))
            events = await take(stream, 50)
        assert [event.stored.revision for event in events if event.stored] == list(range(1, 51))
        assert len((await registry.list(CONFIGMAPS, "", ListOptions())).items) == 50


async def test_keys_of_no_resource_are_passed_over() -> None:
    store = MemoryStore()
    async with serving(store) as registry:
        for key in ("/registry/unknown/a", "/registry/services/unknown/x", "/registry/x"):
            await store.create(key, b"{}")
        await registry.create(CONFIGMAPS, "default", config_map("a"), context())
        listed = await registry.list(CONFIGMAPS, "default", ListOptions())
        assert listed.resource_version == "4"


async def test_nobody_is_kept_waiting_for_what_never_comes() -> None:
    clock = VirtualClock()
    async with serving(clock=clock) as registry:
        ahead = ListOptions(resource_version="99999999999")
        waiting = [
            asyncio.ensure_future(registry.list(CONFIGMAPS, "default", ahead)) for _ in range(3)
        ]
        await clock.advance(1)
        waiting[0].cancel()
        await clock.advance(2)
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        codes = [one.code for one in outcomes if isinstance(one, ApiError)]
        assert codes == [504, 504]
        assert registry._feeder._waiting == []


async def test_a_store_that_closes_ends_the_feed() -> None:
    store = MemoryStore()
    registry = Registry(store, (), VirtualClock(), resources=KINDS)
    await registry.start()
    feeding = asyncio.ensure_future(registry._feeder.run())
    await asyncio.sleep(0)
    await store.close()
    await asyncio.wait_for(feeding, 60)


def _value(number: int) -> bytes:
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"c{number}", "namespace": "default"},
        },
        separators=(",", ":"),
    ).encode()

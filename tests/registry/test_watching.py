"""Watches: what they tell, from when on, under which selector, and how they end."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from unittest.mock import patch

import pytest

from podium.api.errors import ApiError
from podium.api.scheme import CONFIGMAPS, NODES, PODS
from podium.api.types.core_v1 import Node
from podium.api.types.meta_v1 import DeleteOptions, ObjectMeta
from podium.kit.clock import VirtualClock
from podium.registry import watcher
from podium.registry.patching import MERGE_PATCH
from podium.registry.registry import Registry
from podium.registry.types import ListOptions, WatchEvent
from podium.registry.watching import WatchStream
from podium.store import sqlite
from podium.store.memory import MemoryStore
from podium.store.sqlite import SqliteStore
from support.registries import config_map, context, pod, said, serving, take, text


async def test_a_watch_from_nowhere_tells_what_is_there_and_what_comes() -> None:
    async with serving() as registry:
        await _create(registry, "a")
        async with registry.watch(CONFIGMAPS, "default", ListOptions()) as stream:
            assert await _say(stream, 1) == [("ADDED", "a")]
            await _create(registry, "b")
            await _change(registry, "a", "2")
            await _delete(registry, "b")
            assert await _say(stream, 3) == [("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "b")]


@pytest.mark.parametrize("version", ["", "0"])
async def test_zero_tells_what_is_there_too(version: str) -> None:
    async with serving() as registry:
        await _create(registry, "a")
        await registry.list(CONFIGMAPS, "default", ListOptions())
        options = ListOptions(resource_version=version)
        async with registry.watch(CONFIGMAPS, "default", options) as stream:
            assert await _say(stream, 1) == [("ADDED", "a")]


async def test_a_watch_from_a_revision_tells_what_came_after_it() -> None:
    async with serving() as registry:
        await _create(registry, "a")
        await _create(registry, "b")
        await _delete(registry, "a")
        options = ListOptions(resource_version="1")
        async with registry.watch(CONFIGMAPS, "default", options) as stream:
            assert await _say(stream, 2) == [("ADDED", "b"), ("DELETED", "a")]
            await _create(registry, "c")
            assert await _say(stream, 1) == [("ADDED", "c")]


async def test_a_list_and_a_watch_from_it_miss_and_repeat_nothing() -> None:
    async with serving() as registry:
        await _create(registry, "a")
        listed = await registry.list(CONFIGMAPS, "default", ListOptions())
        await _create(registry, "b")
        options = ListOptions(resource_version=listed.resource_version)
        async with registry.watch(CONFIGMAPS, "default", options) as stream:
            assert await _say(stream, 1) == [("ADDED", "b")]


async def test_an_event_carries_the_object_as_a_get_returns_it() -> None:
    async with serving() as registry:
        await _create(registry, "a")
        async with registry.watch(CONFIGMAPS, "default", ListOptions()) as stream:
            (event,) = await take(stream, 1)
        stored = await registry.get(CONFIGMAPS, "default", "a")
        assert event.data == stored.data
        assert json.loads(event.line) == {"type": "ADDED", "object": json.loads(stored.data)}
        assert event.line.endswith(b"\n")


async def test_a_deleted_object_is_told_in_its_last_state_at_the_deletion() -> None:
    async with serving() as registry:
        await _create(registry, "a")
        await _change(registry, "a", "last")
        async with registry.watch(
            CONFIGMAPS, "default", ListOptions(resource_version="2")
        ) as stream:
            await _delete(registry, "a")
            (event,) = await take(stream, 1)
        told = json.loads(event.data)
        assert told["data"] == {"k": "last"}
        assert told["metadata"]["resourceVersion"] == "3"


# ---------------------------------------------------------------------- what concerns a watch


async def test_an_object_that_begins_to_match_is_added_and_one_that_stops_is_deleted() -> None:
    async with serving() as registry:
        options = ListOptions(label_selector="app=x")
        async with registry.watch(CONFIGMAPS, "default", options) as stream:
            await _create(registry, "a")
            await _label(registry, "a", "x")
            await _change(registry, "a", "2")
            await _label(registry, "a", "y")
            await _change(registry, "a", "3")
            await _label(registry, "a", "x")
            await _delete(registry, "a")
            events = await take(stream, 5)
        assert [said(event)[0] for event in events] == [
            "ADDED",
            "MODIFIED",
            "DELETED",
            "ADDED",
            "DELETED",
        ]
        out = json.loads(events[2].data)
        assert out["metadata"]["labels"] == {"app": "x"}  # as it was when it matched
        assert out["metadata"]["resourceVersion"] == "4"


async def test_a_watch_of_a_namespace_one_of_an_object_and_one_of_everything() -> None:
    async with serving() as registry:
        by_field = ListOptions(field_selector="metadata.name=a")
        async with (
            registry.watch(CONFIGMAPS, "one", ListOptions()) as namespace,
            registry.watch(CONFIGMAPS, "one", ListOptions(), name="a") as name,
            registry.watch(CONFIGMAPS, "", by_field) as field,
            registry.watch(CONFIGMAPS, "", ListOptions()) as everything,
        ):
            for where, what in (("one", "b"), ("two", "a"), ("one", "a"), ("two", "b")):
                await registry.create(CONFIGMAPS, where, config_map(what), context())
            await registry.create(CONFIGMAPS, "one", config_map("z"), context())
            assert [e[1] for e in await _say(namespace, 3)] == ["b", "a", "z"]
            assert [e[1] for e in await _say(name, 1)] == ["a"]
            assert [e[1] for e in await _say(field, 2)] == ["a", "a"]
            assert [e[1] for e in await _say(everything, 5)] == ["b", "a", "a", "b", "z"]


async def test_a_watch_of_one_object_of_the_cluster() -> None:
    async with serving() as registry:
        options = ListOptions(field_selector="metadata.name=b")
        async with registry.watch(NODES, "", options) as stream:
            for name in ("a", "b"):
                await registry.create(NODES, "", Node(metadata=ObjectMeta(name=name)), context())
            assert await _say(stream, 1) == [("ADDED", "b")]


async def test_a_kubelets_watch_is_told_of_its_own_pods_only() -> None:
    async with serving() as registry:
        await registry.create(PODS, "default", pod("there", node="mine"), context())
        options = ListOptions(field_selector="spec.nodeName=mine")
        async with registry.watch(PODS, "", options) as stream:
            await registry.create(PODS, "default", pod("other", node="theirs"), context())
            await registry.create(PODS, "default", pod("new", node="mine"), context())
            assert await _say(stream, 2) == [("ADDED", "there"), ("ADDED", "new")]


async def test_a_change_is_offered_only_to_the_watchers_whose_index_it_touches() -> None:
    async with serving() as registry:
        offered = 0
        original = watcher.Watcher.offer

        def counting(self: watcher.Watcher, change: object) -> None:
            nonlocal offered
            offered += 1
            original(self, change)  # type: ignore[arg-type]

        streams = [
            registry.watch(PODS, "", ListOptions(field_selector=f"spec.nodeName=n{number}"))
            for number in range(50)
        ]
        for stream in streams:
            await stream.__aenter__()
        with patch.object(watcher.Watcher, "offer", counting):
            await registry.create(PODS, "default", pod("p", node="n7"), context())
            await registry.list(PODS, "", ListOptions())
        assert offered == 1
        for stream in streams:
            await stream.__aexit__(None, None, None)


async def test_a_watch_that_ended_is_forgotten() -> None:
    async with serving() as registry:
        async with registry.watch(CONFIGMAPS, "default", ListOptions()):
            assert len(_watchers(registry)) == 1
        assert len(_watchers(registry)) == 0


def _watchers(registry: Registry) -> watcher.Watchers:
    return registry._kinds[CONFIGMAPS].cache.watchers


# ---------------------------------------------------------------------- the past


async def test_a_past_that_the_cache_has_forgotten_comes_from_the_store() -> None:
    async with serving() as registry:
        await _create(registry, "a")
        for number in range(400):
            await _change(registry, "a", str(number))
        await registry.create(PODS, "default", pod("other"), context())
        options = ListOptions(resource_version="1")
        async with registry.watch(CONFIGMAPS, "default", options) as stream:
            events = await take(stream, 400)
            await _change(registry, "a", "last")
            events += await take(stream, 1)
        assert [event.stored.revision for event in events if event.stored] == [
            *range(2, 402),
            403,
        ]


async def test_a_restarted_registry_lets_watches_resume() -> None:
    store = MemoryStore()
    async with serving(store) as registry:
        await _create(registry, "a")
        await _change(registry, "a", "2")
        await _create(registry, "b")
    async with serving(store) as registry:
        options = ListOptions(resource_version="1")
        async with registry.watch(CONFIGMAPS, "default", options) as stream:
            await _create(registry, "c")
            assert await _say(stream, 3) == [("MODIFIED", "a"), ("ADDED", "b"), ("ADDED", "c")]


async def test_a_past_that_is_compacted_is_an_error_event_and_the_end() -> None:
    store = MemoryStore()
    async with serving(store) as registry:
        await _create(registry, "a")
        await _change(registry, "a", "2")
        await _change(registry, "a", "3")
        await store.compact(3)
    async with serving(store) as registry:
        options = ListOptions(resource_version="1")
        async with registry.watch(CONFIGMAPS, "default", options) as stream:
            events = [event async for event in stream]
    assert [event.type for event in events] == ["ERROR"]
    status = json.loads(events[0].data)
    assert (status["code"], status["reason"], status["message"]) == (
        410,
        "Expired",
        "too old resource version: 1 (3)",
    )
    assert status["kind"] == "Status"


async def test_a_revision_that_lies_ahead_is_waited_for() -> None:
    async with serving() as registry:
        options = ListOptions(resource_version="2")
        async with registry.watch(CONFIGMAPS, "default", options) as stream:
            for name in ("a", "b", "c"):
                await _create(registry, name)
            assert await _say(stream, 1) == [("ADDED", "c")]


# ---------------------------------------------------------------------- bookmarks, initial events


async def test_bookmarks_come_every_minute_and_name_the_revision_reached() -> None:
    clock = VirtualClock()
    async with serving(clock=clock) as registry:
        await _create(registry, "a")
        options = ListOptions(allow_watch_bookmarks=True)
        async with registry.watch(CONFIGMAPS, "default", options) as stream:
            await take(stream, 1)
            await registry.create(PODS, "default", pod("p"), context())
            for _ in range(2):
                event = await _next_after(stream, clock, 60)
                assert json.loads(event.data) == {
                    "kind": "ConfigMap",
                    "apiVersion": "v1",
                    "metadata": {"resourceVersion": "2", "creationTimestamp": None},
                }
                assert event.type == "BOOKMARK"


async def test_no_bookmarks_unless_asked_for() -> None:
    clock = VirtualClock()
    async with (
        serving(clock=clock) as registry,
        registry.watch(CONFIGMAPS, "default", ListOptions()) as stream,
    ):
        reading = asyncio.ensure_future(anext(stream))
        await clock.advance(600)
        assert not reading.done()
        await _create(registry, "a")
        assert said(await reading) == ("ADDED", "a")


async def test_a_watch_ends_with_its_timeout_and_a_bookmark_shortly_before() -> None:
    clock = VirtualClock()
    async with serving(clock=clock) as registry:
        options = ListOptions(allow_watch_bookmarks=True, timeout_seconds=10)
        async with registry.watch(CONFIGMAPS, "default", options) as stream:
            await _next_after(stream, clock, 8)
            ending = asyncio.ensure_future(stream.batch())
            await clock.advance(1.9)
            assert not ending.done()
            await clock.advance(0.1)
            assert await ending == ()


async def test_a_watch_that_was_held_up_ends_with_its_bookmark_all_the_same() -> None:
    """As where its reader is slow, or the machine: who resumes from it need not be told again."""
    clock = VirtualClock()
    async with serving(clock=clock) as registry:
        await _create(registry, "a")
        options = ListOptions(allow_watch_bookmarks=True, timeout_seconds=10)
        async with registry.watch(CONFIGMAPS, "default", options) as stream:
            assert [event.type for event in await stream.batch()] == ["ADDED"]
            await clock.advance(11)
            assert [event.type for event in await stream.batch()] == ["BOOKMARK"]
            assert await stream.batch() == ()


async def test_a_watch_that_is_never_idle_has_bookmarks_and_an_end() -> None:
    clock = VirtualClock()
    async with serving(clock=clock) as registry:
        options = ListOptions(allow_watch_bookmarks=True, timeout_seconds=120)
        told = []
        async with registry.watch(CONFIGMAPS, "default", options) as stream:
            for number in range(12):
                await _create(registry, f"n{number:02}")
                await registry.list(CONFIGMAPS, "default", ListOptions())  # it is on its way
                told.append([event.type for event in await stream.batch()])
                await clock.advance(20)
        assert told == [
            *([["ADDED"]] * 3),
            ["ADDED", "BOOKMARK"],
            ["ADDED"],
            ["ADDED"],
            ["ADDED", "BOOKMARK"],  # told with the end of the watch
            *([[]] * 5),
        ]


async def test_initial_events_end_with_a_bookmark_that_says_so() -> None:
    async with serving() as registry:
        await _create(registry, "a")
        options = ListOptions(
            send_initial_events=True,
            resource_version_match="NotOlderThan",
            allow_watch_bookmarks=True,
        )
        async with registry.watch(CONFIGMAPS, "default", options) as stream:
            events = await take(stream, 2)
            await _create(registry, "b")
            events += await take(stream, 1)
        assert [event.type for event in events] == ["ADDED", "BOOKMARK", "ADDED"]
        metadata = json.loads(events[1].data)["metadata"]
        assert metadata["annotations"] == {"k8s.io/initial-events-end": "true"}
        assert metadata["resourceVersion"] == "1"


async def test_a_bookmark_is_an_object_with_nothing_set() -> None:
    """As Go writes one: a list that is always there is null."""
    async with serving() as registry:
        options = ListOptions(
            send_initial_events=True,
            resource_version_match="NotOlderThan",
            allow_watch_bookmarks=True,
        )
        async with registry.watch(PODS, "default", options) as stream:
            [event] = await take(stream, 1)
    pod = json.loads(event.data)
    assert pod.pop("metadata")["resourceVersion"] == "0"
    assert pod == {"kind": "Pod", "apiVersion": "v1", "spec": {"containers": None}, "status": {}}


async def test_initial_events_of_a_revision_that_lies_ahead_are_an_error() -> None:
    clock = VirtualClock()
    async with serving(clock=clock) as registry:
        options = ListOptions(
            send_initial_events=True,
            resource_version_match="NotOlderThan",
            resource_version="99",
        )

        async def told() -> list[tuple[str, str]]:
            async with registry.watch(CONFIGMAPS, "default", options) as stream:
                return [(event.type, json.loads(event.data)["message"]) async for event in stream]

        watching = asyncio.ensure_future(told())
        await clock.advance(3)
        assert await watching == [("ERROR", "Timeout: Too large resource version: 99, current: 0")]


async def test_without_initial_events_a_watch_starts_now() -> None:
    async with serving() as registry:
        await _create(registry, "a")
        options = ListOptions(send_initial_events=False, resource_version_match="NotOlderThan")
        async with registry.watch(CONFIGMAPS, "default", options) as stream:
            await _create(registry, "b")
            assert await _say(stream, 1) == [("ADDED", "b")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            ListOptions(resource_version_match="NotOlderThan"),
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless "
            "sendInitialEvents is provided",
            id="match-alone",
        ),
        pytest.param(
            ListOptions(send_initial_events=True),
            "resourceVersionMatch: Forbidden: sendInitialEvents requires setting "
            "resourceVersionMatch to NotOlderThan",
            id="initial-events-alone",
        ),
    ],
)
async def test_invalid_options(options: ListOptions, message: str) -> None:
    async with serving() as registry:
        with pytest.raises(ApiError) as refused:
            async with registry.watch(CONFIGMAPS, "default", options):
                pass
    assert text(refused.value) == (
        422,
        "Invalid",
        f'ListOptions.meta.k8s.io "" is invalid: {message}',
    )


# ---------------------------------------------------------------------- many, slow


async def test_a_watcher_that_does_not_read_is_cut_off_and_may_resume() -> None:
    with patch.object(
        watcher.Watcher.__init__, "__kwdefaults__", {"max_events": 5, "max_bytes": 10**6}
    ):
        async with serving() as registry:
            async with registry.watch(CONFIGMAPS, "default", ListOptions()) as stream:
                for number in range(10):
                    await _create(registry, f"n{number}")
                await registry.list(CONFIGMAPS, "default", ListOptions())
                assert [event async for event in stream] == []
            options = ListOptions(resource_version="6")
            async with registry.watch(CONFIGMAPS, "default", options) as stream:
                assert len(await take(stream, 4)) == 4


async def test_a_store_that_closes_ends_watches_of_the_past(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_HISTORY_BATCH", 5)
    store = SqliteStore.open(tmp_path / "state.db")
    async with serving(store) as registry:
        await _create(registry, "a")
        for number in range(20):
            await _change(registry, "a", str(number))
    async with serving(store) as registry:  # one whose cache has not seen that past
        options = ListOptions(resource_version="1")
        async with registry.watch(CONFIGMAPS, "default", options) as stream:
            assert len(await stream.batch()) == 5
            await store.close()
            assert await stream.batch() == ()


async def test_all_watchers_of_the_same_share_one_event() -> None:
    async with (
        serving() as registry,
        registry.watch(CONFIGMAPS, "default", ListOptions()) as one,
        registry.watch(CONFIGMAPS, "", ListOptions()) as other,
    ):
        await _create(registry, "a")
        (first,), (second,) = await take(one, 1), await take(other, 1)
        assert first is second


async def _create(registry: Registry, name: str) -> None:
    await registry.create(CONFIGMAPS, "default", config_map(name), context())


async def _change(registry: Registry, name: str, value: str) -> None:
    change = {"data": {"k": value}}
    await registry.patch(CONFIGMAPS, "default", name, change, MERGE_PATCH, context())


async def _label(registry: Registry, name: str, value: str) -> None:
    change = {"metadata": {"labels": {"app": value}}}
    await registry.patch(CONFIGMAPS, "default", name, change, MERGE_PATCH, context())


async def _delete(registry: Registry, name: str) -> None:
    await registry.delete(CONFIGMAPS, "default", name, DeleteOptions(), context())


async def _say(stream: WatchStream, count: int) -> list[tuple[str, str]]:
    async with asyncio.timeout(60):
        return [said(event) for event in await take(stream, count)]


async def _next_after(stream: WatchStream, clock: VirtualClock, seconds: float) -> WatchEvent:
    """Return the next event, which must come *seconds* from now and not sooner."""
    reading = asyncio.ensure_future(anext(stream))
    await clock.advance(seconds - 0.1)
    assert not reading.done()
    await clock.advance(0.1)
    return await reading

"""Who is tried next, and when again."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from podium.api.types.core_v1 import Pod
from podium.kit.clock import VirtualClock
from podium.scheduler.queue import SchedulingQueue


def make_pod(name: str, *, priority: int = 0, label: str = "") -> Pod:
    metadata = {"name": name, "uid": name, "labels": {"l": label} if label else {}}
    return msgspec.convert({"metadata": metadata, "spec": {"priority": priority}}, Pod)


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def queue(clock):
    return SchedulingQueue(clock)


async def pop(queue: SchedulingQueue):
    return await asyncio.wait_for(queue.pop(), 60)


async def test_priority_first_then_first_come(queue):
    for pod in (make_pod("a"), make_pod("b"), make_pod("vip", priority=9)):
        queue.add(pod)
    assert [(await pop(queue)).uid for _ in range(3)] == ["vip", "a", "b"]


async def test_a_parked_pod_waits_until_it_is_moved(queue, clock):
    queue.add(make_pod("a"))
    queue.park(await pop(queue))
    async with asyncio.TaskGroup() as tasks:
        popped = tasks.create_task(queue.pop())
        await clock.advance(3600)
        queue.move(lambda demand: False)
        await clock.advance(3600)
        assert not popped.done()
        queue.move(lambda demand: demand.pod.metadata.name == "a")
    assert popped.result().attempts == 2


async def test_the_wait_between_attempts_doubles_up_to_ten_seconds(queue, clock):
    queue.add(make_pod("a"))
    waits = []
    waiting = await pop(queue)
    for _ in range(6):
        queue.retry(waiting)
        before = clock.monotonic()
        async with asyncio.TaskGroup() as tasks:
            popped = tasks.create_task(queue.pop())
            while not popped.done():
                await clock.advance(1)
        waiting = popped.result()
        waits.append(clock.monotonic() - before)
    assert waits == [1, 2, 4, 8, 10, 10]


async def test_a_moved_pod_still_serves_its_time(queue, clock):
    queue.add(make_pod("a"))
    queue.park(await pop(queue))
    queue.move(lambda demand: True)
    async with asyncio.TaskGroup() as tasks:
        popped = tasks.create_task(queue.pop())
        await clock.advance(0.9)
        assert not popped.done()
        await clock.advance(0.1)
    assert popped.result().uid == "a"


async def test_a_change_of_the_pod_itself_is_news_but_its_status_is_not(queue, clock):
    queue.add(make_pod("a"))
    queue.park(await pop(queue))
    async with asyncio.TaskGroup() as tasks:
        popped = tasks.create_task(queue.pop())
        queue.add(make_pod("a"))
        await clock.advance(60)
        assert not popped.done()
        queue.add(make_pod("a", label="new"))
    assert popped.result().pod.metadata.labels == {"l": "new"}


async def test_a_held_pod_is_tried_at_once_when_it_changes(queue):
    queue.add(make_pod("a"))
    queue.hold(await pop(queue))
    queue.add(make_pod("a", label="released"))
    assert (await pop(queue)).attempts == 1


async def test_a_removed_pod_is_not_tried(queue):
    for name in "abc":
        queue.add(make_pod(name))
    queue.remove("b")
    assert [(await pop(queue)).uid for _ in range(2)] == ["a", "c"]
    assert len(queue) == 0

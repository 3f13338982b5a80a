"""Keys come out once, in order, when due, and never twice at a time."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.client.workqueue import WorkQueue
from podium.kit.clock import VirtualClock


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def queue(clock) -> WorkQueue[str]:
    return WorkQueue(clock)


async def take(queue: WorkQueue[str]) -> str:
    return await asyncio.wait_for(queue.get(), 60)


async def test_a_key_waits_once_however_often_it_is_added(queue):
    for key in "abab":
        queue.add(key)
    assert [await take(queue), await take(queue), len(queue)] == ["a", "b", 0]


async def test_a_key_added_while_worked_on_comes_back_when_that_is_done(queue):
    queue.add("a")
    await take(queue)
    queue.add("a")
    assert len(queue) == 0
    queue.done("a")
    assert await take(queue) == "a"
    queue.done("a")
    assert len(queue) == 0


async def test_a_delayed_key_comes_when_due(queue, clock):
    queue.add_after("late", 5)
    queue.add_after("soon", 1)
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(queue.get())
        await clock.advance(0.5)
        assert not first.done()
        await clock.advance(0.5)
        assert first.result() == "soon"
        second = tasks.create_task(queue.get())
        await clock.advance(3.9)
        assert not second.done()
        await clock.advance(0.1)
    assert second.result() == "late"


async def test_the_earliest_of_several_delays_counts_and_only_once(queue, clock):
    queue.add_after("a", 10)
    queue.add_after("a", 1)
    queue.add_after("a", 5)
    async with asyncio.TaskGroup() as tasks:
        taken = tasks.create_task(queue.get())
        await clock.advance(1)
        assert taken.result() == "a"
        queue.done("a")
        again = tasks.create_task(queue.get())
        await clock.advance(60)
        assert not again.done()
        queue.add("end")
    assert again.result() == "end"


async def test_failures_double_the_delay_until_forgotten(queue, clock):
    delays = [queue.add_rate_limited("a") for _ in range(4)]
    assert delays == [0.005, 0.01, 0.02, 0.04]
    for _ in range(30):
        longest = queue.add_rate_limited("a")
    assert longest == 1000
    queue.forget("a")
    assert queue.add_rate_limited("a") == 0.005


async def test_every_worker_is_woken(queue):
    async with asyncio.TaskGroup() as tasks:
        workers = [tasks.create_task(queue.get()) for _ in range(3)]
        await asyncio.sleep(0)
        for key in "abc":
            queue.add(key)
    assert sorted(worker.result() for worker in workers) == ["a", "b", "c"]


@given(st.lists(st.tuples(st.sampled_from(["add", "get", "done"]), st.sampled_from("abc"))))
def test_no_news_is_lost_and_no_key_is_worked_on_twice(steps):
    """After each addition there is a later turn of that key that has not begun yet, or will."""

    async def play() -> None:
        queue: WorkQueue[str] = WorkQueue(VirtualClock())
        working: set[str] = set()
        owed: set[str] = set()
        for step, key in steps:
            if step == "add":
                queue.add(key)
                owed.add(key)
            elif step == "done" and key in working:
                working.discard(key)
                queue.done(key)
            elif step == "get" and len(queue):
                taken = await queue.get()
                assert taken not in working
                assert taken in owed
                working.add(taken)
                owed.discard(taken)
        for key in working:
            queue.done(key)
        while len(queue):
            taken = await queue.get()
            assert taken in owed
            owed.discard(taken)
        assert not owed

    asyncio.run(play())

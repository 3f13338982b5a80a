"""Pulls that wait for each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from podium.kit.clock import VirtualClock
from podium.kubelet.pull_queue import Pulled, PullQueue
from podium.runtime.image_port import Image
from podium.runtime.port import RuntimeFailure


class Puller:
    def __init__(self, at_once: int | None = None) -> None:
        self.clock = VirtualClock()
        self.queue = PullQueue(at_once, self.clock)
        self.under_way, self.most, self.pulls = 0, 0, 0

    async def pull(self, key: str, seconds: float = 10.0, *, fails: bool = False) -> Pulled:
        async def work() -> Image:
            self.pulls += 1
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            try:
                await self.clock.sleep(seconds)
            finally:
                self.under_way -= 1
            if fails:
                raise RuntimeFailure(f"pull {self.pulls} failed")
            return Image(f"{key}{self.pulls}", (), (), 1)

        return await self.queue.pull(key, work)


@asynccontextmanager
async def several(puller: Puller, *keys: str) -> AsyncIterator[list[asyncio.Task[Pulled]]]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(puller.pull(key)) for key in keys]
        await puller.clock.advance(0)
        yield tasks


@pytest.mark.parametrize(("at_once", "most", "seconds"), [(1, 1, 40), (3, 3, 20), (None, 4, 10)])
async def test_as_many_at_once_as_the_node_allows(at_once, most, seconds):
    puller = Puller(at_once)
    async with several(puller, "a", "b", "c", "d") as tasks:
        await puller.clock.advance(seconds)
        assert all(task.done() for task in tasks)
    assert puller.most == most
    assert max(task.result().ended for task in tasks) == seconds


async def test_one_image_is_pulled_once():
    puller = Puller()
    async with several(puller, "a", "a", "a"):
        await puller.clock.advance(5)
        late = asyncio.ensure_future(puller.pull("a"))
        await puller.clock.advance(5)
        assert (await late).outcome.id == "a1"
    assert puller.pulls == 1
    async with several(puller, "a"):
        await puller.clock.advance(10)
    assert puller.pulls == 2, "what was before is nobody's wish"


async def test_a_failure_is_shared_too():
    puller = Puller()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(puller.pull("a", fails=True)) for _ in range(3)]
        await puller.clock.advance(10)
    assert {str(task.result().outcome) for task in tasks} == {"pull 1 failed"}


async def test_who_goes_leaves_the_work_to_the_next():
    puller = Puller(1)
    async with several(puller, "a", "a") as (first, second):
        await puller.clock.advance(5)
        first.cancel()
        await puller.clock.advance(10)
        assert second.result().outcome.id == "a2"

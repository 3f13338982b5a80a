"""Keys that fail come back; a bug costs one turn."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from podium.api.errors import conflict
from podium.api.scheme import PODS
from podium.client.errors import Unreachable
from podium.client.workqueue import WorkQueue
from podium.controllers.loop import work
from podium.kit.clock import VirtualClock
from support.http_peer import running, until


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(conflict(PODS, "p"), id="refused"),
        pytest.param(Unreachable("nobody there"), id="unreachable"),
        pytest.param(ZeroDivisionError(), id="bug"),
    ],
)
async def test_a_failed_key_comes_back_later_and_later_until_it_succeeds(failure):
    clock = VirtualClock()
    queue: WorkQueue[str] = WorkQueue(clock)
    turns: list[tuple[str, float]] = []

    async def reconcile(key: str) -> None:
        turns.append((key, clock.monotonic()))
        if key == "bad" and len([k for k, _ in turns if k == "bad"]) < 4:
            raise failure

    async with running(work("test", queue, reconcile)):
        queue.add("bad")
        queue.add("good")
        await until(lambda: len(turns) >= 2)
        for _ in range(3):
            await until(lambda: clock.next_deadline is not None)
            await clock.advance(clock.next_deadline)
        await until(lambda: len(turns) == 5)
        await clock.advance(10_000)
        assert len(turns) == 5
        queue.add("bad")
        await until(lambda: len(turns) == 6)
    assert [key for key, _ in turns].count("good") == 1
    times = [when for key, when in turns if key == "bad"][:4]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps == pytest.approx([0.005, 0.01, 0.02])


async def test_several_keys_are_worked_on_at_a_time_but_never_one_by_two():
    queue: WorkQueue[str] = WorkQueue(VirtualClock())
    running_now: list[str] = []
    most = 0
    release = asyncio.Event()

    async def reconcile(key: str) -> None:
        nonlocal most
        assert key not in running_now
        running_now.append(key)
        most = max(most, len(running_now))
        await release.wait()
        running_now.remove(key)

    async with running(work("test", queue, reconcile, workers=3)):
        for key in "aabbc":
            queue.add(key)
        await until(lambda: most == 3)
        queue.add("a")
        release.set()
        await until(lambda: not running_now and not len(queue))

"""Waiting on the machine's own clock."""

from __future__ import annotations

import asyncio

from podium.kit.clock import SystemClock
from support.loop_time import jumping


async def test_those_who_can_wait_are_woken_together():
    clock, event, loop = SystemClock(), asyncio.Event(), asyncio.get_running_loop()
    with jumping() as jump:
        jump(1000 - loop.time() % 1000)
        async with asyncio.TaskGroup() as group:
            exact = group.create_task(clock.wait(event, 100))
            early = group.create_task(clock.wait(event, 200, 1000))
            late = group.create_task(clock.wait(event, 600, 500))
            await asyncio.sleep(0)  # now they wait
            jump(700)
            assert not await exact
            assert not early.done()
            assert not late.done()
            jump(300)
            assert not await early
            assert not await late


async def test_news_come_before_the_time_is_over():
    clock, event = SystemClock(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(clock.wait(event, 3600, 60))
        await asyncio.sleep(0)
        event.set()
        assert await waiting
    assert await clock.wait(event, 0)

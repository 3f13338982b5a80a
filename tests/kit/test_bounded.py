"""kit.bounded: what takes too long is not waited for."""

from __future__ import annotations

import asyncio
import gc
import threading
import time

import pytest

from podium.kit.bounded import in_daemon_thread, within
from podium.kit.clock import VirtualClock


async def answer(value: str) -> str:
    await asyncio.sleep(0)
    return value


async def test_what_is_done_in_time_is_returned():
    clock = VirtualClock()
    assert await within(clock, 1, answer("x")) == "x"
    assert clock.next_deadline is None


async def test_what_fails_fails():
    async def fail() -> None:
        raise KeyError("k")

    with pytest.raises(KeyError):
        await within(VirtualClock(), 1, fail())


async def test_what_takes_too_long_is_cancelled():
    clock, cleaned = VirtualClock(), []

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)

    waiting = asyncio.ensure_future(within(clock, 5, hang()))
    await clock.advance(4.9)
    assert not waiting.done()
    await clock.advance(0.1)
    with pytest.raises(TimeoutError):
        await waiting
    assert cleaned == [True]


async def test_nobody_complains_of_what_fails_when_all_is_cancelled():
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))

    async def fail_when_cancelled() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise KeyError("k") from None

    waiting = asyncio.ensure_future(within(VirtualClock(), 5, fail_when_cancelled()))
    for _ in range(3):
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled()
    del waiting
    gc.collect()
    assert complaints == []


async def test_a_thread_that_hangs_is_left_to_itself():
    release = threading.Event()
    with pytest.raises(TimeoutError):
        await in_daemon_thread(0.01, release.wait)
    release.set()


async def test_a_bug_in_a_thread_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch):
    told: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: told.append(args.exc_type))

    def bug() -> None:
        raise ValueError("embedded null byte")

    async with asyncio.timeout(60):
        with pytest.raises(RuntimeError, match="has failed"):
            await in_daemon_thread(None, bug)
        while told != [ValueError]:
            await asyncio.sleep(0)


async def test_a_thread_returns_and_raises():
    def fail() -> None:
        raise FileNotFoundError("f")

    assert await in_daemon_thread(60, lambda: 1) == 1
    assert await in_daemon_thread(None, time.monotonic) > 0
    with pytest.raises(FileNotFoundError):
        await in_daemon_thread(60, fail)

from __future__ import annotations

import asyncio

import pytest

from podium.kit.guard import guarded


async def fail() -> None:
    raise KeyError("surprise")


async def test_a_bug_is_logged_with_what_was_worked_on_and_ends_there(caplog):
    assert not await guarded(fail(), "reconciling", pod="default/web")
    (record,) = caplog.records
    assert record.getMessage() == "reconciling failed unexpectedly"
    assert record.pod == "default/web"
    assert record.exc_info[0] is KeyError


async def test_a_good_turn(caplog):
    assert await guarded(asyncio.sleep(0), "x")
    assert caplog.records == []


async def test_cancelling_is_no_bug():
    async def wait() -> None:
        await asyncio.Event().wait()

    task = asyncio.ensure_future(guarded(wait(), "x"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

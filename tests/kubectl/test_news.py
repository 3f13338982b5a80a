"""Requests that are awaited."""

from __future__ import annotations

import asyncio
import threading

import pytest

from podium.kubectl import news
from podium.kubectl.errors import CommandError, Lost


async def test_what_a_request_comes_to_is_what_is_awaited():
    def lost() -> int:
        raise Lost("it is gone")

    assert await news.apart(lambda: 7) == 7
    with pytest.raises(Lost, match="it is gone"):
        await news.apart(lost)


async def test_nobody_waits_for_a_request_that_has_broken(monkeypatch: pytest.MonkeyPatch):
    told: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    async with asyncio.timeout(60):
        with pytest.raises(CommandError, match="a request has failed"):
            await news.apart(lambda: 1 // 0)
    for thread in threading.enumerate():
        if thread.name == "request":
            thread.join(60)
    assert [found.exc_type for found in told] == [ZeroDivisionError]

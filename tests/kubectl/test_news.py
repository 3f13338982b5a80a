"""Requests that are awaited."""

from __future__ import annotations

import asyncio
import json
import socket
import threading

import pytest

from podium.kubectl import news
from podium.kubectl.errors import CommandError, Lost
from podium.kubectl.http import Http
from podium.kubectl.kubeconfig import Connection


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


class _Watched(Http):
    """A server that tells of one change, and then of none."""

    def __init__(self) -> None:
        super().__init__(Connection("http://there"))
        self.near, self._far = socket.socketpair()

    def another(self) -> Http:
        return self

    def _dial(self) -> socket.socket:
        event = json.dumps({"type": "ADDED", "object": {}})
        self._far.sendall(f"HTTP/1.1 200 OK\r\n\r\n{event}\n".encode())
        return self.near


def _waiting() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "request"]


@pytest.mark.parametrize("cancelled", [False, True])
async def test_who_has_seen_enough_of_a_watch_leaves_no_thread_behind(*, cancelled: bool):
    server = _Watched()
    events = news.watch(server, "/pods", ())
    assert await anext(events) == ("ADDED", {})
    if cancelled:
        more = asyncio.ensure_future(anext(events))
        while not _waiting():
            await asyncio.sleep(0)
        more.cancel()
        await asyncio.wait({more})
    await events.aclose()
    for thread in _waiting():
        await asyncio.to_thread(thread.join, 60)
    assert not _waiting()
    server._far.close()


async def test_a_watch_that_is_left_before_it_has_begun_does_not_begin():
    server = _Watched()
    server.cut()
    events = news.watch(server, "/pods", ())
    assert [event async for event in events] == []
    server._far.close()

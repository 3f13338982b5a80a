"""Clients that ask for much and read little of it, or nothing."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from contextlib import asynccontextmanager

import pytest

from podium.apiserver import protocol
from support.http_peer import eventually, until

MAPS = "/api/v1/namespaces/default/configmaps"
#: More than the buffers of both kernels hold.
SIZE, COUNT = 900_000, 16


@pytest.fixture
async def full(api):
    async with api.session() as session:
        for number in range(COUNT):
            body = {"metadata": {"name": f"c{number}"}, "data": {"k": "x" * SIZE}}
            async with session.post(MAPS, json=body) as response:
                assert response.status == 201
    return api


@asynccontextmanager
async def asking(api, path: str):
    """A connection that has sent a request, and holds as little of the answer as it can.

    Yields what there is to read of it, and where it comes from.
    """
    with socket.socket() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.connect(("127.0.0.1", api.port))
        plain.setblocking(False)
        context = api.ssl_context(api.pair())
        reader, writer = await asyncio.open_connection(
            sock=plain, ssl=context, server_hostname="localhost", limit=4096
        )
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        yield reader, plain.getsockname()
        writer.transport.abort()


def under_way(api, name: str):
    """Ask how many requests there are of those that the metric *name* counts."""

    async def ask() -> float:
        async with api.session() as session, session.get("/metrics") as response:
            text = await response.text()
        found = re.findall(rf"^{name}\{{.*\}} (\S+)$", text, re.MULTILINE)
        return sum(map(float, found))

    return ask


WATCHES = r"apiserver_longrunning_requests"
#: The question itself is one of them.
READS = r"apiserver_current_inflight_requests"


@pytest.mark.parametrize(
    ("path", "metric", "none"),
    [
        pytest.param(MAPS, READS, 1, id="list"),
        pytest.param(f"{MAPS}?pretty=1", READS, 1, id="pretty"),
        pytest.param(f"{MAPS}?watch=1", WATCHES, 0, id="watch"),
    ],
)
async def test_who_reads_nothing_is_cut_off(full, monkeypatch, path, metric, none):
    monkeypatch.setattr(protocol, "READER_TIMEOUT", 0.5)
    give_up, too_slow = protocol.Protocol._give_up, []
    monkeypatch.setattr(protocol.Protocol, "_give_up", lambda self: too_slow.append(self))
    asked = under_way(full, metric)
    async with asking(full, path) as (reader, place):
        await reader.readuntil(b"\r\n\r\n")
        assert await asked() == none + 1

        def ours() -> list[protocol.Protocol]:  # who asks may be slow to read, too
            found = [one for one in too_slow if one.transport is not None]
            return [one for one in found if one.transport.get_extra_info("peername") == place]

        await until(ours)
        give_up(*ours())
        await eventually(asked, none)
        assert len(await rest(reader)) < COUNT * SIZE


async def rest(reader: asyncio.StreamReader) -> bytes:
    """Read what still comes."""
    try:
        return await reader.read()
    except (ConnectionError, ssl.SSLError):
        return b""


@pytest.mark.parametrize("query", ["", "?watch=1"])
async def test_who_reads_next_to_nothing_is_cut_off(full, monkeypatch, query):
    monkeypatch.setattr(protocol, "READER_TIMEOUT", 0.5)
    async with asking(full, MAPS + query) as (reader, _):
        received = 0
        while piece := await trickle(reader):
            received += len(piece)
    assert received < COUNT * SIZE


async def trickle(reader: asyncio.StreamReader) -> bytes:
    await asyncio.sleep(0.001)
    try:
        return await reader.read(1000)
    except (ConnectionError, ssl.SSLError):
        return b""


@pytest.mark.parametrize("query", ["", "?watch=1"])
async def test_who_reads_steadily_may_take_long(full, monkeypatch, query):
    """Its time begins anew whenever it has made room."""
    timers, paused = [], protocol.Protocol.pause_writing

    def pause_writing(self):
        paused(self)
        timers.append(self._full)

    monkeypatch.setattr(protocol.Protocol, "pause_writing", pause_writing)
    async with asking(full, MAPS + query) as (reader, _):
        received = 0
        while received < COUNT * SIZE:
            piece = await reader.read(1 << 18)
            assert piece, "cut off"
            received += len(piece)
        await until(lambda: timers[-1].cancelled())
    assert len(timers) > 1
    assert all(timer.cancelled() for timer in timers)

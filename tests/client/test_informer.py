"""A local copy that follows the server through whatever happens to the watch."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest
from aiohttp import web

from podium.api import scheme
from podium.client.client import Client
from podium.client.config import ClientConfig
from podium.client.informer import Informer
from podium.kit.clock import VirtualClock
from support.http_peer import SYNCED, WatchFeed, config_map, config_map_list, running, status, until


class Copy:
    """An informer under test, with what it said and what its server will answer."""

    def __init__(self, peer, client, clock) -> None:
        self.streams = False  # like servers that begin no watch with what there is
        self.lists: list[web.Response] = []
        self.feed = WatchFeed()
        self.seen: list[tuple[str | None, str | None]] = []
        self.peer, self.clock = peer, clock
        self.informer = Informer(client, scheme.CONFIGMAPS, clock=clock)
        self.informer.on_change(self._note)
        peer.handler = self._answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if "sendInitialEvents" in request.query and not self.streams:
            return web.json_response(status(422, "Invalid"), status=422)
        if "watch" in request.query:
            return await self.feed.serve(request)
        return self.lists.pop(0)

    def _note(self, old, new) -> None:
        self.seen.append(tuple(obj and _short(obj) for obj in (old, new)))

    @property
    def names(self) -> list[str]:
        return sorted(_short(obj) for obj in self.informer.list())

    def list_requests(self) -> int:
        return sum("watch" not in query for _, _, query in self.peer.requests)


def _short(obj) -> str:
    return f"{obj.metadata.name}@{obj.metadata.resource_version}"


@pytest.fixture
async def copy(peer):
    clock = VirtualClock()
    async with Client(ClientConfig(peer.server)) as client:
        copy = Copy(peer, client, clock)
        copy.lists.append(config_map_list(5, config_map("a", 3), config_map("b", 4)))
        async with running(copy.informer.run()):
            await asyncio.wait_for(copy.informer.synced.wait(), 60)
            yield copy


async def test_list_then_watch_from_its_revision(copy):
    watch = await copy.feed.next()
    assert copy.names == ["a@3", "b@4"]
    assert watch.query["resourceVersion"] == "5"
    assert 300 <= int(watch.query["timeoutSeconds"]) <= 600
    await watch.send("ADDED", config_map("c", 6))
    await watch.send("MODIFIED", config_map("a", 7))
    await watch.send("DELETED", config_map("b", 8))
    await until(lambda: len(copy.seen) == 5)
    assert copy.seen[2:] == [(None, "c@6"), ("a@3", "a@7"), ("b@4", None)]
    assert copy.names == ["a@7", "c@6"]


async def test_a_watch_that_ends_goes_on_where_it_was(copy):
    watch = await copy.feed.next()
    await watch.send("MODIFIED", config_map("a", 9))
    await watch.send("BOOKMARK", {"kind": "ConfigMap", "metadata": {"resourceVersion": "50"}})
    watch.end()
    again = await copy.feed.next()
    assert again.query["resourceVersion"] == "50"
    await again.send("MODIFIED", config_map("a", 9))  # what we have is no news
    await again.send("DELETED", config_map("nobody", 51))
    await again.send("DELETED", config_map("a", 52))
    await until(lambda: copy.names == ["b@4"])
    assert copy.seen[2:] == [("a@3", "a@9"), ("a@9", None)]
    assert copy.list_requests() == 1


async def test_too_old_a_revision_leads_to_a_new_list_and_only_differences_are_news(copy):
    copy.lists.append(config_map_list(90, config_map("a", 3), config_map("c", 80)))
    watch = await copy.feed.next()
    await watch.send("ERROR", status(410, "Expired"))
    again = await copy.feed.next()
    assert again.query["resourceVersion"] == "90"
    assert copy.seen[2:] == [("b@4", None), (None, "c@80")]
    assert copy.clock.next_deadline is None  # without a pause


async def test_an_object_that_took_over_a_name_is_gone_and_new(copy):
    watch = await copy.feed.next()
    await watch.send("MODIFIED", config_map("a", 9, uid="other"))
    await until(lambda: len(copy.seen) == 4)
    assert copy.seen[2:] == [("a@3", None), (None, "a@9")]


async def test_failures_are_followed_by_longer_and_longer_pauses(copy):
    pauses = []
    for _ in range(3):
        (await copy.feed.next()).end()  # without a word: as good as an error
        await until(lambda: copy.clock.next_deadline is not None)
        pauses.append(copy.clock.next_deadline)
        await copy.clock.advance(copy.clock.next_deadline)
    assert 0.05 <= pauses[0] <= 0.1
    assert 0.1 <= pauses[1] <= 0.2
    assert 0.2 <= pauses[2] <= 0.4


async def test_a_broken_line_costs_the_watch_and_not_the_copy(copy):
    watch = await copy.feed.next()
    await watch.send_bytes(b'{"type":"ADDED","obj\n')
    await until(lambda: copy.clock.next_deadline is not None)
    await copy.clock.advance(1)
    again = await copy.feed.next()
    assert again.query["resourceVersion"] == "5"
    watch.end()


@pytest.fixture
async def streamed(peer):
    """A copy of what a server has that begins watches with that."""
    async with Client(ClientConfig(peer.server)) as client:
        copy = Copy(peer, client, VirtualClock())
        copy.streams = True
        async with running(copy.informer.run()):
            yield copy


async def test_what_there_is_comes_first_in_the_watch(streamed):
    watch = await streamed.feed.next()
    assert watch.query["sendInitialEvents"] == "true"
    assert watch.query["resourceVersionMatch"] == "NotOlderThan"
    assert "resourceVersion" not in watch.query
    await watch.send("ADDED", config_map("a", 3))
    await watch.send("ADDED", config_map("b", 4))
    await watch.send("DELETED", config_map("b", 4))
    await watch.send("BOOKMARK", SYNCED)
    await streamed.informer.synced.wait()
    assert streamed.seen == [(None, "a@3")]
    await watch.send("MODIFIED", config_map("a", 7))
    await until(lambda: streamed.names == ["a@7"])
    watch.end()
    again = await streamed.feed.next()
    assert again.query["resourceVersion"] == "7"
    assert "sendInitialEvents" not in again.query
    assert streamed.list_requests() == 0


async def test_a_watch_that_ends_before_all_is_there_begins_anew(streamed):
    watch = await streamed.feed.next()
    await watch.send("ADDED", config_map("a", 3))
    watch.end()
    await until(lambda: streamed.clock.next_deadline is not None)
    assert not streamed.informer.synced.is_set()
    assert streamed.names == []
    await streamed.clock.advance(1)
    again = await streamed.feed.next()
    assert again.query["sendInitialEvents"] == "true"
    await again.send("BOOKMARK", SYNCED)
    await streamed.informer.synced.wait()


async def test_too_old_a_revision_leads_to_what_there_is_now(streamed):
    watch = await streamed.feed.next()
    await watch.send("ADDED", config_map("a", 3))
    await watch.send("ADDED", config_map("b", 4))
    await watch.send("BOOKMARK", SYNCED)
    await watch.send("ERROR", status(410, "Expired"))
    again = await streamed.feed.next()
    await again.send("ADDED", config_map("b", 4))
    await again.send("ADDED", config_map("c", 80))
    await again.send("BOOKMARK", SYNCED)
    await until(lambda: streamed.names == ["b@4", "c@80"])
    assert streamed.seen[2:] == [("a@3", None), (None, "c@80")]


async def test_a_later_handler_is_told_what_is_there_already(copy):
    told = []
    copy.informer.on_change(lambda old, new: told.append(new.metadata.name))
    assert told == ["a", "b"]


async def test_finding(copy):
    copy.informer.add_index("initial", lambda obj: (obj.metadata.name[0],))
    assert [obj.metadata.name for obj in copy.informer.find("initial", "b")] == ["b"]
    assert len(copy.informer.in_namespace("ns")) == 2
    assert copy.informer.in_namespace("other") == []
    assert copy.informer.get("ns", "a").metadata.resource_version == "3"
    assert copy.informer.get("ns", "z") is None


async def test_a_server_that_is_gone_for_a_moment_is_no_news(caplog):
    caplog.set_level(logging.DEBUG, "podium.client.informer")
    clock = VirtualClock()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and nobody listens
        config = ClientConfig(f"http://127.0.0.1:{nobody.getsockname()[1]}")
        async with Client(config) as client:
            informer = Informer(client, scheme.CONFIGMAPS, clock=clock)
            async with running(informer.run()):
                while len(caplog.records) < 7:
                    before = len(caplog.records)
                    await clock.advance(10.0)
                    await until(lambda: len(caplog.records) > before)  # noqa: B023
    levels = [record.levelno for record in caplog.records[:7]]
    assert levels == [logging.DEBUG] * 6 + [logging.WARNING]

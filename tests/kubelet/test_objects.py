"""What the node watches of the objects that its Pods refer to, and when it stops."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from podium.api.types.core_v1 import (
    ConfigMapEnvSource,
    Container,
    EnvFromSource,
    Pod,
    PodSpec,
)
from podium.api.types.meta_v1 import ObjectMeta
from podium.client.client import Client
from podium.client.config import ClientConfig
from podium.kit.clock import VirtualClock
from podium.kubelet.objects import LINGER, ObjectStore
from support.http_peer import SYNCED, WatchFeed, config_map, running, serving, until


class Node:
    """A store under test, and the server that it asks."""

    def __init__(self, peer, client) -> None:
        self.peer, self.clock = peer, VirtualClock()
        self.feed = WatchFeed(("ADDED", config_map("a", 3)), ("BOOKMARK", SYNCED))
        self.woken: list[str] = []
        self.objects = ObjectStore(client, self.clock, self.woken.append)
        peer.handler = self._answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        return await self.feed.serve(request)

    def known(self) -> bool:
        return self.objects.config_map("ns", "a") is not None


@pytest.fixture
async def node():
    async with serving() as peer, Client(ClientConfig(peer.server)) as client:
        node = Node(peer, client)
        async with running(node.objects.run()):
            await asyncio.sleep(0)  # it runs
            yield node


def pod(uid: str) -> Pod:
    source = EnvFromSource(config_map_ref=ConfigMapEnvSource(name="a"))
    container = Container(name="c", env_from=[source])
    return Pod(
        metadata=ObjectMeta(name=uid, namespace="ns", uid=uid),
        spec=PodSpec(containers=[container]),
    )


async def test_two_pods_share_a_watch_and_are_told(node):
    for uid in ("1", "2"):
        node.objects.use(pod(uid))
        await asyncio.wait_for(node.objects.ready(pod(uid)), 60)
    watch = await node.feed.next()
    await watch.send("MODIFIED", config_map("a", 9))
    await until(lambda: sorted(node.woken) == ["1", "2"])
    assert len(node.peer.requests) == 1


async def test_a_watch_outlives_its_last_user_for_a_while(node):
    node.objects.use(pod("1"))
    await node.feed.next()
    node.objects.release("1")
    await node.clock.advance(LINGER / 2)
    node.objects.use(pod("2"))
    await node.clock.advance(LINGER)
    assert node.known()
    node.objects.release("2")
    await node.clock.advance(LINGER)
    await node.clock.advance(LINGER)
    assert not node.known()
    assert len(node.peer.requests) == 1


async def test_what_nobody_uses_is_not_asked_for_again(node):
    """The node may do so no longer, once the last Pod that refers to it is gone."""
    node.objects.use(pod("1"))
    watch = await node.feed.next()
    node.objects.release("1")
    watch.end()
    await until(lambda: not node.known())
    assert len(node.peer.requests) == 1
    node.objects.use(pod("2"))
    await node.feed.next()
    await until(node.known)
    assert len(node.peer.requests) == 2

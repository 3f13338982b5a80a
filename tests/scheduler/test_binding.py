"""What the scheduler tells of a Pod's node."""

from __future__ import annotations

import msgspec
from aiohttp import web

from podium.api.types.core_v1 import Pod
from podium.client.client import Client
from podium.client.config import ClientConfig
from podium.client.events import EventRecorder
from podium.kit.clock import VirtualClock
from podium.scheduler.binding import Binder
from support.http_peer import running, serving

POD = msgspec.convert({"metadata": {"name": "web", "namespace": "default", "uid": "u"}}, Pod)


async def test_a_pod_is_assigned_before_its_node_does_anything_about_it():
    """The node hears of it before the scheduler has its answer, on a busy machine long before: what
    it tells of the Pod then is not to stand before its assignment."""
    clock = VirtualClock()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/binding"):
            await clock.advance(5)
            return web.json_response({"kind": "Status", "status": "Success"}, status=201)
        return web.json_response(peer.bodies[-1], status=201)

    async with serving() as peer, Client(ClientConfig(peer.server)) as client:
        peer.handler = answer
        recorder = EventRecorder(client, "default-scheduler", "", clock)
        async with running(recorder.run()):
            assert await Binder(client, recorder, clock).bind(POD, "node-1")
            await recorder.flush()
    _, event = peer.bodies
    assert (event["reason"], event["firstTimestamp"]) == ("Scheduled", "2025-01-13T07:30:00Z")
    assert int(event["metadata"]["name"].partition(".")[2], 16) // 10**9 == 1736753400

"""Events reach the server in order, and nobody waits for them."""

from __future__ import annotations

import msgspec
import pytest
from aiohttp import web

from podium.api.scheme import PODS
from podium.api.types.core_v1 import ObjectReference, Pod
from podium.client.client import Client
from podium.client.config import ClientConfig
from podium.client.events import EventRecorder
from podium.kit.clock import VirtualClock
from support.http_peer import running, status, until

POD = msgspec.convert(
    {"metadata": {"name": "kuard", "namespace": "default", "uid": "u", "resourceVersion": "7"}},
    Pod,
)


class Server:
    def __init__(self, peer) -> None:
        self.peer = peer
        self.failures: list[web.Response] = []
        peer.handler = self._answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self.failures:
            return self.failures.pop(0)
        return web.json_response(self.peer.bodies[-1] | {"kind": "Event"})

    @property
    def said(self) -> list[tuple[str, str]]:
        return [
            (method, body["message"])
            for (method, _, _), body in zip(self.peer.requests, self.peer.bodies, strict=True)
        ]


@pytest.fixture
def server(peer):
    return Server(peer)


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
async def recorder(server, peer, clock):
    async with Client(ClientConfig(peer.server)) as client:
        recorder = EventRecorder(client, "kubelet", "node-1", clock)
        async with running(recorder.run()):
            yield recorder


async def test_an_event_as_upstream_writes_it(recorder, server, peer):
    recorder.event(POD, "Normal", "Pulled", "done", field_path="spec.containers{kuard}")
    await recorder.flush()
    assert peer.requests[0][:2] == ("POST", "/api/v1/namespaces/default/events")
    event = peer.bodies[0]
    name, _, suffix = event["metadata"].pop("name").partition(".")
    assert (name, int(suffix, 16) // 10**9) == ("kuard", 1736753400)
    assert event == {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"namespace": "default"},
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": "kuard",
            "namespace": "default",
            "uid": "u",
            "resourceVersion": "7",
            "fieldPath": "spec.containers{kuard}",
        },
        "type": "Normal",
        "reason": "Pulled",
        "message": "done",
        "count": 1,
        "eventTime": None,
        "firstTimestamp": "2025-01-13T07:30:00Z",
        "lastTimestamp": "2025-01-13T07:30:00Z",
        "source": {"component": "kubelet", "host": "node-1"},
        "reportingComponent": "kubelet",
        "reportingInstance": "node-1",
    }


async def test_order_is_kept_and_repetition_is_a_count(recorder, server, peer, clock):
    for message in ("one", "two", "one", "three"):
        recorder.event(POD, "Normal", "R", message)
    await recorder.flush()
    assert server.said == [("POST", "one"), ("POST", "two"), ("PATCH", "one"), ("POST", "three")]
    first = peer.bodies[0]["metadata"]["name"]
    assert peer.requests[2][1].endswith(f"/{first}")
    assert peer.bodies[2] == {
        "count": 2,
        "lastTimestamp": "2025-01-13T07:30:00Z",
        "message": "one",
    }
    names = {body["metadata"]["name"] for body in peer.bodies if "metadata" in body}
    assert len(names) == 3  # although the clock stood still


async def test_an_event_that_has_expired_is_made_again(recorder, server, peer):
    recorder.event(POD, "Normal", "R", "one")
    await recorder.flush()
    server.failures.append(web.json_response(status(404, "NotFound"), status=404))
    recorder.event(POD, "Normal", "R", "one")
    await recorder.flush()
    assert server.said == [("POST", "one"), ("PATCH", "one"), ("POST", "one")]
    assert peer.bodies[2]["count"] == 2


async def test_a_refused_event_is_not_tried_again(recorder, server):
    server.failures.append(web.json_response(status(403, "Forbidden"), status=403))
    recorder.event(POD, "Normal", "R", "refused")
    recorder.event(POD, "Normal", "R", "next")
    await recorder.flush()
    assert server.said == [("POST", "refused"), ("POST", "next")]


async def test_while_the_server_is_away_events_wait_in_order(recorder, server, clock):
    unavailable = status(503, "ServiceUnavailable")
    server.failures += [web.json_response(unavailable, status=503) for _ in range(3)]
    recorder.event(POD, "Normal", "R", "first")
    recorder.event(POD, "Normal", "R", "second")
    for _ in range(3):
        await until(lambda: clock.next_deadline is not None)
        await clock.advance(clock.next_deadline)
    await recorder.flush()
    assert server.said == [("POST", "first")] * 4 + [("POST", "second")]


async def test_about_a_node(recorder, peer, server):
    node = ObjectReference(kind="Node", name="node-1", uid="node-1")
    recorder.event(node, "Normal", "Starting", "Starting kubelet.")
    await recorder.flush()
    assert peer.requests[0][1] == "/api/v1/namespaces/default/events"
    assert peer.bodies[0]["involvedObject"] == {"kind": "Node", "name": "node-1", "uid": "node-1"}


async def test_the_queue_is_bounded_and_recording_never_waits(peer, clock):
    async with Client(ClientConfig(peer.server)) as client:
        recorder = EventRecorder(client, "kubelet", "", clock)
        for number in range(1500):  # nobody runs it
            pod = ObjectReference(kind="Pod", namespace="ns", name=f"p{number}", uid=f"{number}")
            recorder.event(pod, "Normal", "R", "m")
        assert len(recorder._queue) == 1000


async def test_what_is_under_way_goes_before_the_first_event_after_a_silence(server, peer, clock):
    async with Client(ClientConfig(peer.server)) as client:
        recorder = EventRecorder(client, "kubelet", "node-1", clock, pause=0.03)
        async with running(recorder.run()):
            recorder.event(POD, "Normal", "Created", "done")
            await until(lambda: clock.next_deadline == 0.03)
            recorder.event(POD, "Normal", "Started", "done")
            await client.create(PODS, POD)
            await clock.advance(0.03)
            await recorder.flush()
    assert [body.get("reason", "the Pod") for body in peer.bodies] == [
        "the Pod", "Created", "Started"
    ]  # fmt: skip

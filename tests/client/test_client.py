"""What the client sends, what it makes of the answers, and how it fails."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from aiohttp import web

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.core_v1 import ConfigMap, Pod
from podium.api.types.meta_v1 import ObjectMeta
from podium.client.client import Client
from podium.client.config import ClientConfig
from podium.client.errors import Unreachable
from podium.kit.clock import VirtualClock
from support.http_peer import WatchFeed, config_map, status, until


@pytest.fixture
async def client(peer):
    async with Client(ClientConfig(peer.server, user_agent="test")) as client:
        yield client


def answering(body, code: int = 200, **headers: str):
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=code, headers=headers)

    return handler


async def test_requests_go_where_the_scheme_says(peer, client):
    peer.handler = answering(config_map("a", 1))
    obj = ConfigMap(metadata=ObjectMeta(name="a", namespace="ns"))
    await client.get(scheme.CONFIGMAPS, "a", "ns")
    await client.create(scheme.CONFIGMAPS, obj)
    await client.update(scheme.CONFIGMAPS, obj)
    await client.patch(scheme.CONFIGMAPS, "a", {"data": None}, namespace="ns", patch_type="merge")
    await client.delete(scheme.CONFIGMAPS, "a", namespace="ns", grace_period_seconds=0, uid="u")
    path = "/api/v1/namespaces/ns/configmaps"
    assert [request[:2] for request in peer.requests] == [
        ("GET", f"{path}/a"),
        ("POST", path),
        ("PUT", f"{path}/a"),
        ("PATCH", f"{path}/a"),
        ("DELETE", f"{path}/a"),
    ]
    assert peer.headers[3]["Content-Type"] == "application/merge-patch+json"
    assert peer.headers[0]["User-Agent"] == "test"
    assert peer.bodies[3] == {"data": None}
    assert peer.bodies[4] == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "gracePeriodSeconds": 0,
        "preconditions": {"uid": "u"},
    }


async def test_a_list_carries_its_revision_and_go_s_nulls_are_empty(peer, client):
    pod = {
        "metadata": {"name": "p", "creationTimestamp": None, "labels": None},
        "spec": {"containers": None},
    }
    peer.handler = answering(
        {"kind": "PodList", "metadata": {"resourceVersion": "7"}, "items": [pod]}
    )
    found = await client.list(scheme.PODS, field_selector="spec.nodeName=")
    assert found.resource_version == "7"
    assert isinstance(found.items[0], Pod)
    assert found.items[0].spec.containers == []
    assert peer.requests[0][2] == {"fieldSelector": "spec.nodeName="}


async def test_a_refusal_is_the_servers_own_status(peer, client):
    peer.handler = answering(status(409, "Conflict", "changed meanwhile"), 409)
    with pytest.raises(ApiError, match="changed meanwhile") as caught:
        await client.get(scheme.PODS, "p", "ns")
    assert (caught.value.code, caught.value.reason) == (409, "Conflict")


async def test_a_refusal_by_somebody_in_between_is_an_api_error_too(peer, client):
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(status=503, text="<html>try later</html>")

    peer.handler = handler
    with pytest.raises(ApiError) as caught:
        await client.get(scheme.PODS, "p", "ns")
    assert (caught.value.code, caught.value.reason) == (503, "ServiceUnavailable")


async def test_nobody_there_is_unreachable():
    config = ClientConfig("http://127.0.0.1:1")
    async with Client(config) as client:
        with pytest.raises(
            Unreachable, match=r"GET http://127\.0\.0\.1:1/api/v1/namespaces/ns/pods/p"
        ):
            await client.get(scheme.PODS, "p", "ns")


async def test_an_answer_that_is_no_object_is_unreachable(peer, client):
    peer.handler = answering(["what"])
    with pytest.raises(Unreachable, match="not a"):
        await client.get(scheme.PODS, "p", "ns")
    with pytest.raises(Unreachable, match="no object"):
        await client.create_subresource(scheme.PODS, "p", "eviction", {}, "ns")


async def test_too_many_requests_are_tried_again_when_the_server_says(peer):
    answers = [
        answering(status(429, "TooManyRequests"), 429, **{"Retry-After": "3"}),
        answering(config_map("a", 1)),
    ]

    async def handler(request: web.Request) -> web.StreamResponse:
        return await answers.pop(0)(request)

    peer.handler = handler
    clock = VirtualClock()
    async with Client(ClientConfig(peer.server), clock) as client, asyncio.TaskGroup() as tasks:
        got = tasks.create_task(client.get(scheme.CONFIGMAPS, "a", "ns"))
        await until(lambda: clock.next_deadline is not None)
        assert clock.next_deadline == 3
        await clock.advance(3)
    assert got.result().metadata.name == "a"


async def test_a_token_file_is_read_again_when_it_has_changed(peer, tmp_path):
    peer.handler = answering(config_map("a", 1))
    token = tmp_path / "token"
    token.write_text("first\n")
    clock = VirtualClock()
    config = ClientConfig(peer.server, token_file=str(token))
    async with Client(config, clock) as client:
        await client.get(scheme.CONFIGMAPS, "a", "ns")
        token.write_text("the second")
        await clock.advance(1)
        await client.get(scheme.CONFIGMAPS, "a", "ns")
    sent = [headers["Authorization"] for headers in peer.headers]
    assert sent == ["Bearer first", "Bearer the second"]


async def test_watch_lines_may_come_in_any_pieces(peer, client):
    feed = WatchFeed()
    peer.handler = feed.serve
    seen = []
    async with asyncio.TaskGroup() as tasks:

        async def follow() -> None:
            async for type_, obj in client.watch(scheme.CONFIGMAPS, "ns", resource_version="3"):
                seen.append((type_, obj.metadata.name))

        tasks.create_task(follow())
        watch = await feed.next()
        line = b'{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"4"}}}\n'
        for byte in line[:-1]:
            await watch.send_bytes(bytes([byte]))
        await watch.send_bytes(b"\n" + line + line[:20])
        await watch.send_bytes(line[20:])
        large = config_map("big", 5) | {"data": {"x": "y" * 1_500_000}}
        await watch.send("MODIFIED", large)
        watch.end()
    assert seen == [("ADDED", "a")] * 3 + [("MODIFIED", "big")]
    assert watch.query["resourceVersion"] == "3"
    assert watch.query["allowWatchBookmarks"] == "true"


async def test_an_error_event_is_raised(peer, client):
    feed = WatchFeed()
    peer.handler = feed.serve

    async def follow() -> None:
        async with aclosing(client.watch(scheme.CONFIGMAPS)) as events:
            async for event in events:
                pytest.fail(f"{event} was not sent")

    async with asyncio.TaskGroup() as tasks:
        with_error = tasks.create_task(raised_by(follow()))
        watch = await feed.next()
        await watch.send("ERROR", status(410, "Expired", "too old resource version"))
        error = await with_error
        watch.end()
    assert isinstance(error, ApiError)
    assert (error.code, str(error)) == (410, "too old resource version")


async def raised_by(coroutine) -> Exception | None:
    try:
        await coroutine
    except (ApiError, Unreachable) as exc:
        return exc
    return None

"""Requests through ``proxy`` subresources, over the wire, to a real backend."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import ClientPayloadError, web
from yarl import URL

from podium.apiserver import protocol
from support.proxied import DEFAULT, World, echo, pod_address

WEB = f"{DEFAULT}/services/web:http/proxy"


async def asked(world: World, method: str, path: str, **more: Any) -> dict[str, Any]:
    async with world.admin.request(method, URL(path, encoded=True), **more) as response:
        assert response.status == 200, await response.text()
        found: dict[str, Any] = await response.json()
        return found


async def refused(world: World, path: str) -> tuple[int, str, str]:
    async with world.admin.get(path) as response:
        status = await response.json()
        assert status["kind"] == "Status"
        return response.status, status["reason"], status["message"]


async def test_every_method_with_its_body_and_query(world: World) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        found = await asked(world, method, f"{WEB}/a/b?x=1&y=%2F", data=b"hello")
        assert (found["method"], found["target"]) == (method, "/a/b?x=1&y=%2F")
        assert found["body"] == "hello"


async def test_head(world: World) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(headers={"Content-Length": "1234", "X-Mine": "1"})

    world.answer = answer
    async with world.admin.head(f"{WEB}/") as response:
        assert (response.status, response.headers["X-Mine"]) == (200, "1")
        assert response.headers["Content-Length"] == "1234"


async def test_ways_to_name_it(world: World) -> None:
    for name, https in (
        ("services/web:http", False),
        ("services/web:80", False),
        ("services/http:web:http", False),
        ("services/https:web:tls", True),
        ("services/https:web:443", True),
        ("pods/web", False),
        (f"pods/http:web:{world.port}", False),
        (f"pods/https:web:{world.tls_port}", True),
    ):
        assert (await asked(world, "GET", f"{DEFAULT}/{name}/proxy/x"))["target"] == "/x"
        request = world.requests.pop()
        assert request.secure is https, name
        assert request.transport is None or not request.transport.get_extra_info("peercert")


async def test_a_nodes_own_door_is_shown_who_we_are(world: World) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        subject = request.transport.get_extra_info("peercert")["subject"]
        return web.json_response([request.raw_path, subject[0][0][1]])

    world.answer = answer
    expected = ["/stats/summary", "kube-apiserver-kubelet-client"]
    for name in ("n1", f"n1:{world.kubelet_port}", f"https:n1:{world.kubelet_port}"):
        async with world.admin.get(f"/api/v1/nodes/{name}/proxy/stats/summary") as response:
            assert await response.json() == expected


async def test_what_proves_who_we_are_or_who_asks_goes_nowhere_else(world: World) -> None:
    headers = {"Authorization": "Bearer x", "Impersonate-User": "jane", "X-Mine": "1"}
    role = {
        "metadata": {"name": "jane"},
        "rules": [{"apiGroups": [""], "resources": ["pods/proxy"], "verbs": ["get"]}],
    }
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    await world.post(f"{rbac}/clusterroles", role)
    group = "rbac.authorization.k8s.io"
    binding = {
        "metadata": {"name": "jane"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "jane"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "jane"}],
    }
    await world.post(f"{rbac}/clusterrolebindings", binding)
    found = await asked(world, "GET", f"{DEFAULT}/pods/web/proxy/x", headers=headers)
    sent = {name.lower(): value for name, value in found["headers"]}
    assert sent["x-mine"] == "1"
    assert not {"authorization", "impersonate-user"} & set(sent)
    assert sent["x-forwarded-for"] == "127.0.0.1"
    assert sent["x-forwarded-uri"] == f"{DEFAULT}/pods/web/proxy/x"
    async with world.admin.post(f"{DEFAULT}/pods/web/proxy/x", headers=headers) as response:
        message = (await response.json())["message"]
        assert response.status == 403
        assert 'User "jane" cannot create resource "pods/proxy"' in message


async def test_a_path_without_its_slash_is_led_to_the_root(world: World) -> None:
    async with world.admin.get(f"{WEB}?x=1", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (301, f"{WEB}/?x=1")
    assert (await asked(world, "GET", WEB))["target"] == "/"
    assert (await asked(world, "POST", WEB))["target"] in ("", "/")


async def test_links_and_redirects_stay_below_our_path(world: World) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/start":
            return web.Response(status=302, headers={"Location": "/page?x=1"})
        page = '<a href="/other">o</a> <a href="near">n</a>'
        return web.Response(text=page, content_type="text/html")

    world.answer = answer
    async with world.admin.get(f"{WEB}/start", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, f"{WEB}/page?x=1")
    async with world.admin.get(f"{WEB}/start") as response:
        text = f'<a href="{WEB}/other">o</a> <a href="near">n</a>'
        assert await response.text() == text


async def test_answers_of_a_backend_are_its_own(world: World) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.Response(status=418, reason="Short and Stout", text="tea")
        response.headers.add("Set-Cookie", "a=1")
        response.headers.add("Set-Cookie", "b=2")
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    world.answer = answer
    async with world.admin.get(f"{WEB}/") as response:
        assert (response.status, response.reason) == (418, "Short and Stout")
        assert await response.text() == "tea"
        assert response.headers.getall("Set-Cookie") == ["a=1", "b=2"]
        assert "Access-Control-Allow-Origin" not in response.headers


NOWHERE = [
    ("services/a:b:c:d/proxy/", (400, "BadRequest", 'invalid service request "a:b:c:d"')),
    ("pods/ftp:web:1/proxy/", (400, "BadRequest", 'invalid pod request "ftp:web:1"')),
    ("pods/gone/proxy/", (404, "NotFound", 'pods "gone" not found')),
    ("services/gone:http/proxy/", (404, "NotFound", 'endpoints "gone" not found')),
    ("services/gone:80/proxy/", (404, "NotFound", 'services "gone" not found')),
    (
        "services/web:81/proxy/",
        (503, "ServiceUnavailable", 'no service port 81 found for service "web"'),
    ),
    (
        "services/web:other/proxy/",
        (503, "ServiceUnavailable", 'no endpoints available for service "web:other"'),
    ),
    (
        "services/web/proxy/",
        (503, "ServiceUnavailable", 'no endpoints available for service "web"'),
    ),
    (
        "pods/web:99999/proxy/",
        (
            503,
            "ServiceUnavailable",
            "error trying to reach service: dial tcp: address 99999: invalid port",
        ),
    ),
    (
        f"pods/web:{'9' * 5000}/proxy/",
        (
            503,
            "ServiceUnavailable",
            f"error trying to reach service: dial tcp: address {'9' * 5000}: invalid port",
        ),
    ),
    (
        f"services/web:{'9' * 5000}/proxy/",
        (
            503,
            "ServiceUnavailable",
            f'no endpoints available for service "web:{"9" * 5000}"',
        ),
    ),
]


async def test_names_that_lead_nowhere(world: World) -> None:
    for path, expected in NOWHERE:
        assert await refused(world, f"{DEFAULT}/{path}") == expected


async def test_nobody_listens(world: World) -> None:
    assert await refused(world, f"{DEFAULT}/pods/web:1/proxy/") == (
        503,
        "ServiceUnavailable",
        f"error trying to reach service: dial tcp {world.address}:1: connect: connection refused",
    )


async def test_addresses_that_a_server_is_not_to_be_sent_to(world: World) -> None:
    await world.add_pod("inside", "127.0.0.1", world.port)
    await world.add_pod("cloud", "169.254.169.254", 80)
    for name in ("pods/inside", "pods/cloud"):
        assert await refused(world, f"{DEFAULT}/{name}/proxy/") == (
            400,
            "BadRequest",
            "address not allowed",
        )
    assert await refused(world, f"/api/v1/nodes/n1:{world.port}/proxy/") == (
        400,
        "BadRequest",
        "address not allowed",
    )


async def test_endpoints_that_are_no_pods_are_passed_by(world: World) -> None:
    other = await world.add_pod("other", "198.18.255.254", world.port)
    await world.post(
        f"{DEFAULT}/services",
        {"metadata": {"name": "forged"}, "spec": {"ports": [{"name": "http", "port": 80}]}},
    )
    await world.add_endpoints("forged", {"ip": "198.18.255.253"}, pod_address(other, world.address))
    assert await refused(world, f"{DEFAULT}/services/forged:http/proxy/") == (
        503,
        "ServiceUnavailable",
        'no endpoints available for service "forged:http"',
    )


async def test_an_answer_comes_while_it_is_made(world: World) -> None:
    more = asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first\n")
        await more.wait()
        await response.write(b"second\n")
        return response

    world.answer = answer
    async with world.admin.get(f"{WEB}/") as response, asyncio.timeout(60):
        assert await response.content.readline() == b"first\n"
        more.set()
        assert await response.content.read() == b"second\n"


async def test_a_request_is_passed_on_while_it_is_made(world: World) -> None:
    arrived: asyncio.Queue[bytes] = asyncio.Queue()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        async for piece in request.content.iter_any():
            arrived.put_nowait(piece)
        return web.Response(text="done")

    async def body():
        for text in (b"one", b"two"):
            yield text
            assert await arrived.get() == text

    world.answer = answer
    async with asyncio.timeout(60), world.admin.post(f"{WEB}/", data=body()) as response:
        assert await response.text() == "done"


async def test_who_reads_slowly_is_sent_slowly_and_not_cut_off(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "READER_TIMEOUT", 0.2)
    sent, stalled = 0, asyncio.Event()
    size, piece = 64 << 20, bytes(1 << 20)

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Length": str(size)})
        await response.prepare(request)
        while sent < size:
            writing = asyncio.ensure_future(response.write(piece))
            if (await asyncio.wait({writing}, timeout=1))[1]:
                stalled.set()
            await writing
            sent += len(piece)
        return response

    world.answer = answer
    async with world.admin.get(f"{WEB}/") as response, asyncio.timeout(60):
        assert await response.content.readexactly(10) == bytes(10)
        await stalled.wait()
        assert sent < 50 << 20
        assert len(await response.read()) == size - 10


async def test_a_backend_that_breaks_off_is_not_taken_for_one_that_is_done(world: World) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return response

    world.answer = answer
    async with world.admin.get(f"{WEB}/") as response:
        with pytest.raises(ClientPayloadError):
            await response.read()


async def test_a_client_that_goes_ends_the_backends_work(world: World) -> None:
    ended = asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x")
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return response

    world.answer = answer
    response = await world.admin.get(f"{WEB}/")
    assert await response.content.readexactly(1) == b"x"
    response.close()
    async with asyncio.timeout(60):
        await ended.wait()


async def test_a_body_that_waits_to_be_asked_for(world: World) -> None:
    world.answer = echo
    async with asyncio.timeout(60):
        found = await asked(world, "POST", f"{WEB}/", data=b"hello", expect100=True)
    assert found["body"] == "hello"


async def test_what_discovery_tells(world: World) -> None:
    async with world.admin.get("/api/v1") as response:
        listed = {each["name"]: each for each in (await response.json())["resources"]}
    verbs = ["create", "delete", "get", "patch", "update"]
    for plural, kind, namespaced in (
        ("nodes", "NodeProxyOptions", False),
        ("pods", "PodProxyOptions", True),
        ("services", "ServiceProxyOptions", True),
    ):
        assert listed[f"{plural}/proxy"] == {
            "name": f"{plural}/proxy",
            "singularName": "",
            "namespaced": namespaced,
            "kind": kind,
            "verbs": verbs,
        }


async def test_a_method_that_is_none(world: World) -> None:
    async with world.admin.request("BREW", f"{WEB}/") as response:
        assert response.status == 405
        assert json.loads(await response.text())["reason"] == "MethodNotAllowed"

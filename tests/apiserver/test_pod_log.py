"""``pods/log`` through a server to a kubelet's HTTPS door, played by a small server here."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError, web

from podium.api.errors import ApiError
from podium.api.types.core_v1 import (
    Container,
    DaemonEndpoint,
    Node,
    NodeAddress,
    NodeDaemonEndpoints,
    NodeStatus,
    Pod,
    PodSpec,
)
from podium.api.types.meta_v1 import ObjectMeta
from podium.apiserver.node_proxy import Door, NodeProxy, door
from podium.apiserver.paths import Query
from podium.apiserver.pod_log import choose_container, log_options
from support.apiserver import RunningApiServer

PODS = "/api/v1/namespaces/default/pods"
Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Kubelet:
    """Answers like a kubelet: only who shows a certificate of the cluster's gets in."""

    def __init__(self) -> None:
        self.requests: list[web.BaseRequest] = []
        self.answer: Answer = self.one_line

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(request)
        return await self.answer(request)

    async def one_line(self, _: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="hello\n")


@asynccontextmanager
async def kubelet(api: RunningApiServer, session: ClientSession) -> AsyncIterator[Kubelet]:
    """A kubelet, its Node, and two Pods on it: ``one`` with a container c, ``two`` with c and d."""
    pair = api.authority.server("system:node:n1")
    context = ssl.create_default_context(
        ssl.Purpose.CLIENT_AUTH, cafile=str(api.authority.cert_file)
    )
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(pair.cert, pair.key)
    running = Kubelet()
    protocols = web.Server(running.handle, handler_cancellation=True)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocols, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    await post(session, "/api/v1/nodes", node(port))
    await post(session, "/api/v1/namespaces/default/serviceaccounts", named("default"))
    await post(session, PODS, pod("one", "n1", ["c"]))
    await post(session, PODS, pod("two", "n1", ["c", "d"]))
    try:
        yield running
    finally:
        server.close()
        protocols.pre_shutdown()
        await protocols.shutdown(1)


def named(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}}


def node(port: int) -> dict[str, Any]:
    status = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
    }
    return named("n1") | {"status": status}


def pod(name: str, node_name: str, containers: list[str]) -> dict[str, Any]:
    spec = {
        "nodeName": node_name,
        "automountServiceAccountToken": False,
        "containers": [{"name": each, "image": "i"} for each in containers],
    }
    return named(name) | {"spec": spec}


async def post(session: ClientSession, path: str, body: dict[str, Any]) -> None:
    async with session.post(path, json=body) as response:
        assert response.status in (201, 409), await response.text()


async def message(session: ClientSession, path: str) -> tuple[int, str]:
    async with session.get(path) as response:
        return response.status, (await response.json(content_type=None))["message"]


async def test_a_log_is_passed_on(api: RunningApiServer) -> None:
    async with api.session() as session, kubelet(api, session) as node_:
        query = "tailLines=3&timestamps=true&previous=false&limitBytes=100"
        async with session.get(f"{PODS}/one/log?{query}") as response:
            assert (response.status, await response.text()) == (200, "hello\n")
            assert response.headers["Content-Type"] == "text/plain"
    (request,) = node_.requests
    assert request.path == "/containerLogs/default/one/c"
    assert dict(request.query) == {"tailLines": "3", "limitBytes": "100", "timestamps": "true"}


async def test_lines_arrive_while_the_log_goes_on(api: RunningApiServer) -> None:
    more = asyncio.Event()

    async def follow(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first\n")
        await more.wait()
        await response.write(b"second\n")
        return response

    async with api.session() as session, kubelet(api, session) as node_:
        node_.answer = follow
        async with session.get(f"{PODS}/one/log?follow=true") as response, asyncio.timeout(60):
            assert await response.content.readline() == b"first\n"
            more.set()
            assert await response.content.read() == b"second\n"


async def test_who_stops_reading_stops_the_kubelet(api: RunningApiServer) -> None:
    ended = asyncio.Event()

    async def follow(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first\n")
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.set()
        return response

    async with api.session() as session, kubelet(api, session) as node_:
        node_.answer = follow
        async with session.get(f"{PODS}/one/log?follow=true") as response:
            assert await response.content.readline() == b"first\n"
        async with asyncio.timeout(60):
            await ended.wait()


@pytest.mark.parametrize(
    ("path", "code", "expected"),
    [
        pytest.param("nosuch/log", 404, 'pods "nosuch" not found', id="no-pod"),
        pytest.param(
            "two/log",
            400,
            "a container name must be specified for pod two, choose one of: [c d]",
            id="which-container",
        ),
        pytest.param(
            "one/log?container=x", 400, "container x is not valid for pod one", id="no-container"
        ),
        pytest.param(
            "one/log?tailLines=-1",
            422,
            'PodLogOptions "one" is invalid: tailLines: Invalid value: -1: '
            "must be greater than or equal to 0",
            id="tail",
        ),
    ],
)
async def test_refused_by_the_server(
    api: RunningApiServer, path: str, code: int, expected: str
) -> None:
    async with api.session() as session, kubelet(api, session):
        assert await message(session, f"{PODS}/{path}") == (code, expected)


@pytest.mark.parametrize(
    ("code", "text", "expected_code", "expected"),
    [
        (400, "previous terminated container not found", 400, "previous terminated container"),
        (500, "disk on fire", 500, "Internal error occurred: disk on fire"),
        (404, "no such", 404, "the server responded with the status code 404"),
    ],
)
async def test_refused_by_the_kubelet(
    api: RunningApiServer, code: int, text: str, expected_code: int, expected: str
) -> None:
    async def refuse(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=code, text=text)

    async with api.session() as session, kubelet(api, session) as node_:
        node_.answer = refuse
        found, told = await message(session, f"{PODS}/one/log")
    assert found == expected_code
    assert told.startswith(expected)


async def test_a_refusal_that_comes_in_pieces_is_told_whole(api: RunningApiServer) -> None:
    async def refuse(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.StreamResponse(status=400)
        await answer.prepare(request)
        for piece in (b"previous terminated ", b"container ", b"not found"):
            await answer.write(piece)
            await asyncio.sleep(0)
        return answer

    async with api.session() as session, kubelet(api, session) as node_:
        node_.answer = refuse
        told = await message(session, f"{PODS}/one/log")
    assert told == (400, "previous terminated container not found")


async def test_a_pod_without_a_node_has_no_log(api: RunningApiServer) -> None:
    async with api.session() as session, kubelet(api, session):
        await post(session, PODS, pod("waiting", "", ["c"]))
        async with session.get(f"{PODS}/waiting/log") as response:
            assert (response.status, await response.read()) == (204, b"")


async def test_a_node_that_is_down(api: RunningApiServer) -> None:
    async with api.session() as session:
        async with kubelet(api, session):
            pass
        code, told = await message(session, f"{PODS}/one/log")
    assert code == 500
    assert told.startswith('Get "https://127.0.0.1:')


# ------------------------------------------------------------------------ pure parts


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limitBytes=0", "limitBytes: Invalid value: 0: must be greater than 0"),
        ("sinceSeconds=0", "sinceSeconds: Invalid value: 0: must be greater than 0"),
        (
            "sinceSeconds=1&sinceTime=2001-01-01T00:00:00Z",
            "[]: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified",
        ),
        (
            "stream=Both",
            'stream: Unsupported value: "Both": supported values: "All", "Stderr", "Stdout"',
        ),
        (
            "stream=Stderr&tailLines=1",
            "[]: Forbidden: `tailLines` and specific `stream` are mutually exclusive for now",
        ),
    ],
)
def test_bad_options(query: str, expected: str) -> None:
    with pytest.raises(ApiError) as caught:
        log_options(Query(query), "p")
    assert str(caught.value) == f'PodLogOptions "p" is invalid: {expected}'


def test_a_bad_time() -> None:
    with pytest.raises(ApiError) as caught:
        log_options(Query("sinceTime=yesterday"), "p")
    assert caught.value.code == 400


def test_any_container_may_be_named() -> None:
    spec = PodSpec(init_containers=[Container(name="i")], containers=[Container(name="c")])
    both = Pod(metadata=ObjectMeta(name="p"), spec=spec)
    assert choose_container(both, "") == "c"
    assert choose_container(both, "i") == "i"


@pytest.mark.parametrize(
    ("addresses", "port", "expected"),
    [
        ([("Hostname", "h"), ("InternalIP", "10.0.0.1")], 1234, Door("10.0.0.1", 1234)),
        ([("Hostname", "h")], 0, Door("h", 10250)),
        ([("InternalIP", "fd00::1")], 1, Door("fd00::1", 1)),
    ],
)
def test_where_a_kubelet_listens(
    addresses: list[tuple[str, str]], port: int, expected: Door
) -> None:
    status = NodeStatus(
        addresses=[NodeAddress(type=kind, address=address) for kind, address in addresses],
        daemon_endpoints=NodeDaemonEndpoints(kubelet_endpoint=DaemonEndpoint(port=port)),
    )
    assert door(Node(status=status)) == expected


def test_a_node_without_addresses() -> None:
    with pytest.raises(ApiError, match="no preferred addresses found"):
        door(Node())


def test_addresses_in_urls() -> None:
    assert Door("fd00::1", 1).url("/x") == "https://[fd00::1]:1/x"


async def test_who_comes_while_the_connections_are_set_up_shares_them(
    api: RunningApiServer,
) -> None:
    nodes = NodeProxy(api.options)
    try:
        one, other = await asyncio.gather(nodes.connections(), nodes.connections())
        assert one == other
    finally:
        await nodes.aclose()


async def test_certificates_change_under_streams_that_go_on(api: RunningApiServer) -> None:
    """Who comes later shows the new one; where it is not there yet, the next one finds it."""
    file = api.options.kubelet_client_cert_file
    assert file is not None
    goes_on = asyncio.Event()

    async def slow(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"one\n")
        await goes_on.wait()
        await response.write(b"two\n")
        return response

    async with api.session() as session, kubelet(api, session) as node_:
        node_.answer = slow
        async with session.get(f"{PODS}/one/log?follow=true") as stream:
            assert await stream.content.readline() == b"one\n"
            node_.answer = node_.one_line
            content = file.read_bytes()
            file.write_bytes(b"half of it")
            async with session.get(f"{PODS}/one/log") as response:
                assert response.status == 500
            file.write_bytes(content + b"\n")
            async with session.get(f"{PODS}/one/log") as response:
                assert (response.status, await response.text()) == (200, "hello\n")
            goes_on.set()
            assert await stream.content.readline() == b"two\n"


@pytest.mark.parametrize(
    ("offered", "chosen", "messages"),
    [
        pytest.param((), None, [b"", b"hello\n"], id="none"),
        pytest.param(("x", "binary.k8s.io"), "binary.k8s.io", [b"", b"hello\n"], id="binary"),
        pytest.param(("base64.binary.k8s.io",), "base64.binary.k8s.io", ["", "aGVsbG8K"],
                     id="base64"),
    ],
)  # fmt: skip
async def test_a_log_in_the_messages_of_a_web_socket(
    api: RunningApiServer, offered: tuple[str, ...], chosen: str | None, messages: list[Any]
) -> None:
    async with (
        api.session() as session,
        kubelet(api, session),
        session.ws_connect(f"{PODS}/one/log", protocols=offered) as socket,
    ):
        assert socket.protocol == chosen
        assert [(await socket.receive(timeout=60)).data for _ in messages] == messages
        assert (await socket.receive(timeout=60)).type is WSMsgType.CLOSE


async def test_a_web_socket_of_another_protocol(api: RunningApiServer) -> None:
    async with api.session() as session, kubelet(api, session):
        with pytest.raises(WSServerHandshakeError) as caught:
            await session.ws_connect(f"{PODS}/one/log", protocols=("x",))
        assert caught.value.status == 403

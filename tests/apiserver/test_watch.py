import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, ClientWebSocketResponse, WSMsgType

from podium.api.scheme import CONFIGMAPS as RESOURCE
from podium.apiserver.protocol import HEADERS_SIZE
from support.apiserver import RunningApiServer, running_apiserver

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def configmap(name: str, **labels: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": labels},
        "data": {"k": "1"},
    }


async def create(session: ClientSession, name: str, **labels: str) -> None:
    async with session.post(CONFIGMAPS, json=configmap(name, **labels)) as response:
        assert response.status == 201


@asynccontextmanager
async def watching(
    session: ClientSession, *, accept: str = "application/json", **params: str
) -> AsyncIterator[ClientResponse]:
    params = {"watch": "true", "timeoutSeconds": "120", **params}
    headers = {"Accept": accept}
    async with session.get(CONFIGMAPS, params=params, headers=headers) as response:
        assert response.status == 200
        yield response


async def event(response: ClientResponse) -> dict[str, Any]:
    async with asyncio.timeout(60):
        line = await response.content.readline()
    found: dict[str, Any] = json.loads(line)
    return found


def told(found: dict[str, Any]) -> tuple[str, str]:
    return found["type"], found["object"]["metadata"]["name"]


async def test_first_what_is_there_then_every_change(api: RunningApiServer) -> None:
    async with api.session() as session:
        await create(session, "a")
        async with watching(session) as stream:
            assert told(await event(stream)) == ("ADDED", "a")
            await create(session, "b")
            assert told(await event(stream)) == ("ADDED", "b")
            async with session.put(f"{CONFIGMAPS}/b", json=configmap("b", x="y")):
                assert told(await event(stream)) == ("MODIFIED", "b")
            async with session.delete(f"{CONFIGMAPS}/a"):
                assert told(await event(stream)) == ("DELETED", "a")


async def test_events_carry_whole_objects(api: RunningApiServer) -> None:
    async with api.session() as session, watching(session) as stream:
        await create(session, "a")
        found = (await event(stream))["object"]
        async with session.get(f"{CONFIGMAPS}/a") as response:
            assert await response.json() == found


async def test_a_selector_turns_changes_into_comings_and_goings(api: RunningApiServer) -> None:
    async with api.session() as session, watching(session, labelSelector="x=y") as stream:
        await create(session, "a")
        await create(session, "b", x="y")
        assert told(await event(stream)) == ("ADDED", "b")
        async with session.put(f"{CONFIGMAPS}/b", json=configmap("b")):
            assert told(await event(stream)) == ("DELETED", "b")


async def test_a_watch_of_one_name(api: RunningApiServer) -> None:
    async with (
        api.session() as session,
        watching(session, fieldSelector="metadata.name=b") as stream,
    ):
        await create(session, "a")
        await create(session, "b")
        assert told(await event(stream)) == ("ADDED", "b")


async def test_a_watch_of_a_table_sends_its_columns_once(api: RunningApiServer) -> None:
    async with api.session() as session:
        await create(session, "a")
        async with watching(session, accept=TABLE) as stream:
            first = (await event(stream))["object"]
            await create(session, "b")
            second = (await event(stream))["object"]
    assert [column["name"] for column in first["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert second["columnDefinitions"] is None
    assert [table["rows"][0]["cells"][0] for table in (first, second)] == ["a", "b"]
    assert first["metadata"]["resourceVersion"]


async def test_a_watch_ends_after_its_time(api: RunningApiServer) -> None:
    async with api.session() as session, watching(session, timeoutSeconds="1") as stream:
        async with asyncio.timeout(60):
            assert await stream.content.read() == b""


async def test_a_version_that_is_forgotten_is_told_as_an_event(tmp_path: Path) -> None:
    async with running_apiserver(tmp_path) as api, api.session() as session:
        await create(session, "a")
        await api.store.compact(await api.store.revision())
    async with (
        running_apiserver(tmp_path) as api,  # one whose cache has not seen that past
        api.session() as session,
        watching(session, resourceVersion="1") as stream,
    ):
        found = await event(stream)
    assert found["type"] == "ERROR"
    assert (found["object"]["code"], found["object"]["reason"]) == (410, "Expired")


async def test_bad_options_are_an_answer_of_their_own(api: RunningApiServer) -> None:
    params = {"watch": "1", "labelSelector": "a b"}
    async with api.session() as session, session.get(CONFIGMAPS, params=params) as response:
        assert response.status == 400


async def test_yaml_cannot_be_watched(api: RunningApiServer) -> None:
    headers = {"Accept": "application/yaml"}
    async with (
        api.session() as session,
        session.get(CONFIGMAPS, params={"watch": "1"}, headers=headers) as response,
    ):
        assert response.status == 406


async def test_a_client_that_goes_away_leaves_nothing_behind(api: RunningApiServer) -> None:
    watchers = api.registry._kinds[RESOURCE].cache.watchers
    before = len(watchers)
    async with api.session() as session, watching(session):
        assert len(watchers) == before + 1
    async with asyncio.timeout(60):
        while len(watchers) > before:
            await asyncio.sleep(0)


async def test_a_server_that_stops_ends_its_watches(tmp_path: Path) -> None:
    async with running_apiserver(tmp_path) as api:
        session = api.session()
        response = await session.get(CONFIGMAPS, params={"watch": "1"})
    async with asyncio.timeout(60):
        assert await response.content.read() == b""  # ended by the last chunk, not cut off
    await session.close()


async def test_clients_that_leave_as_the_server_stops_are_no_errors(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_apiserver(tmp_path) as api:
        session = api.session()
        responses = [await session.get(CONFIGMAPS, params={"watch": "1"}) for _ in range(8)]
        for response in responses:
            response.close()
    await session.close()
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_clients_that_are_gone_before_their_watch_begins_leave_no_error(
    api: RunningApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    request = f"GET {CONFIGMAPS}?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    for _ in range(20):
        _, writer = await asyncio.open_connection(
            "127.0.0.1", api.port, ssl=api.ssl_context(api.pair())
        )
        writer.write(request)
        await writer.drain()
        writer.close()
    async with api.session() as session:  # the server has come past them
        await create(session, "a")
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


@asynccontextmanager
async def in_messages(
    session: ClientSession, path: str = f"{CONFIGMAPS}?watch=true", **named: Any
) -> AsyncIterator[ClientWebSocketResponse]:
    async with session.ws_connect(path, **named) as socket:
        yield socket


async def test_a_web_socket_gets_each_event_as_a_message(api: RunningApiServer) -> None:
    async with api.session() as session:
        await create(session, "a")
        async with in_messages(session, protocols=("of-mine",)) as socket:
            assert socket.protocol == "of-mine"
            first = json.loads(await socket.receive_str(timeout=60))
            assert told(first) == ("ADDED", "a")
            await socket.send_str("nobody listens")
            await create(session, "b")
            assert told(json.loads(await socket.receive_str(timeout=60))) == ("ADDED", "b")


async def test_a_web_socket_is_no_head_of_a_request_however_much_comes(
    api: RunningApiServer,
) -> None:
    async with api.session() as session, in_messages(session) as socket:
        for _ in range(HEADERS_SIZE // 32_000 + 1):
            await socket.send_bytes(bytes(32_000))
        await create(session, "a")
        assert told(json.loads(await socket.receive_str(timeout=60))) == ("ADDED", "a")


async def test_a_web_socket_takes_no_long_message(api: RunningApiServer) -> None:
    async with api.session() as session, in_messages(session) as socket:
        await socket.send_bytes(bytes(100_000))
        ended = (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR)
        assert (await socket.receive(timeout=60)).type in ended


async def test_a_web_socket_is_closed_after_its_time(api: RunningApiServer) -> None:
    path = f"{CONFIGMAPS}?watch=true&timeoutSeconds=1"
    async with api.session() as session, in_messages(session, path) as socket:
        assert (await socket.receive(timeout=60)).type is WSMsgType.CLOSE


async def test_a_web_socket_whose_client_goes_away_leaves_no_watch_behind(
    api: RunningApiServer,
) -> None:
    watchers = api.registry._kinds[RESOURCE].cache.watchers
    before = len(watchers)
    async with api.session() as session, in_messages(session):
        assert len(watchers) == before + 1
    async with asyncio.timeout(60):
        while len(watchers) > before:
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("query", "headers", "code"),
    [
        pytest.param("labelSelector=a(", {}, 400, id="an-odd-selector"),
        pytest.param("", {"Sec-WebSocket-Key": "x"}, 400, id="half-a-handshake"),
        pytest.param("", {"Accept": "application/yaml"}, 406, id="no-json"),
    ],
)
async def test_what_is_refused_is_an_answer_of_http(
    api: RunningApiServer, query: str, headers: dict[str, str], code: int
) -> None:
    asked = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
             "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", **headers}  # fmt: skip
    path = f"{CONFIGMAPS}?watch=true&{query}"
    async with api.session() as session, session.get(path, headers=asked) as response:
        assert (response.status, str(code) in await response.text()) == (code, True)

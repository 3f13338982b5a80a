"""What watches and lists promise holds over the wire, too; see ``support.watch_history``."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from support import watch_load
from support.apiserver import RunningApiServer, running_apiserver
from support.watch_history import State, Told, Wants
from support.watch_load import NAMESPACES, Asked, Gone, Page, said, told_of, version_of

MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


class WireDoor:
    """A running API server; objects are ServiceAccounts, whose deletion tells its revision."""

    def __init__(self, api: RunningApiServer, session: ClientSession) -> None:
        self._api, self._session = api, session

    async def create(self, key: str, state: State) -> int | None:
        namespace, _, name = key.partition("/")
        body = {"metadata": {"name": name, **said(state)}}
        return await self._write("POST", _path(Wants(namespace)), 409, json=body)

    async def change(self, key: str, state: State) -> int | None:
        body = json.dumps({"metadata": said(state)})
        return await self._write("PATCH", _path_of(key), 404, data=body, headers=MERGE_PATCH)

    async def delete(self, key: str) -> int | None:
        return await self._write("DELETE", _path_of(key), 404)

    async def _write(self, method: str, path: str, refusal: int, **named: Any) -> int | None:
        async with self._session.request(method, path, **named) as response:
            answer = await response.json()
            if response.status == refusal:
                return None
            assert response.status in (200, 201), answer
            return int(answer["metadata"]["resourceVersion"])

    async def list(self, asked: Asked) -> Page:
        async with self._session.get(_path(asked.wants), params=_query(asked)) as response:
            answer = await response.json()
            if response.status == 410:
                raise Gone
            assert response.status == 200, answer
        metadata = answer["metadata"]
        items = [version_of(item) for item in answer["items"]]
        return Page(int(metadata["resourceVersion"]), items, metadata.get("continue", ""))

    @asynccontextmanager
    async def watch(self, asked: Asked) -> AsyncIterator[AsyncIterator[Told]]:
        params = {"watch": "1", **_query(asked)}
        async with self._session.get(_path(asked.wants), params=params) as response:
            assert response.status == 200
            yield _events(response.content)

    async def compact(self, revision: int) -> None:
        await self._api.store.compact(revision)
        self._api.registry._forget(revision)


async def _events(lines: AsyncIterator[bytes]) -> AsyncIterator[Told]:
    async for line in lines:
        event = json.loads(line)
        yield told_of(event["type"], event["object"])


def _path(wants: Wants) -> str:
    inside = f"namespaces/{wants.namespace}/" if wants.namespace else ""
    return f"/api/v1/{inside}serviceaccounts"


def _path_of(key: str) -> str:
    namespace, _, name = key.partition("/")
    return f"{_path(Wants(namespace))}/{name}"


def _query(asked: Asked) -> dict[str, str]:
    wants = asked.wants
    query = {
        "labelSelector": f"app={wants.app}" if wants.app else "",
        "fieldSelector": f"metadata.name={wants.name}" if wants.name else "",
        "resourceVersion": asked.version,
        "resourceVersionMatch": asked.match,
        "limit": str(asked.limit or ""),
        "continue": asked.continue_,
    }
    if asked.initial:
        query |= {"sendInitialEvents": "true", "allowWatchBookmarks": "true"}
    return {name: value for name, value in query.items() if value}


async def test_what_is_promised_holds_over_the_wire(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch_load.tighten(monkeypatch)
    async with running_apiserver(tmp_path) as api, api.session() as session:
        for name in NAMESPACES:
            async with session.post(
                "/api/v1/namespaces", json={"metadata": {"name": name}}
            ) as made:
                assert made.status == 201
        record = await watch_load.run(WireDoor(api, session), seed=1, attempts=30, readers=6)
    watch_load.check(record)

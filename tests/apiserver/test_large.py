"""Large answers: compressed where that is accepted, the same whichever way they come."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading

import pytest
import yaml

from podium.api.scheme import CONFIGMAPS
from podium.api.types.core_v1 import ConfigMap
from podium.api.types.meta_v1 import ObjectMeta
from podium.api.user import UserInfo
from podium.apiserver import large, responses
from podium.registry.types import RequestContext
from support.apiserver import running_apiserver

COUNT = 300
PATH = "/api/v1/namespaces/default/configmaps?labelSelector=large"


@pytest.fixture
async def session(tmp_path):
    async with running_apiserver(tmp_path) as api:
        for number in range(COUNT):
            metadata = ObjectMeta(name=f"c{number:04}", labels={"large": ""})
            value = f"{number}" * (5000 if number % 2 else 10)
            await api.registry.create(
                CONFIGMAPS,
                "default",
                ConfigMap(metadata=metadata, data={"v": value}),
                RequestContext(UserInfo("test")),
            )
        async with api.session() as session:
            session._auto_decompress = False
            yield session


async def fetch(session, **headers):
    async with session.get(PATH, headers=headers) as response:
        assert response.status == 200
        return response.headers, await response.read()


async def test_gzip_where_it_is_accepted(session):
    plain_headers, plain = await fetch(session, **{"Accept-Encoding": "identity"})
    headers, packed = await fetch(session, **{"Accept-Encoding": "deflate, gzip;q=0.5"})
    assert "Content-Encoding" not in plain_headers
    assert plain_headers["Content-Length"] == str(len(plain))
    assert (headers["Content-Encoding"], headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(packed) == plain
    assert len(json.loads(plain)["items"]) == COUNT


async def test_gzip_is_not_forced_on_anybody(session):
    headers, _ = await fetch(session, **{"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in headers


async def test_nor_are_compressed_documents(session):
    async with session.get("/openapi/v3", headers={"Accept-Encoding": "gzip;q=0"}) as response:
        assert "Content-Encoding" not in response.headers
    async with session.get("/openapi/v3", headers={"Accept-Encoding": "gzip"}) as response:
        assert response.headers["Content-Encoding"] == "gzip"


async def test_small_answers_stay_as_they_are(session):
    async with session.get("/version", headers={"Accept-Encoding": "gzip"}) as response:
        assert "Content-Encoding" not in response.headers


async def test_yaml_says_the_same(session):
    _, plain = await fetch(session, **{"Accept-Encoding": "identity"})
    headers, text = await fetch(
        session, **{"Accept": "application/yaml", "Accept-Encoding": "identity"}
    )
    assert headers["Content-Type"] == "application/yaml"
    loaded = await asyncio.to_thread(yaml.load, text, yaml.CSafeLoader)
    assert [item["data"] for item in loaded["items"]] == [
        item["data"] for item in json.loads(plain)["items"]
    ]


async def test_a_large_table_has_all_rows(session):
    accept = "application/json;as=Table;g=meta.k8s.io;v=v1"
    _, body = await fetch(session, **{"Accept": accept, "Accept-Encoding": "identity"})
    assert len(json.loads(body)["rows"]) == COUNT


async def test_lists_are_rewritten_one_after_the_other(session, monkeypatch):
    """Each takes several times its size meanwhile."""
    under_way, most = 0, 0
    lock = threading.Lock()

    def rewritten(body):
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        found = responses._pretty(body)
        with lock:
            under_way -= 1
        return found

    monkeypatch.setattr(responses, "_rewrite", lambda media: rewritten if media.pretty else None)
    _, plain = await fetch(session, **{"Accept-Encoding": "identity"})
    assert len(plain) > large.ROOM / 2  # no two of them have room
    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(fetch(session, Accept="application/json;pretty=1"))
    assert most == 1

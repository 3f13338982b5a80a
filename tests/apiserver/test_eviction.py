"""``pods/eviction`` over HTTP: what it leaves on the Pod."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import ClientSession

from support.apiserver import RunningApiServer

BASE = "/api/v1/namespaces/default"


@pytest.fixture
async def session(api: RunningApiServer):
    async with api.session() as session:
        await session.post(f"{BASE}/serviceaccounts", json={"metadata": {"name": "default"}})
        spec = {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}
        await session.post(f"{BASE}/pods", json={"metadata": {"name": "p"}, "spec": spec})
        yield session
        await session.delete(f"{BASE}/pods/p?gracePeriodSeconds=0")


async def evict(session: ClientSession, **options: Any) -> int:
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": "p"},
        "deleteOptions": options,
    }
    async with session.post(f"{BASE}/pods/p/eviction", json=body) as response:
        return response.status


async def pod(session: ClientSession) -> Any:
    async with session.get(f"{BASE}/pods/p") as response:
        return await response.json()


async def test_an_evicted_pod_says_so(session):
    assert await evict(session, dryRun=["All"]) == 201
    assert "deletionTimestamp" not in (await pod(session))["metadata"]
    assert await evict(session) == 201
    found = await pod(session)
    assert "deletionTimestamp" in found["metadata"]
    [told] = [c for c in found["status"]["conditions"] if c["type"] == "DisruptionTarget"]
    assert (told["status"], told["reason"], told["message"]) == (
        "True", "EvictionByEvictionAPI", "Eviction API: evicting",
    )  # fmt: skip


async def test_a_pod_that_was_to_go_anyway_says_since_when(session):
    since = "2020-01-02T03:04:05Z"
    condition = {"type": "DisruptionTarget", "status": "True", "lastTransitionTime": since}
    headers = {"Content-Type": "application/merge-patch+json"}
    status = {"status": {"conditions": [condition]}}
    async with session.patch(f"{BASE}/pods/p/status", json=status, headers=headers) as response:
        assert response.status == 200
    assert await evict(session) == 201
    [told] = (await pod(session))["status"]["conditions"]
    assert (told["reason"], told["lastTransitionTime"]) == ("EvictionByEvictionAPI", since)


async def test_a_version_that_was_asked_for_counts(session):
    version = (await pod(session))["metadata"]["resourceVersion"]
    assert await evict(session, preconditions={"resourceVersion": "1"}) == 409
    assert "conditions" not in (await pod(session))["status"]
    assert await evict(session, preconditions={"resourceVersion": version}) == 201
    assert "deletionTimestamp" in (await pod(session))["metadata"]


async def test_another_pod_of_the_name_is_not_said_to_go(session):
    assert await evict(session, preconditions={"uid": "another"}) == 409
    assert "conditions" not in (await pod(session))["status"]

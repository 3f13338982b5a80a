"""``pods/restart`` over HTTP: who may, what is refused, what is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import ClientSession

from support.apiserver import RunningApiServer

BASE = "/api/v1/namespaces/default"
DOOR = f"{BASE}/pods/p/restart"


@pytest.fixture
async def session(api: RunningApiServer):
    async with api.session() as session:
        await session.post(f"{BASE}/serviceaccounts", json={"metadata": {"name": "default"}})
        spec = {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}
        await session.post(f"{BASE}/pods", json={"metadata": {"name": "p"}, "spec": spec})
        yield session
        await session.delete(f"{BASE}/pods/p?gracePeriodSeconds=0")


async def post(session: ClientSession, query: str = "") -> tuple[int, Any]:
    async with session.post(DOOR + query) as response:
        return response.status, await response.json()


async def run(session: ClientSession, **state: Any) -> None:
    ran = {"name": "c", "image": "i", "imageID": "i", "ready": True, "restartCount": 0}
    status = {"phase": "Running", "containerStatuses": [{**ran, "containerID": "podium://1"}]}
    headers = {"Content-Type": "application/merge-patch+json"}
    async with session.patch(
        f"{BASE}/pods/p/status", json={"status": {**status, **state}}, headers=headers
    ) as response:
        assert response.status == 200, await response.text()


async def test_what_is_asked_for_is_kept_with_the_pod(session):
    assert (await post(session))[0] == 409, "nothing has run yet"
    await run(session)
    status, pod = await post(session, "?container=c&dryRun=All")
    assert status == 201
    assert json.loads(pod["metadata"]["annotations"]["podium.io/restart"]) == {"c": "podium://1"}
    async with session.get(f"{BASE}/pods/p") as response:
        assert "annotations" not in (await response.json())["metadata"]
    status, pod = await post(session)
    assert (status, pod["kind"]) == (201, "Pod")
    async with session.get(f"{BASE}/pods/p") as response:
        assert (await response.json())["metadata"] == pod["metadata"]


async def test_what_is_refused(session):
    await run(session)
    status, answer = await post(session, "?container=d")
    assert (status, answer["reason"]) == (400, "BadRequest")
    assert answer["message"] == "container d is not valid for pod p"
    await run(session, phase="Succeeded")
    status, answer = await post(session)
    assert (status, answer["message"]) == (409, "pod p is over (Succeeded)")
    async with session.get(DOOR) as response:
        assert response.status == 405
    async with session.post(f"{BASE}/pods/q/restart") as response:
        assert response.status == 404


async def test_it_is_a_right_of_its_own(api, session):
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}
    rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
    role = {"metadata": {"name": "r"}, "rules": [rule]}
    subject = {"kind": "User", "name": "u", "apiGroup": "rbac.authorization.k8s.io"}
    binding = {
        "metadata": {"name": "r"},
        "subjects": [subject],
        "roleRef": {"kind": "Role", "name": "r", "apiGroup": "rbac.authorization.k8s.io"},
    }
    await session.post(f"{rbac}/roles", json=role)
    await session.post(f"{rbac}/rolebindings", json=binding)
    await run(session)
    async with api.session("u", []) as other:
        assert (await post(other))[0] == 403
        rule["resources"].append("pods/restart")
        async with session.put(f"{rbac}/roles/r", json=role) as response:
            assert response.status == 200
        assert (await post(other))[0] == 201


async def test_it_is_in_discovery(session):
    async with session.get("/api/v1") as response:
        listed = (await response.json())["resources"]
    [found] = [entry for entry in listed if entry["name"] == "pods/restart"]
    assert found == {
        "name": "pods/restart", "singularName": "", "namespaced": True, "kind": "Pod",
        "verbs": ["create"],
    }  # fmt: skip

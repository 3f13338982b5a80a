"""``pods/resize`` over HTTP: what is stored, who owns it, what quotas and limits say."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession

from support.apiserver import RunningApiServer

BASE = "/api/v1/namespaces/default"
PODS = f"{BASE}/pods"
DOOR = f"{PODS}/p/resize"
STRATEGIC = "application/strategic-merge-patch+json"


async def send(
    session: ClientSession, method: str, path: str, body: Any, kind: str = "application/json"
) -> tuple[int, Any]:
    headers = {"Content-Type": kind}
    async with session.request(method, path, data=json.dumps(body), headers=headers) as response:
        return response.status, await response.json()


async def must(session: ClientSession, method: str, path: str, body: Any) -> Any:
    status, answer = await send(session, method, path, body)
    assert status in (200, 201), answer
    return answer


def resources(cpu: str) -> dict[str, Any]:
    return {"requests": {"cpu": cpu, "memory": "64Mi"}, "limits": {"cpu": "4"}}


@pytest.fixture
async def session(api: RunningApiServer) -> AsyncIterator[ClientSession]:
    async with api.session() as session:
        async with session.get(f"{BASE}/serviceaccounts/default") as response:
            missing = response.status == 404
        if missing:
            account = {"metadata": {"name": "default"}}
            await must(session, "POST", f"{BASE}/serviceaccounts", account)
        container = {"name": "c", "image": "app:1", "resources": resources("1")}
        pod = {"metadata": {"name": "p"}, "spec": {"containers": [container]}}
        await must(session, "POST", f"{PODS}?fieldManager=maker", pod)
        yield session


def patch(cpu: str) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": cpu}}}]}}


async def test_a_patch_changes_what_is_asked_for(session: ClientSession) -> None:
    door = f"{DOOR}?fieldManager=scaler"
    status, pod = await send(session, "PATCH", door, patch("2"), STRATEGIC)
    assert status == 200, pod
    assert pod["spec"]["containers"][0]["resources"] == resources("2")
    assert pod["metadata"]["generation"] == 2
    async with session.get(DOOR) as response:
        assert (await response.json())["spec"] == pod["spec"]
    (entry,) = [e for e in pod["metadata"]["managedFields"] if e["manager"] == "scaler"]
    assert entry["subresource"] == "resize"
    assert entry["fieldsV1"] == {"f:spec": {"f:containers": {'k:{"name":"c"}': {
        "f:resources": {"f:requests": {"f:cpu": {}}}}}}}  # fmt: skip


async def test_put_takes_the_resources_and_nothing_else(session: ClientSession) -> None:
    async with session.get(f"{PODS}/p") as response:
        pod = await response.json()
    pod["spec"]["containers"][0] |= {"image": "other", "resources": resources("2")}
    pod["metadata"]["labels"] = {"a": "b"}
    pod["status"]["phase"] = "Running"
    updated = await must(session, "PUT", f"{DOOR}?fieldManager=scaler", pod)
    container = updated["spec"]["containers"][0]
    assert (container["image"], container["resources"]) == ("app:1", resources("2"))
    assert "labels" not in updated["metadata"]
    assert updated["status"]["phase"] == "Pending"
    (entry,) = [e for e in updated["metadata"]["managedFields"] if e["manager"] == "scaler"]
    assert entry["fieldsV1"] == {"f:spec": {"f:containers": {'k:{"name":"c"}': {
        "f:resources": {"f:requests": {"f:cpu": {}}}}}}}  # fmt: skip


async def test_the_pod_itself_still_does_not_take_them(session: ClientSession) -> None:
    status, answer = await send(session, "PATCH", f"{PODS}/p", patch("2"), STRATEGIC)
    assert status == 422
    assert "pod updates may not change fields other than" in answer["message"]


async def test_another_qos_class_is_refused(session: ClientSession) -> None:
    whole = {"limits": {"cpu": "1", "memory": "64Mi"}, "requests": {"cpu": "1", "memory": "64Mi"}}
    body = {"spec": {"containers": [{"name": "c", "resources": whole}]}}
    status, answer = await send(session, "PATCH", DOOR, body, STRATEGIC)
    assert status == 422
    assert answer["message"] == (
        'Pod "p" is invalid: spec: Invalid value: "Burstable": '
        "Pod QOS Class may not change as a result of resizing"
    )


async def test_a_limit_range_bounds_it(session: ClientSession) -> None:
    limits = {"metadata": {"name": "l"}, "spec": {"limits": [
        {"type": "Container", "max": {"cpu": "4"}, "min": {"cpu": "500m"}}]}}  # fmt: skip
    await must(session, "POST", f"{BASE}/limitranges", limits)
    status, answer = await send(session, "PATCH", DOOR, patch("100m"), STRATEGIC)
    assert status == 403
    assert answer["message"] == (
        'pods "p" is forbidden: minimum cpu usage per Container is 500m, but request is 100m'
    )


async def test_a_quota_is_charged_what_it_takes_more(session: ClientSession) -> None:
    quota = {"metadata": {"name": "q"}, "spec": {"hard": {"requests.cpu": "3"}}}
    made = await must(session, "POST", f"{BASE}/resourcequotas", quota)
    made["status"] = {"hard": {"requests.cpu": "3"}, "used": {"requests.cpu": "1"}}
    await must(session, "PUT", f"{BASE}/resourcequotas/q/status", made)
    status, answer = await send(session, "PATCH", DOOR, patch("3500m"), STRATEGIC)
    assert status == 403
    assert answer["message"] == (
        'pods "p" is forbidden: exceeded quota: q, requested: requests.cpu=2500m, '
        "used: requests.cpu=1, limited: requests.cpu=3"
    )
    status, answer = await send(session, "PATCH", DOOR, patch("2"), STRATEGIC)
    assert status == 200, answer
    async with session.get(f"{BASE}/resourcequotas/q") as response:
        assert (await response.json())["status"]["used"] == {"requests.cpu": "2"}


async def test_discovery_tells_of_it(session: ClientSession) -> None:
    async with session.get("/api/v1") as response:
        listed = {r["name"]: r for r in (await response.json())["resources"]}
    assert listed["pods/resize"]["verbs"] == ["get", "patch", "update"]

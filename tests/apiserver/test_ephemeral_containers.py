"""``pods/ephemeralcontainers``, as ``kubectl debug`` uses it; texts as recorded from Kubernetes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession

from support.apiserver import RunningApiServer

PODS = "/api/v1/namespaces/default/pods"
DOOR = f"{PODS}/p/ephemeralcontainers"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"


@pytest.fixture
async def session(api: RunningApiServer) -> AsyncIterator[ClientSession]:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "image": "app:1"}]},
    }
    async with api.session() as session:
        async with session.get("/api/v1/namespaces/default/serviceaccounts/default") as response:
            if response.status == 404:
                account = {"metadata": {"name": "default"}}
                async with session.post(
                    "/api/v1/namespaces/default/serviceaccounts", json=account
                ) as created:
                    assert created.status == 201, await created.text()
        async with session.post(PODS, json=pod) as response:
            assert response.status == 201, await response.text()
        yield session


async def patch(session: ClientSession, body: Any, kind: str = STRATEGIC) -> tuple[int, Any]:
    headers = {"Content-Type": kind}
    async with session.patch(DOOR, data=json.dumps(body), headers=headers) as response:
        return response.status, await response.json()


def adding(**container: Any) -> dict[str, Any]:
    return {"spec": {"ephemeralContainers": [{"image": "app", **container}]}}


async def test_a_patch_adds_and_fills_in_defaults(session: ClientSession) -> None:
    status, pod = await patch(session, adding(name="e"))
    assert status == 200
    assert pod["metadata"]["generation"] == 2
    [added] = pod["spec"]["ephemeralContainers"]
    assert added == {
        "name": "e",
        "image": "app",
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "Always",
    }
    status, pod = await patch(session, adding(name="f", targetContainerName="c"))
    assert {c["name"] for c in pod["spec"]["ephemeralContainers"]} == {"e", "f"}


async def test_put_takes_the_ephemeral_containers_and_nothing_else(session: ClientSession) -> None:
    async with session.get(DOOR) as response:
        pod = await response.json()
    pod["spec"]["ephemeralContainers"] = [{"name": "e", "image": "app"}]
    pod["spec"]["containers"][0]["image"] = "other"
    pod["status"]["phase"] = "Running"
    async with session.put(DOOR, json=pod) as response:
        assert response.status == 200, await response.text()
        updated = await response.json()
    assert updated["spec"]["containers"][0]["image"] == "app:1"
    assert updated["status"]["phase"] == "Pending"
    assert updated["spec"]["ephemeralContainers"][0]["name"] == "e"


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        pytest.param(
            adding(name="e", image="other"),
            STRATEGIC,
            'spec.ephemeralContainers: Forbidden: existing ephemeral containers "e" may not be '
            "changed\n",
            id="change",
        ),
        pytest.param(
            [{"op": "remove", "path": "/spec/ephemeralContainers/0"}],
            JSON_PATCH,
            'spec.ephemeralContainers: Forbidden: existing ephemeral containers "e" may not be '
            "removed\n",
            id="remove",
        ),
        pytest.param(
            adding(name="c"),
            STRATEGIC,
            'spec.ephemeralContainers[0].name: Duplicate value: "c"',
            id="a-name-that-is-taken",
        ),
        pytest.param(
            adding(name="f", targetContainerName="zz", ports=[{"containerPort": 1}]),
            STRATEGIC,
            '[spec.ephemeralContainers[0].targetContainerName: Not found: "zz", '
            "spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral "
            "Container]",
            id="what-ephemeral-containers-may-not-have",
        ),
    ],
)
async def test_what_is_refused(session: ClientSession, body: Any, kind: str, said: str) -> None:
    assert (await patch(session, adding(name="e")))[0] == 200
    status, answer = await patch(session, body, kind)
    assert (status, answer["reason"]) == (422, "Invalid")
    assert answer["message"].startswith(f'Pod "p" is invalid: {said}')


async def test_the_pod_itself_takes_none(session: ClientSession) -> None:
    body, headers = json.dumps(adding(name="e")), {"Content-Type": STRATEGIC}
    async with session.patch(f"{PODS}/p", data=body, headers=headers) as response:
        answer = await response.json()
    assert response.status == 422
    assert "pod updates may not change fields other than" in answer["message"]

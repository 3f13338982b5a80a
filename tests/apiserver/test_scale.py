"""``/scale``: patches and updates are about the Scale, and change nothing but replicas."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession

from support.apiserver import RunningApiServer

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
SCALE = f"{DEPLOYMENTS}/d/scale"
LABELS = {"a": "b"}
DEPLOYMENT = {
    "metadata": {"name": "d"},
    "spec": {
        "selector": {"matchLabels": LABELS},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        },
    },
}
JSON, MERGE, STRATEGIC = "json-patch", "merge-patch", "strategic-merge-patch"
UNFIT = "the server rejected our request due to an error in our request"


@pytest.fixture
async def session(api: RunningApiServer) -> AsyncIterator[ClientSession]:
    async with api.session() as session:
        async with session.post(DEPLOYMENTS, json=DEPLOYMENT) as response:
            assert response.status == 201
        yield session


async def patched(
    session: ClientSession, kind: str, change: Any, **query: str
) -> tuple[int, dict[str, Any]]:
    headers = {"Content-Type": f"application/{kind}+json"}
    async with session.patch(SCALE, json=change, headers=headers, params=query) as response:
        return response.status, await response.json()


async def current(session: ClientSession) -> dict[str, Any]:
    async with session.get(f"{DEPLOYMENTS}/d") as response:
        found: dict[str, Any] = await response.json()
    return found


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (MERGE, {"spec": {"replicas": 3}}),
        (MERGE, {"kind": "Scale", "apiVersion": "autoscaling/v1", "spec": {"replicas": 3}}),
        (STRATEGIC, {"spec": {"replicas": 3}}),
        (JSON, [{"op": "test", "path": "/status/selector", "value": "a=b"},
                {"op": "test", "path": "/kind", "value": "Scale"},
                {"op": "replace", "path": "/spec/replicas", "value": 3}]),
    ],
)  # fmt: skip
async def test_a_patch_is_of_the_scale(session: ClientSession, kind: str, change: Any) -> None:
    before = await current(session)
    code, scale = await patched(session, kind, change)
    assert (code, scale["kind"], scale["spec"]) == (200, "Scale", {"replicas": 3})
    after = await current(session)
    assert after["spec"] == {**before["spec"], "replicas": 3}
    owners = {one.get("subresource"): one["fieldsV1"] for one in after["metadata"]["managedFields"]}
    assert owners["scale"] == {"f:spec": {"f:replicas": {}}}


def _nested(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(depth):
        found = {"spec": found}
    return found


@pytest.mark.parametrize(
    ("kind", "change", "code", "message"),
    [
        pytest.param(JSON, [{"op": "replace", "path": "/spec/paused", "value": True}], 422, UNFIT,
                     id="not-of-a-scale"),
        pytest.param(MERGE, {"spec": {"replicas": -1}}, 422,
                     'Scale.autoscaling "d" is invalid: spec.replicas: Invalid value: -1: must be '
                     "greater than or equal to 0", id="negative"),
        pytest.param(MERGE, {"metadata": {"resourceVersion": "1"}}, 409,
                     'Operation cannot be fulfilled on deployments.apps "d": the object has been '
                     "modified; please apply your changes to the latest version and try again",
                     id="an-old-version"),
        pytest.param(MERGE, {"metadata": {"name": "e"}}, 400,
                     "the name of the object (e) does not match the name on the URL (d)",
                     id="another-name"),
        pytest.param(STRATEGIC, _nested(800), 400, "exceeded max depth", id="nesting"),
        pytest.param(JSON, [{"op": "add", "path": "/x", "value": _nested(800)}], 400,
                     "exceeded max depth", id="added-nesting"),
    ],
)  # fmt: skip
async def test_patches_that_are_refused(
    session: ClientSession, kind: str, change: Any, code: int, message: str
) -> None:
    found, status = await patched(session, kind, change)
    assert (found, status["message"]) == (code, message)


async def test_errors_show_the_scale(session: ClientSession) -> None:
    _, status = await patched(session, MERGE, {"spec": {"replicas": "x"}})
    assert '{\\"apiVersion\\":\\"autoscaling/v1\\",\\"kind\\":\\"Scale\\",' in status["message"]
    assert "cannot unmarshal string into Go struct field ScaleSpec" in status["message"]


async def test_unknown_fields_are_told_of(session: ClientSession) -> None:
    code, status = await patched(
        session, MERGE, {"spec": {"paused": True}}, fieldValidation="Strict"
    )
    assert (code, 'unknown field "spec.paused"' in status["message"]) == (422, True)


async def test_an_update_of_another_object(session: ClientSession) -> None:
    scale = {"metadata": {"name": "d", "uid": "x"}, "spec": {"replicas": 2}}
    uid = (await current(session))["metadata"]["uid"]
    async with session.put(SCALE, json=scale) as response:
        status = await response.json()
    assert (status["code"], status["message"]) == (
        409,
        'Operation cannot be fulfilled on deployments/scale.apps "d": Precondition failed: '
        f"UID in precondition: x, UID in object meta: {uid}",
    )

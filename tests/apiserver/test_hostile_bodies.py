"""Bodies made to take long: others are served meanwhile, and the answer is no 5xx."""

from __future__ import annotations

import asyncio
import io
import json
import time
from typing import Any

import pytest

from podium.api import codec
from podium.apiserver import responses
from support.apiserver import RunningApiServer, running_apiserver

LIMIT = 3 * 1024 * 1024 - 1024
HEAD = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},'
#: Seconds of a processor that the loop may be kept from other work.
BLOCKED = 0.5


@pytest.fixture
async def api(tmp_path):
    async with running_apiserver(tmp_path) as running:
        yield running


class Heartbeat:
    """Measures for how long the event loop has done nothing else, in this process's time: what
    others do on the machine is not counted, what other threads keep the loop from is."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def run(self) -> None:
        while True:
            before = time.process_time()
            await asyncio.sleep(0.001)
            self.longest = max(self.longest, time.process_time() - before)


JSON_BODIES = {
    "numbers": HEAD + b'"x":[' + b"1," * 500_000 + b"1]}",
    "unknown-fields": HEAD + b",".join(b'"k%d":1' % i for i in range(200_000)) + b"}",
    "repeated-fields": HEAD + b'"data":{' + b'"a":"b",' * 350_000 + b'"a":"b"}}',
    "nesting": HEAD + b'"x":' + b"[" * 1_400_000 + b"]" * 1_400_000 + b"}",
}
_METADATA = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x",'
JSON_BODIES |= {
    "finalizers": _METADATA + b'"finalizers":[' + b'"a",' * 300_000 + b'"a"]}}',
    "keys": HEAD + b'"data":{' + b",".join(b'"k%d":"v"' % i for i in range(100_000)) + b"}}",
    "owners": _METADATA + b'"managedFields":[' + b"{}," * 500_000 + b"{}]}}",
    "managers": _METADATA + b'"managedFields":[{"manager":"' + b"\\n" * 1_000_000 + b'"}]}}',
    "controllers": _METADATA
    + b'"ownerReferences":['
    + b'{"controller":true},' * 100_000
    + b'{"controller":true}]}}',
}
YAML_BODIES = {
    "list": b"a:\n" + b"- 1\n" * 200_000,
    "keys": b"".join(b"k%d: v\n" % i for i in range(60_000)),
    "nesting": b"[" * LIMIT,
}


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        *(pytest.param("json", body, id=f"json-{name}") for name, body in JSON_BODIES.items()),
        *(pytest.param("yaml", body, id=f"yaml-{name}") for name, body in YAML_BODIES.items()),
    ],
)
async def test_others_are_served_meanwhile(api, content_type, body):
    heartbeat = Heartbeat()
    async with api.session() as session, asyncio.TaskGroup() as tasks:
        path = "/api/v1/namespaces/default/configmaps?dryRun=All"
        headers = {"Content-Type": f"application/{content_type}"}
        async with session.get("/version"):
            pass
        started = time.process_time()
        beating = tasks.create_task(heartbeat.run())
        async with session.post(path, data=io.BytesIO(body), headers=headers) as response:
            code = response.status
        beating.cancel()
        taken = time.process_time() - started
    assert 200 <= code < 500
    assert heartbeat.longest < max(BLOCKED, taken / 3)


def _pod(**spec: Any) -> bytes:
    container = {"name": "c", "image": "i", **spec.pop("container", {})}
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [container], **spec}}
    return json.dumps(pod).encode()


MANY = range(12_000)
PODS = {
    "subscripts": _pod(container={"env": [{"name": "a", "valueFrom": {"fieldRef": {
        "fieldPath": "['" * 1_000_000}}}]}),
    "initiators": _pod(volumes=[{"name": "v", "iscsi": {
        "targetPortal": "t", "iqn": "iqn.2000-01." * 200_000, "lun": 1}}]),
    "claims": _pod(
        container={"resources": {"claims": [{"name": f"a{n}"} for n in MANY]}},
        resourceClaims=[{"name": f"b{n}"} for n in MANY]),
    "spread": _pod(topologySpreadConstraints=[
        {"topologyKey": f"k{n}", "whenUnsatisfiable": "DoNotSchedule"} for n in MANY]),
    "mounts": _pod(container={
        "volumeMounts": [{"mountPath": f"a{n}"} for n in MANY],
        "volumeDevices": [{"name": f"{n}", "devicePath": f"b{n}"} for n in MANY]}),
}  # fmt: skip


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in PODS.items()])
async def test_what_is_wrong_with_a_large_pod_is_soon_known(api, body):
    async with api.session() as session:
        account = {"metadata": {"name": "default"}}
        async with session.post("/api/v1/namespaces/default/serviceaccounts", json=account):
            pass
        headers = {"Content-Type": "application/json"}
        started = time.process_time()
        path = "/api/v1/namespaces/default/pods"
        async with session.post(path, data=io.BytesIO(body), headers=headers) as response:
            status = await response.json()
        assert status["code"] == 422, status["message"]
        assert time.process_time() - started < 30


async def test_a_body_beyond_the_limit_is_refused(api):
    async with api.session() as session:
        path = "/api/v1/namespaces/default/configmaps"
        large = io.BytesIO(b"x" * (LIMIT + 2048))
        headers = {"Content-Type": "application/json"}
        async with session.post(path, data=large, headers=headers) as response:
            status = await response.json()
    assert (status["code"], status["reason"], status["message"]) == (
        413,
        "RequestEntityTooLarge",
        "Request entity too large: limit is 3145728",
    )


def operations(count: int) -> bytes:
    return b"[" + b",".join([b'{"op":"test","path":"/data/a","value":"b"}'] * count) + b"]"


_BASE = b'{"metadata":{"name":"base"},"data":{"a":"b"}}'
_MANY = b",".join(b'"k%d":"v"' % i for i in range(100_000))
_APPLIED = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"base"},"data":{' + _MANY
PATCHES = {
    "operations": ("json-patch", operations(10_000), 200),
    "long-path": ("json-patch", b'[{"op":"test","path":"' + b"/a" * 1_000_000 + b'"}]', 422),
    "insertions": (
        "json-patch",
        b'[{"op":"add","path":"/metadata/finalizers","value":[]}'
        + b',{"op":"add","path":"/metadata/finalizers/0","value":"x.y/z"}' * 9_990 + b"]",
        200,
    ),
    "copies": (
        "json-patch",
        b'[{"op":"add","path":"/data/b","value":"' + b"x" * 100_000 + b'"}'
        + b"".join(b',{"op":"copy","from":"/data","path":"/data/c%d"}' % i for i in range(30))
        + b"]",
        422,
    ),
    "merged-keys": ("merge-patch", b'{"data":{' + _MANY + b"}}", 200),
    "added-nesting": (
        "json-patch",
        b'[{"op":"add","path":"/x","value":' + b"[" * 800 + b"]" * 800 + b"}]",
        400,
    ),
    "shallower-nesting": ("merge-patch", b'{"data":' * 800 + b"1" + b"}" * 800, 400),
    "strategic-nesting": ("strategic-merge-patch", b'{"data":' * 800 + b"1" + b"}" * 800, 400),
    "no-metadata": ("json-patch", b'[{"op":"replace","path":"/metadata","value":null}]', 400),
    "merged-nesting": ("merge-patch", b'{"a":' * 9_000 + b"1" + b"}" * 9_000, 400),
    "strategic-order": (
        "strategic-merge-patch",
        b'{"metadata":{"$setElementOrder/finalizers":[' + b",".join([b'"x"'] * 300_000) + b"]}}",
        200,
    ),
    "applied-keys": ("apply-patch", _APPLIED + b"}}", 200),
}  # fmt: skip


@pytest.mark.parametrize(
    ("patch_type", "body", "expected"),
    [pytest.param(*patch, id=name) for name, patch in PATCHES.items()],
)
async def test_others_are_served_while_patches_are_applied(api, patch_type, body, expected):
    heartbeat = Heartbeat()
    async with api.session() as session:
        path = "/api/v1/namespaces/default/configmaps"
        headers = {"Content-Type": "application/json"}
        async with session.post(path, data=_BASE, headers=headers) as response:
            assert response.status == 201
        ending = "yaml" if patch_type == "apply-patch" else "json"
        headers = {"Content-Type": f"application/{patch_type}+{ending}"}
        query = "?dryRun=All&force=true&fieldManager=m" if ending == "yaml" else "?dryRun=All"
        started = time.process_time()
        async with asyncio.TaskGroup() as tasks:
            beating = tasks.create_task(heartbeat.run())
            async with session.patch(
                f"{path}/base{query}", data=io.BytesIO(body), headers=headers
            ) as response:
                code = response.status
            beating.cancel()
        taken = time.process_time() - started
    assert code == expected
    assert heartbeat.longest < max(BLOCKED, taken / 3)


async def test_a_patch_of_too_many_operations_is_refused(api):
    async with api.session() as session:
        path = "/api/v1/namespaces/default/configmaps"
        async with session.post(path, json={"metadata": {"name": "base"}}) as response:
            assert response.status == 201
        path += "/base"
        headers = {"Content-Type": "application/json-patch+json"}
        async with session.patch(path, data=operations(10_001), headers=headers) as response:
            status = await response.json()
    assert (status["code"], status["reason"], status["message"]) == (
        413,
        "RequestEntityTooLarge",
        "Request entity too large: The allowed maximum operations in a JSON patch is 10000, "
        "got 10001",
    )


NINES = "9" * 5_000


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param(
            "/api/v1/namespaces/default/pods",
            {"metadata": {"name": "p", "annotations": {
                "controller.kubernetes.io/pod-deletion-cost": NINES}}}, id="deletion-cost"),
        pytest.param(
            "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
            {"metadata": {"name": "b"}, "spec": {"maxUnavailable": f"{NINES}%"}}, id="percent"),
        pytest.param(
            "/apis/apps/v1/namespaces/default/daemonsets",
            {"metadata": {"name": "d"}, "spec": {"updateStrategy": {
                "type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": f"{NINES}%"}}}},
            id="rolling-update"),
        pytest.param(
            "/apis/apps/v1/namespaces/default/deployments",
            {"metadata": {"name": "d"}, "spec": {"strategy": {
                "type": "RollingUpdate", "rollingUpdate": {
                    "maxSurge": f"{NINES}%", "maxUnavailable": f"{NINES}%"}}}}, id="surge"),
        pytest.param(
            "/apis/apps/v1/namespaces/default/daemonsets",
            {"metadata": {"name": "d", "annotations": {
                "deprecated.daemonset.template.generation": NINES}}}, id="template-generation"),
        pytest.param(
            "/api/v1/namespaces/default/configmaps",
            {"metadata": {"name": "c", "managedFields": [{
                "manager": "m", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:data": {f"i:{NINES}": {}}}}]}}, id="owned-index"),
        pytest.param(
            "/api/v1/namespaces/default/resourcequotas",
            {"metadata": {"name": "q"}, "spec": {"hard": {"pods": NINES}}}, id="quantity"),
    ],
)  # fmt: skip
async def test_numbers_without_end_are_no_failure_of_the_server(api, path, body):
    async with api.session() as session:
        account = {"metadata": {"name": "default"}}
        async with session.post("/api/v1/namespaces/default/serviceaccounts", json=account):
            pass
        async with session.post(path, json=body) as response:
            assert 200 <= response.status < 500
        if response.status == 201:
            async with session.put(f"{path}/{body['metadata']['name']}", json=body) as response:
                assert 200 <= response.status < 500


@pytest.mark.parametrize("name", ["resourceVersion", "limit", "timeoutSeconds"])
async def test_numbers_of_thousands_of_digits_are_bad_requests(
    api: RunningApiServer, name: str
) -> None:
    path = f"/api/v1/configmaps?{name}={'9' * 5000}"
    async with api.session() as session, session.get(path) as response:
        assert response.status == 400


async def test_large_bodies_are_worked_on_one_after_the_other(api, monkeypatch):
    """What becomes of one is gone before the next one is read; small ones do not wait."""
    seen = []

    def noted(word, function):
        def called(*args, **named):
            seen.append(word)
            return function(*args, **named)

        return called

    monkeypatch.setattr(codec, "decode", noted("read", codec.decode))
    monkeypatch.setattr(responses, "failed", noted("answered", responses.failed))
    containers = b",".join([b'{"name":"","workingDir":"' + b"x" * 1000 + b'"}'] * 1200)
    large = b'{"metadata":{"name":"x"},"template":{"spec":{"containers":[' + containers + b"]}}}"
    path = "/api/v1/namespaces/default/podtemplates"

    async def send(session):
        headers = {"Content-Type": "application/json"}
        async with session.post(path, data=io.BytesIO(large), headers=headers) as response:
            status = await response.json()
        assert status["code"] == 422, status["message"]

    async with api.session() as session, asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(send(session))
    assert seen == ["read", "answered"] * 3

"""Kinds that are not what they seem: made up when asked for, or seen in two versions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import ClientSession

from podium.api.scheme import NODES
from podium.apiserver.components import Components
from podium.client.client import Client
from podium.client.informer import Informer
from podium.kit.clock import SystemClock
from support.apiserver import RunningApiServer
from support.http_peer import eventually

COMPONENTS = "/api/v1/componentstatuses"
V1 = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"
V2 = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}


async def get(session: ClientSession, path: str, accept: str = "", **query: str) -> tuple[int, Any]:
    headers = {"Accept": accept} if accept else {}
    async with session.get(path, headers=headers, params=query) as response:
        return response.status, await response.json()


# ---------------------------------------------------------------------- ComponentStatuses


async def test_components_are_well_while_they_watch(api: RunningApiServer) -> None:
    async def scheduler() -> Any:
        async with api.session() as session:
            _, found = await get(session, f"{COMPONENTS}/scheduler")
        [condition] = found["conditions"]
        return condition

    assert await scheduler() == {
        "type": "Healthy",
        "status": "False",
        "error": "system:kube-scheduler has no watch open",
    }
    async with Client(api.client_config("system:kube-scheduler", ())) as client:
        await api.settled.wait()
        informer = Informer(client, NODES, clock=SystemClock())
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(informer.run())
            await eventually(scheduler, {"type": "Healthy", "status": "True", "message": "ok"})
            running.cancel()

    async def well() -> str:
        return str((await scheduler())["status"])

    await eventually(well, "False")


async def test_nothing_is_kept_of_those_who_watch_no_more() -> None:
    async def well() -> str:
        return ""

    components = Components(well)
    with components.watching("a"):
        with components.watching("a"), components.watching("b"):
            assert components._watches == {"a": 2, "b": 1}
        assert components._watches.keys() == {"a"}
    assert not components._watches.keys()


async def test_components_as_a_list_and_a_table(api: RunningApiServer) -> None:
    async with api.session() as session:
        code, found = await get(session, COMPONENTS)
        assert (code, found["kind"], found["metadata"]) == (200, "ComponentStatusList", {})
        names = [item["metadata"]["name"] for item in found["items"]]
        assert names == ["controller-manager", "scheduler", "etcd-0"]
        _, found = await get(session, COMPONENTS, fieldSelector="metadata.name=etcd-0")
        [item] = found["items"]
        assert item["conditions"] == [{"type": "Healthy", "status": "True", "message": "ok"}]
        _, found = await get(session, COMPONENTS, TABLE)
        assert [column["name"] for column in found["columnDefinitions"]] == [
            "Name",
            "Status",
            "Message",
            "Error",
        ]
        assert ["etcd-0", "Healthy", "ok", ""] in [row["cells"] for row in found["rows"]]
        _, found = await get(session, COMPONENTS, PARTIAL)
        assert found["kind"] == "PartialObjectMetadataList"


async def test_whoever_asks_for_them_is_warned(api: RunningApiServer) -> None:
    async with api.session() as session:
        for accept in ("application/json", TABLE):
            async with session.get(COMPONENTS, headers={"Accept": accept}) as response:
                warning = response.headers["Warning"]
            assert warning == '299 - "v1 ComponentStatus is deprecated in v1.19+"'


@pytest.mark.parametrize(
    ("method", "path", "code", "message"),
    [
        ("GET", "/x", 500, "Component not found: x"),
        ("DELETE", "/x", 405, "the server does not allow this method on the requested resource"),
        ("POST", "", 405, "the server does not allow this method on the requested resource"),
        (
            "GET",
            "?watch=true",
            405,
            'watch is not supported on resources of kind "componentstatuses"',
        ),
    ],
)
async def test_what_cannot_be_done_with_them(
    api: RunningApiServer, method: str, path: str, code: int, message: str
) -> None:
    async with api.session() as session, session.request(method, COMPONENTS + path) as response:
        status = await response.json()
    assert (response.status, status["message"]) == (code, message)


# ---------------------------------------------------------------------- autoscaling/v1


def autoscaler(**spec: Any) -> dict[str, Any]:
    spec = {"scaleTargetRef": TARGET, "maxReplicas": 3, **spec}
    return {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": spec,
    }


async def test_one_object_in_two_versions(api: RunningApiServer) -> None:
    async with api.session() as session:
        async with session.post(V1, json=autoscaler(targetCPUUtilizationPercentage=50)) as response:
            made = await response.json()
        assert (response.status, made["apiVersion"]) == (201, "autoscaling/v1")
        assert made["spec"] == {
            "scaleTargetRef": TARGET,
            "minReplicas": 1,
            "maxReplicas": 3,
            "targetCPUUtilizationPercentage": 50,
        }
        _, newer = await get(session, f"{V2}/web")
        assert newer["metadata"] == made["metadata"]
        [entry] = made["metadata"]["managedFields"]
        assert entry["apiVersion"] == "autoscaling/v1"
        [metric] = newer["spec"]["metrics"]
        assert metric["resource"]["target"] == {"type": "Utilization", "averageUtilization": 50}

        newer["spec"]["maxReplicas"] = 5
        headers = {"User-Agent": "other/1"}
        async with session.put(f"{V2}/web", json=newer, headers=headers) as response:
            assert response.status == 200
        _, older = await get(session, f"{V1}/web")
        assert older["spec"]["maxReplicas"] == 5
        owners = {e["manager"]: e["fieldsV1"]["f:spec"] for e in older["metadata"]["managedFields"]}
        assert "f:maxReplicas" not in owners["Python"]
        assert owners["other"] == {"f:maxReplicas": {}}


async def test_a_dry_run_shows_what_would_be_there(api: RunningApiServer) -> None:
    async with (
        api.session() as session,
        session.post(V1, json=autoscaler(), params={"dryRun": "All"}) as response,
    ):
        assert (await response.json())["spec"]["targetCPUUtilizationPercentage"] == 80


async def test_updates_and_the_status_through_v1(api: RunningApiServer) -> None:
    async with api.session() as session:
        async with session.post(V1, json=autoscaler()) as response:
            made = await response.json()
        made["status"] = {"currentReplicas": 1, "desiredReplicas": 2}
        async with session.put(f"{V1}/web/status", json=made) as response:
            changed = await response.json()
        assert response.status == 200, changed
        assert changed["status"] == {"currentReplicas": 1, "desiredReplicas": 2}
        changed["spec"]["targetCPUUtilizationPercentage"] = 20
        changed["status"] = {}
        async with session.put(f"{V1}/web", json=changed) as response:
            changed = await response.json()
        assert changed["spec"]["targetCPUUtilizationPercentage"] == 20
        assert changed["status"] == {"currentReplicas": 1, "desiredReplicas": 2}


async def test_the_group_prefers_v2(api: RunningApiServer) -> None:
    async with api.session() as session:
        _, group = await get(session, "/apis/autoscaling")
        assert group["preferredVersion"]["version"] == "v2"
        assert [version["version"] for version in group["versions"]] == ["v2", "v1"]
        _, one = await get(session, "/apis/autoscaling/v1")
        _, two = await get(session, "/apis/autoscaling/v2")
    hashes = [listed["resources"][0]["storageVersionHash"] for listed in (one, two)]
    assert hashes[0] == hashes[1]


# ---------------------------------------------------------------------- ServiceCIDRs


async def test_the_clusters_own_range(api: RunningApiServer) -> None:
    async with api.session() as session:
        _, found = await get(session, "/apis/networking.k8s.io/v1/servicecidrs/kubernetes")
    assert found["spec"] == {"cidrs": ["10.96.0.0/12"]}
    [condition] = found["status"]["conditions"]
    assert condition.pop("lastTransitionTime")
    assert condition == {
        "type": "Ready",
        "status": "True",
        "reason": "",
        "message": "Kubernetes default Service CIDR is ready",
    }


# ---------------------------------------------------------------------- DeleteOptions


PROTOBUF = {"Content-Type": "application/vnd.kubernetes.protobuf"}
#: DeleteOptions with gracePeriodSeconds 0 and a precondition on uid "other".
OPTIONS = (
    b"k8s\x00\n\x13\n\x02v1\x12\rDeleteOptions\x12\x0b\x08\x00\x12\x07\n\x05other\x1a\x00\x22\x00"
)


async def test_delete_options_in_protobuf(api: RunningApiServer) -> None:
    path = "/api/v1/namespaces/default/configmaps"
    async with api.session() as session:
        async with session.post(path, json={"metadata": {"name": "a"}}) as response:
            assert response.status == 201
        async with session.delete(f"{path}/a", data=OPTIONS, headers=PROTOBUF) as response:
            status = await response.json()
        assert response.status == 409
        assert (
            "the UID in the precondition (other) does not match the UID in record"
            in status["message"]
        )
        async with session.delete(f"{path}/a", data=b"k8s\x00", headers=PROTOBUF) as response:
            assert response.status == 200


@pytest.mark.parametrize("version", ["v1", "meta.k8s.io/v1", "apps/v1", "example.com/v1beta1"])
async def test_delete_options_of_any_version(api: RunningApiServer, version: str) -> None:
    """Go clients say the version that their own kind has, whoever serves it."""
    path = "/api/v1/namespaces/default/configmaps/a"
    kind = version.encode()
    types = b"\n" + bytes([len(kind)]) + kind + b"\x12\rDeleteOptions"
    packed = b"k8s\0\n" + bytes([len(types)]) + types + b"\x12\0"
    asked = {"apiVersion": version, "kind": "DeleteOptions"}
    async with api.session() as session:
        async with session.delete(path, json=asked) as response:
            assert response.status == 404
        async with session.delete(path, data=packed, headers=PROTOBUF) as response:
            assert response.status == 404


async def test_delete_options_that_are_none(api: RunningApiServer) -> None:
    path = "/api/v1/namespaces/default/configmaps/a"
    async with (
        api.session() as session,
        session.delete(path, data=b"{}", headers=PROTOBUF) as response,
    ):
        status = await response.json()
    assert response.status == 500
    assert status["message"] == (
        "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
    )


async def test_a_bomb_for_delete_options_is_the_clients_fault(api: RunningApiServer) -> None:
    path = "/api/v1/namespaces/default/configmaps/a"
    for body, content_type in ((b"[" * 20_000, "json"), (b"[" * 20_000, "yaml")):
        headers = {"Content-Type": f"application/{content_type}"}
        async with (
            api.session() as session,
            session.delete(path, data=body, headers=headers) as response,
        ):
            status = await response.json()
        assert (response.status, status["reason"]) == (400, "BadRequest")
        assert "exceeded max depth" in status["message"]

"""kubernetes_asyncio, unmodified: typed API on aiohttp, watches, every patch style, apply, logs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from kubernetes_asyncio import client, config, watch

from support.cluster import Cluster, pod

MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


@pytest.fixture
async def core(shared: Cluster) -> AsyncIterator[Any]:
    settings = client.Configuration()
    await config.load_kube_config(str(shared.kubeconfig), client_configuration=settings)
    async with client.ApiClient(settings) as api:
        yield client.CoreV1Api(api)


def config_map(name: str, **data: str) -> client.V1ConfigMap:
    return client.V1ConfigMap(
        metadata=client.V1ObjectMeta(name=name, labels={"app": name}), data=data
    )


def refusal(error: pytest.ExceptionInfo[client.ApiException]) -> tuple[int, str]:
    """The HTTP status and the Status object's reason."""
    return error.value.status, json.loads(error.value.body)["reason"]


async def until(core: Any, namespace: str, name: str, phase: str) -> None:
    """Return when the Pod *name* is in *phase*."""
    async with watch.Watch() as watcher:
        async for event in watcher.stream(
            core.list_namespaced_pod, namespace, field_selector=f"metadata.name={name}"
        ):
            if event["object"].status.phase == phase:
                return


async def test_create_get_list_replace_delete(core: Any, namespace: str):
    made = await core.create_namespaced_config_map(namespace, config_map("one", a="1"))
    await core.create_namespaced_config_map(namespace, config_map("two", a="2"))
    assert (await core.read_namespaced_config_map("one", namespace)).data == {"a": "1"}
    chosen = await core.list_namespaced_config_map(namespace, label_selector="app=two")
    assert [item.metadata.name for item in chosen.items] == ["two"]
    everywhere = await core.list_config_map_for_all_namespaces(field_selector="metadata.name=one")
    assert namespace in [item.metadata.namespace for item in everywhere.items]
    made.data = {"b": "3"}
    assert (await core.replace_namespaced_config_map("one", namespace, made)).data == {"b": "3"}
    assert (await core.delete_namespaced_config_map("one", namespace)).status == "Success"
    with pytest.raises(client.ApiException) as gone:
        await core.read_namespaced_config_map("one", namespace)
    assert refusal(gone) == (404, "NotFound")


@pytest.mark.parametrize(
    ("options", "body", "data"),
    [
        pytest.param({}, [{"op": "remove", "path": "/data/a"}], {"b": "1"}, id="json"),
        pytest.param({}, {"data": {"$patch": "replace", "d": "4"}}, {"d": "4"}, id="strategic"),
        pytest.param(
            {"_content_type": MERGE_PATCH}, {"data": {"a": None, "c": "3"}}, {"b": "1", "c": "3"},
            id="merge",
        ),
    ],
)  # fmt: skip
async def test_patch(
    core: Any, namespace: str, options: dict[str, str], body: Any, data: dict[str, str]
):
    await core.create_namespaced_config_map(namespace, config_map("one", a="1", b="1"))
    patched = await core.patch_namespaced_config_map("one", namespace, body, **options)
    assert patched.data == data


async def test_server_side_apply(core: Any, namespace: str):
    async def applied(manager: str, data: dict[str, str], **options: Any) -> Any:
        metadata = {"name": "one"}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        made = await core.patch_namespaced_config_map(
            "one", namespace, body, field_manager=manager, _content_type=APPLY_PATCH, **options
        )
        return made.data

    assert await applied("first", {"a": "1", "b": "1"}) == {"a": "1", "b": "1"}
    assert await applied("first", {"a": "1"}) == {"a": "1"}
    with pytest.raises(client.ApiException) as conflict:
        await applied("second", {"a": "2"})
    assert refusal(conflict) == (409, "Conflict")
    assert await applied("second", {"a": "2"}, force=True) == {"a": "2"}


async def test_watch_resumes_from_the_last_version_seen(core: Any, namespace: str):
    start = (await core.list_namespaced_config_map(namespace)).metadata.resource_version
    await core.create_namespaced_config_map(namespace, config_map("one", a="1"))
    selection = {"namespace": namespace, "label_selector": "app=one"}
    async with watch.Watch() as watcher:
        events = watcher.stream(
            core.list_namespaced_config_map, resource_version=start, **selection
        )
        event = await anext(events)
        assert (event["type"], event["object"].data) == ("ADDED", {"a": "1"})
        seen = watcher.resource_version
    await core.patch_namespaced_config_map("one", namespace, {"data": {"a": "2"}})
    await core.delete_namespaced_config_map("one", namespace)
    async with watch.Watch() as watcher:
        events = watcher.stream(core.list_namespaced_config_map, resource_version=seen, **selection)
        missed = [await anext(events), await anext(events)]
    assert [(event["type"], event["object"].data) for event in missed] == [
        ("MODIFIED", {"a": "2"}),
        ("DELETED", {"a": "2"}),
    ]


async def test_watch_ends_at_its_timeout(core: Any, namespace: str):
    await core.create_namespaced_config_map(namespace, config_map("one"))
    async with watch.Watch() as watcher:
        events = watcher.stream(
            core.list_namespaced_config_map, namespace, label_selector="app=one", timeout_seconds=1
        )
        assert [event["type"] async for event in events] == ["ADDED"]


async def test_namespaces(core: Any):
    body = client.V1Namespace(metadata=client.V1ObjectMeta(name="asyncio"))
    made = await core.create_namespace(body)
    assert made.status.phase == "Active"
    patched = await core.patch_namespace("asyncio", {"metadata": {"labels": {"a": "1"}}})
    assert patched.metadata.labels["a"] == "1"
    assert "asyncio" in [item.metadata.name for item in (await core.list_namespace()).items]
    await core.delete_namespace("asyncio")
    async with watch.Watch() as watcher:
        async for event in watcher.stream(
            core.list_namespace, field_selector="metadata.name=asyncio",
            resource_version=patched.metadata.resource_version,
        ):  # fmt: skip
            if event["type"] == "DELETED":
                break


async def test_pod_logs_and_end(core: Any, namespace: str):
    manifest = pod("job", "sh", "-c", "echo one; sleep 1; echo two", restartPolicy="Never")
    made = await core.create_namespaced_pod(namespace, manifest)
    await until(core, namespace, "job", "Running")
    async with watch.Watch() as watcher:
        followed = [
            line async for line in watcher.stream(core.read_namespaced_pod_log, "job", namespace)
        ]
    assert followed == ["one\n", "two\n"]
    assert await core.read_namespaced_pod_log("job", namespace, tail_lines=1) == "two\n"
    await until(core, namespace, "job", "Succeeded")
    await core.delete_namespaced_pod("job", namespace, grace_period_seconds=0)
    async with watch.Watch() as watcher:
        async for event in watcher.stream(
            core.list_namespaced_pod, namespace, resource_version=made.metadata.resource_version
        ):
            if event["type"] == "DELETED":
                break


async def test_refusals_are_api_exceptions(core: Any, namespace: str):
    made = await core.create_namespaced_config_map(namespace, config_map("one", a="1"))
    with pytest.raises(client.ApiException) as twice:
        await core.create_namespaced_config_map(namespace, config_map("one"))
    assert refusal(twice) == (409, "AlreadyExists")
    await core.patch_namespaced_config_map("one", namespace, {"data": {"a": "2"}})
    with pytest.raises(client.ApiException) as stale:
        await core.replace_namespaced_config_map("one", namespace, made)
    assert refusal(stale) == (409, "Conflict")
    with pytest.raises(client.ApiException) as invalid:
        await core.create_namespaced_config_map(namespace, config_map("Not_A_Name"))
    assert refusal(invalid) == (422, "Invalid")
    with pytest.raises(client.ApiException) as missing:
        await core.delete_namespaced_pod("none", namespace)
    assert refusal(missing) == (404, "NotFound")

"""kubernetes_asyncio, and its twin in the official client, unmodified: all on aiohttp."""

from __future__ import annotations

import contextlib
import importlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from support.cluster import Cluster, pod
from support.relay import Relay

pytestmark = [
    # The clients leave a watch that is not read to its end to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("rubbish"),
]
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


@pytest.fixture(params=["kubernetes_asyncio", "kubernetes.aio"])
def sdk(request: pytest.FixtureRequest) -> Any:
    """The package under test."""
    return importlib.import_module(request.param)


@contextlib.asynccontextmanager
async def connected(sdk: Any, kubeconfig: Path) -> AsyncIterator[Any]:
    settings = sdk.client.Configuration()
    await sdk.config.load_kube_config(str(kubeconfig), client_configuration=settings)
    async with sdk.client.ApiClient(settings) as api:
        yield api


@pytest.fixture
async def core(shared: Cluster, sdk: Any) -> AsyncIterator[Any]:
    async with connected(sdk, shared.kubeconfig) as api:
        yield sdk.client.CoreV1Api(api)


def config_map(name: str, **data: str) -> dict[str, Any]:
    metadata = {"name": name, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def refusal(error: pytest.ExceptionInfo[Any]) -> tuple[int, str]:
    """The HTTP status and the Status object's reason."""
    return error.value.status, json.loads(error.value.body)["reason"]


async def until(core: Any, sdk: Any, namespace: str, name: str, *phases: str) -> None:
    """Return when the Pod *name* is in one of *phases*."""
    async with sdk.watch.Watch() as watcher:
        async for event in watcher.stream(
            core.list_namespaced_pod, namespace, field_selector=f"metadata.name={name}"
        ):
            if event["object"].status.phase in phases:
                return


async def test_create_get_list_replace_delete(core: Any, sdk: Any, namespace: str):
    made = await core.create_namespaced_config_map(namespace, config_map("one", a="1"))
    await core.create_namespaced_config_map(namespace, config_map("two", a="2"))
    assert (await core.read_namespaced_config_map("one", namespace)).data == {"a": "1"}
    chosen = await core.list_namespaced_config_map(namespace, label_selector="app=two")
    assert [item.metadata.name for item in chosen.items] == ["two"]
    everywhere = await core.list_config_map_for_all_namespaces(field_selector="metadata.name=one")
    assert namespace in [item.metadata.namespace for item in everywhere.items]
    made.data = {"b": "3"}
    assert (await core.replace_namespaced_config_map("one", namespace, made)).data == {"b": "3"}
    await core.delete_namespaced_config_map("one", namespace)
    with pytest.raises(sdk.client.ApiException) as gone:
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
    core: Any, sdk: Any, namespace: str, options: dict[str, str], body: Any, data: dict[str, str]
):
    await core.create_namespaced_config_map(namespace, config_map("one", a="1", b="1"))
    patched = await core.patch_namespaced_config_map("one", namespace, body, **options)
    assert patched.data == data


async def test_server_side_apply(core: Any, sdk: Any, namespace: str):
    async def applied(manager: str, data: dict[str, str], **options: Any) -> Any:
        metadata = {"name": "one"}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        made = await core.patch_namespaced_config_map(
            "one", namespace, body, field_manager=manager, _content_type=APPLY_PATCH, **options
        )
        return made.data

    assert await applied("first", {"a": "1", "b": "1"}) == {"a": "1", "b": "1"}
    assert await applied("first", {"a": "1"}) == {"a": "1"}
    with pytest.raises(sdk.client.ApiException) as conflict:
        await applied("second", {"a": "2"})
    assert refusal(conflict) == (409, "Conflict")
    assert await applied("second", {"a": "2"}, force=True) == {"a": "2"}


async def test_watch_resumes_from_the_last_version_seen(core: Any, sdk: Any, namespace: str):
    start = (await core.list_namespaced_config_map(namespace)).metadata.resource_version
    await core.create_namespaced_config_map(namespace, config_map("one", a="1"))
    selection = {"namespace": namespace, "label_selector": "app=one"}
    async with sdk.watch.Watch() as watcher:
        events = watcher.stream(
            core.list_namespaced_config_map, resource_version=start, **selection
        )
        event = await anext(events)
        assert (event["type"], event["object"].data) == ("ADDED", {"a": "1"})
        seen = watcher.resource_version
    await core.patch_namespaced_config_map("one", namespace, {"data": {"a": "2"}})
    await core.delete_namespaced_config_map("one", namespace)
    async with sdk.watch.Watch() as watcher:
        events = watcher.stream(core.list_namespaced_config_map, resource_version=seen, **selection)
        missed = [await anext(events), await anext(events)]
    assert [(event["type"], event["object"].data) for event in missed] == [
        ("MODIFIED", {"a": "2"}),
        ("DELETED", {"a": "2"}),
    ]


async def test_watch_ends_at_its_timeout(core: Any, sdk: Any, namespace: str):
    await core.create_namespaced_config_map(namespace, config_map("one"))
    async with sdk.watch.Watch() as watcher:
        events = watcher.stream(
            core.list_namespaced_config_map, namespace, label_selector="app=one", timeout_seconds=1
        )
        assert [event["type"] async for event in events] == ["ADDED"]


async def test_namespaces(core: Any, sdk: Any):
    name = sdk.__name__.replace("_", "-").replace(".", "-")
    body = sdk.client.V1Namespace(metadata=sdk.client.V1ObjectMeta(name=name))
    made = await core.create_namespace(body)
    assert made.status.phase == "Active"
    patched = await core.patch_namespace(name, {"metadata": {"labels": {"a": "1"}}})
    assert patched.metadata.labels["a"] == "1"
    assert name in [item.metadata.name for item in (await core.list_namespace()).items]
    await core.delete_namespace(name)
    async with sdk.watch.Watch() as watcher:
        async for event in watcher.stream(
            core.list_namespace, field_selector=f"metadata.name={name}",
            resource_version=patched.metadata.resource_version,
        ):  # fmt: skip
            if event["type"] == "DELETED":
                break


async def test_pod_logs_and_end(core: Any, sdk: Any, namespace: str):
    manifest = pod("job", "sh", "-c", "echo one; sleep 1; echo two", restartPolicy="Never")
    made = await core.create_namespaced_pod(namespace, manifest)
    await until(core, sdk, namespace, "job", "Running", "Succeeded")
    # kubernetes.aio 37.0 does not find out by itself that lines are texts.
    async with sdk.watch.Watch("str") as watcher:
        followed = [
            line async for line in watcher.stream(core.read_namespaced_pod_log, "job", namespace)
        ]
    assert followed == ["one\n", "two\n"]
    assert await core.read_namespaced_pod_log("job", namespace, tail_lines=1) == "two\n"
    await until(core, sdk, namespace, "job", "Succeeded")
    await core.delete_namespaced_pod("job", namespace, grace_period_seconds=0)
    async with sdk.watch.Watch() as watcher:
        async for event in watcher.stream(
            core.list_namespaced_pod, namespace, resource_version=made.metadata.resource_version
        ):
            if event["type"] == "DELETED":
                break


async def test_refusals_are_api_exceptions(core: Any, sdk: Any, namespace: str):
    made = await core.create_namespaced_config_map(namespace, config_map("one", a="1"))
    with pytest.raises(sdk.client.ApiException) as twice:
        await core.create_namespaced_config_map(namespace, config_map("one"))
    assert refusal(twice) == (409, "AlreadyExists")
    await core.patch_namespaced_config_map("one", namespace, {"data": {"a": "2"}})
    with pytest.raises(sdk.client.ApiException) as stale:
        await core.replace_namespaced_config_map("one", namespace, made)
    assert refusal(stale) == (409, "Conflict")
    with pytest.raises(sdk.client.ApiException) as invalid:
        await core.create_namespaced_config_map(namespace, config_map("Not_A_Name"))
    assert refusal(invalid) == (422, "Invalid")
    with pytest.raises(sdk.client.ApiException) as missing:
        await core.delete_namespaced_pod("none", namespace)
    assert refusal(missing) == (404, "NotFound")


async def test_a_watch_that_is_cut_goes_on(sdk: Any, core: Any, namespace: str, relayed: Relay):
    """Nothing is lost or seen twice: whoever watches begins again at what it has seen."""
    seen: list[tuple[str, str]] = []
    lost = (aiohttp.ClientError, ConnectionError)
    async with connected(sdk, relayed.kubeconfig) as api, sdk.watch.Watch() as watcher:
        listing = sdk.client.CoreV1Api(api).list_namespaced_config_map
        start = (await listing(namespace)).metadata.resource_version
        watcher.resource_version = start
        await core.create_namespaced_config_map(namespace, config_map("one", a="0"))
        while len(seen) < 6:
            version = watcher.resource_version
            with contextlib.suppress(*lost):
                async for event in watcher.stream(
                    listing, namespace, label_selector="app=one", resource_version=version
                ):
                    seen.append((event["type"], event["object"].data["a"]))
                    relayed.cut()
                    number = str(len(seen))
                    if len(seen) < 5:
                        change = {"data": {"a": number}}
                        await core.patch_namespaced_config_map("one", namespace, change)
                    elif len(seen) == 5:
                        await core.delete_namespaced_config_map("one", namespace)
                    else:
                        break
            await watcher.close()
    changes = [("MODIFIED", str(number)) for number in range(1, 5)]
    assert seen == [("ADDED", "0"), *changes, ("DELETED", "4")]


async def test_a_watch_from_too_long_ago_is_gone(sdk: Any, core: Any, namespace: str):
    async with sdk.watch.Watch() as watcher:
        events = watcher.stream(
            core.list_namespaced_config_map, namespace, resource_version="1", timeout_seconds=60
        )
        with pytest.raises(sdk.client.ApiException, match="too old resource version") as gone:
            await anext(events)
    assert gone.value.status == 410


async def test_the_dynamic_client(sdk: Any, core: Any, namespace: str, tmp_path: Path):
    client = await sdk.dynamic.DynamicClient(core.api_client, cache_file=str(tmp_path / "cache"))
    maps = await client.resources.get(api_version="v1", kind="ConfigMap")
    made = await maps.create(body=config_map("one", a="1"), namespace=namespace)
    applied = await maps.server_side_apply(
        body=config_map("one", b="2"), namespace=namespace, field_manager="dynamic"
    )
    assert dict(applied.data) == {"a": "1", "b": "2"}
    await maps.delete(name="one", namespace=namespace)
    version = made.metadata.resourceVersion
    async with sdk.watch.Watch() as watcher:
        events = maps.watch(
            namespace=namespace, field_selector="metadata.name=one", resource_version=version,
            timeout=60, watcher=watcher,
        )  # fmt: skip
        assert [(await anext(events))["type"] for _ in range(2)] == ["MODIFIED", "DELETED"]
        await events.aclose()

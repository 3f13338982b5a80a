"""kr8s, unmodified: objects that create, watch, patch and delete themselves, and Pods' logs.

kr8s offers JSON and merge patches, but neither strategic ones nor server-side apply.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import kr8s.asyncio
import pytest
from kr8s.asyncio.objects import ConfigMap, Namespace, Pod

from support.cluster import Cluster, pod

# kr8s names the versions it was released against; ours is newer.
pytestmark = pytest.mark.filterwarnings(r"ignore:Kubernetes version v1\.37\.:UserWarning")


@pytest.fixture
async def api(shared: Cluster) -> AsyncIterator[Any]:
    made = await kr8s.asyncio.api(kubeconfig=str(shared.kubeconfig))
    yield made
    await made._session.aclose()  # there is no public way


async def config_map(api: Any, namespace: str, name: str, **data: str) -> Any:
    metadata = {"name": name, "namespace": namespace, "labels": {"app": name}}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    return await ConfigMap(manifest, api=api)


def refusal(error: pytest.ExceptionInfo[kr8s.ServerError]) -> tuple[int, str]:
    """The HTTP status and the Status object's reason."""
    status: Any = error.value.status
    return status["code"], status["reason"]


async def test_create_get_list_delete(api: Any, namespace: str):
    one = await config_map(api, namespace, "one", a="1")
    await one.create()
    await (await config_map(api, namespace, "two", a="2")).create()
    assert one.metadata.uid
    assert (await ConfigMap.get("one", namespace=namespace, api=api)).data == {"a": "1"}
    chosen = [
        item.name
        async for item in api.get("configmaps", namespace=namespace, label_selector="app=two")
    ]
    assert chosen == ["two"]
    everywhere = api.get("cm", namespace=kr8s.ALL, field_selector="metadata.name=one")
    assert namespace in [item.namespace async for item in everywhere]
    await one.delete()
    assert not await one.exists()
    with pytest.raises(kr8s.NotFoundError):
        await one.refresh()


async def test_patch(api: Any, namespace: str):
    one = await config_map(api, namespace, "one", a="1", b="1")
    await one.create()
    await one.patch([{"op": "replace", "path": "/data/a", "value": "2"}], type="json")
    assert one.data == {"a": "2", "b": "1"}
    await one.patch({"data": {"a": None, "c": "3"}})
    assert one.data == {"b": "1", "c": "3"}
    await one.label({"b": "2"})
    assert one.labels == {"app": "one", "b": "2"}
    await one.remove_label("app")
    assert one.labels == {"b": "2"}
    await one.annotate({"example.com/note": "three"})
    assert one.annotations == {"example.com/note": "three"}


async def test_watch_resumes_from_the_last_version_seen(api: Any, namespace: str):
    def events(since: str) -> Any:
        return api.watch("configmaps", namespace=namespace, label_selector="app=one", since=since)

    zero = await config_map(api, namespace, "zero")
    await zero.create()
    one = await config_map(api, namespace, "one", a="1")
    await one.create()
    stream = events(zero.metadata.resourceVersion)
    kind, seen = await anext(stream)
    assert (kind, seen.data) == ("ADDED", {"a": "1"})
    await stream.aclose()
    await one.patch({"data": {"a": "2"}})
    await one.delete()
    stream = events(seen.metadata.resourceVersion)
    missed = [await anext(stream), await anext(stream)]
    await stream.aclose()
    assert [(kind, item.data) for kind, item in missed] == [
        ("MODIFIED", {"a": "2"}),
        ("DELETED", {"a": "2"}),
    ]


async def test_discovery(api: Any):
    assert await api.lookup_kind("po") == ("pod/v1", "pods", True)
    assert await api.lookup_kind("namespace") == ("namespace/v1", "namespaces", False)
    assert (await api.version())["gitVersion"].startswith("v1.37.")
    assert "v1" in [version async for version in api.api_versions()]


async def test_namespaces(api: Any):
    made = await Namespace("kr8s", api=api)
    await made.create()
    assert made.status.phase == "Active"
    await made.label({"a": "1"})
    assert made.labels["a"] == "1"
    assert "kr8s" in [item.name async for item in api.get("namespaces")]
    await made.delete()
    await made.wait("delete", timeout=30)
    assert not await made.exists()


async def test_pod_logs_and_end(api: Any, namespace: str):
    manifest = pod("job", "sh", "-c", "echo one; sleep 1; echo two", restartPolicy="Never")
    manifest["metadata"]["namespace"] = namespace
    job = await Pod(manifest, api=api)
    await job.create()
    await job.wait("jsonpath='{.status.phase}'=Running", timeout=30)
    assert [line async for line in job.logs(follow=True)] == ["one", "two"]
    assert [line async for line in job.logs(tail_lines=1)] == ["two"]
    await job.wait("jsonpath='{.status.phase}'=Succeeded", timeout=30)
    await job.delete(force=True)
    await job.wait("delete", timeout=30)
    assert not await job.exists()


async def test_refusals_are_server_errors(api: Any, namespace: str):
    one = await config_map(api, namespace, "one", a="1")
    await one.create()
    with pytest.raises(kr8s.ServerError) as twice:
        await (await config_map(api, namespace, "one")).create()
    assert refusal(twice) == (409, "AlreadyExists")
    stale = {"metadata": {"resourceVersion": one.metadata.resourceVersion}, "data": {"a": "3"}}
    await one.patch({"data": {"a": "2"}})
    with pytest.raises(kr8s.ServerError) as conflict:
        await one.patch(stale)
    assert refusal(conflict) == (409, "Conflict")
    with pytest.raises(kr8s.ServerError) as invalid:
        await (await config_map(api, namespace, "Not_A_Name")).create()
    assert refusal(invalid) == (422, "Invalid")
    with pytest.raises(kr8s.NotFoundError):
        await ConfigMap.get("none", namespace=namespace, api=api, timeout=0.2)

"""kr8s, unmodified: objects that create, watch, patch and delete themselves, and Pods' logs.

kr8s offers JSON and merge patches, but neither strategic ones nor server-side apply.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import kr8s.asyncio
import pytest
from kr8s.asyncio.objects import ConfigMap, Deployment, Namespace, Node, Pod, Service

from support.cluster import Cluster, pod
from support.relay import Relay

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
    await made.wait("delete", timeout=60)
    assert not await made.exists()


async def test_pod_logs_and_end(api: Any, namespace: str):
    manifest = pod("job", "sh", "-c", "echo one; sleep 1; echo two", restartPolicy="Never")
    manifest["metadata"]["namespace"] = namespace
    job = await Pod(manifest, api=api)
    await job.create()
    begun = [f"jsonpath='{{.status.phase}}'={phase}" for phase in ("Running", "Succeeded")]
    await job.wait(begun, mode="any", timeout=60)
    assert [line async for line in job.logs(follow=True)] == ["one", "two"]
    assert [line async for line in job.logs(tail_lines=1)] == ["two"]
    await job.wait("jsonpath='{.status.phase}'=Succeeded", timeout=60)
    await job.delete(force=True)
    await job.wait("delete", timeout=60)
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


async def test_a_watch_that_is_cut_is_taken_up_where_it_was(
    api: Any, namespace: str, relayed: Relay
):
    """kr8s leaves beginning again to its user."""
    await (await config_map(api, namespace, "zero")).create()
    one = await config_map(api, namespace, "one", a="0")
    await one.create()
    zero = await ConfigMap.get("zero", namespace=namespace, api=api)
    seen, since = [], zero.metadata.resourceVersion
    far = await kr8s.asyncio.api(kubeconfig=str(relayed.kubeconfig))
    while len(seen) < 5:
        stream = far.watch("configmaps", namespace=namespace, label_selector="app=one", since=since)
        with contextlib.suppress(httpx.HTTPError):
            async for kind, found in stream:
                seen.append((kind, found.data["a"]))
                since = found.metadata.resourceVersion
                relayed.cut()
                if len(seen) < 4:
                    await one.patch({"data": {"a": str(len(seen))}})
                elif len(seen) == 4:
                    await one.delete()
                else:
                    break
        await stream.aclose()
    await far._session.aclose()
    changes = [("MODIFIED", str(number)) for number in range(1, 4)]
    assert seen == [("ADDED", "0"), *changes, ("DELETED", "3")]


async def test_nodes_are_tainted_and_cordoned(api: Any):
    node = await Node.get("node-1", api=api)
    taint = {"key": "example.org/kr8s", "value": "a"}
    await node.taint(**taint, effect="NoSchedule")
    try:
        assert {**taint, "effect": "NoSchedule"} in node.taints
    finally:
        await node.taint(**taint, effect="NoSchedule-")
    await node.cordon()
    assert node.unschedulable
    await node.uncordon()
    assert not node.unschedulable


async def test_owners_and_what_becomes_of_the_owned(api: Any, namespace: str):
    owner = await config_map(api, namespace, "owner")
    await owner.create()
    owned = await config_map(api, namespace, "owned")
    await owned.create()
    await owned.set_owner(owner)
    await owner.delete(propagation_policy="Foreground")
    await owned.wait("delete", timeout=60)
    assert not await owned.exists()


async def test_workloads_and_their_scale(api: Any, namespace: str):
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod("x")["spec"]}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    metadata = {"name": "web", "namespace": namespace}
    web = await Deployment({"metadata": metadata, "spec": spec}, api=api)
    await web.create()
    await web.patch({"spec": {"replicas": 3}}, subresource="scale")
    await web.refresh()
    assert web.replicas == 3
    assert not await web.ready()
    assert [found.name async for found in api.get("deploy", namespace=namespace)] == ["web"]


async def test_a_generated_pod_and_its_service(api: Any, namespace: str):
    made = await Pod.gen(name="web", image="localhost/kuard:demo", ports=[8080])
    manifest = made.to_dict()
    manifest["metadata"] |= {"namespace": namespace, "labels": {"app": "web"}}
    web = await Pod(manifest, api=api)
    await web.create()
    await web.wait("condition=Ready", timeout=60)
    assert await web.ready()
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    service = await Service(
        {"metadata": {"name": "web", "namespace": namespace}, "spec": spec}, api=api
    )
    await service.create()
    assert [found.name for found in await service.ready_pods()] == ["web"]
    fields = {"involvedObject.name": "web", "reason": "Started"}
    events: list[Any] = []
    while not events:  # they come after what they tell of
        got = api.get("events", namespace=namespace, field_selector=fields)
        events = [event async for event in got]
    assert [event.raw["message"] for event in events] == ["Started container web"]


async def test_who_it_is(api: Any):
    assert await api.whoami() == "kubernetes-admin"

"""lightkube, unmodified: typed resources, watches, every patch type, apply, logs, errors."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from lightkube import ApiError, AsyncClient, Client, KubeConfig
from lightkube.config.models import Cluster as ServerConfig
from lightkube.config.models import User
from lightkube.models.authentication_v1 import TokenRequestSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.operators import exists, not_in
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import (
    ConfigMap,
    Namespace,
    Pod,
    ServiceAccount,
    ServiceAccountToken,
)
from lightkube.types import CascadeType, PatchType, on_error_retry

from support.cluster import Cluster, eventually, pod
from support.relay import Relay


@pytest.fixture(scope="module")
def api(shared: Cluster) -> Iterator[Client]:
    loaded = KubeConfig.from_file(shared.kubeconfig)
    with Client(config=loaded, field_manager="lightkube", trust_env=False) as client:
        yield client


def config_map(name: str, namespace: str, **data: str) -> ConfigMap:
    metadata = ObjectMeta(name=name, namespace=namespace, labels={"app": name})
    return ConfigMap(metadata=metadata, data=data)


def refusal(error: pytest.ExceptionInfo[ApiError]) -> tuple[int, str]:
    return error.value.status.code, error.value.status.reason


def test_create_get_list_replace_delete(api: Client, namespace: str):
    made = api.create(config_map("one", namespace, a="1"))
    api.create(config_map("two", namespace, a="2"))
    assert api.get(ConfigMap, "one", namespace=namespace).data == {"a": "1"}
    chosen = api.list(ConfigMap, namespace=namespace, labels={"app": ["two", "three"]})
    assert [item.metadata.name for item in chosen] == ["two"]
    everywhere = api.list(ConfigMap, namespace="*", fields={"metadata.name": "one"})
    assert namespace in [item.metadata.namespace for item in everywhere]
    paged = api.list(ConfigMap, namespace=namespace, chunk_size=1, labels={"app": ["one", "two"]})
    assert [item.metadata.name for item in paged] == ["one", "two"]
    made.data = {"b": "3"}
    assert api.replace(made).data == {"b": "3"}
    api.delete(ConfigMap, "one", namespace=namespace)
    with pytest.raises(ApiError) as gone:
        api.get(ConfigMap, "one", namespace=namespace)
    assert refusal(gone) == (404, "NotFound")


@pytest.mark.parametrize(
    ("patch_type", "body", "data"),
    [
        pytest.param(
            PatchType.JSON, [{"op": "remove", "path": "/data/a"}], {"b": "1"}, id="json"
        ),
        pytest.param(
            PatchType.MERGE, {"data": {"a": None, "c": "3"}}, {"b": "1", "c": "3"}, id="merge"
        ),
        pytest.param(
            PatchType.STRATEGIC, {"data": {"$patch": "replace", "d": "4"}}, {"d": "4"},
            id="strategic",
        ),
    ],
)  # fmt: skip
def test_patch(
    api: Client, namespace: str, patch_type: PatchType, body: object, data: dict[str, str]
):
    api.create(config_map("one", namespace, a="1", b="1"))
    patched = api.patch(ConfigMap, "one", body, namespace=namespace, patch_type=patch_type)
    assert patched.data == data


def test_server_side_apply(api: Client, namespace: str):
    def applied(manager: str, force: bool = False, **data: str) -> ConfigMap:
        return api.apply(config_map("one", namespace, **data), field_manager=manager, force=force)

    assert applied("first", a="1", b="1").data == {"a": "1", "b": "1"}
    assert applied("first", a="1").data == {"a": "1"}
    with pytest.raises(ApiError) as conflict:
        applied("second", a="2")
    assert refusal(conflict) == (409, "Conflict")
    assert applied("second", force=True, a="2").data == {"a": "2"}


def test_set_labels(api: Client, namespace: str):
    api.create(config_map("one", namespace))
    changed = api.set(ConfigMap, "one", namespace=namespace, labels={"b": "2"})
    assert changed.metadata.labels == {"app": "one", "b": "2"}


def test_watch_resumes_from_the_last_version_seen(api: Client, namespace: str):
    def events(version: str) -> Iterator[tuple[str, ConfigMap]]:
        return api.watch(
            ConfigMap, namespace=namespace, labels={"app": "one"}, resource_version=version
        )

    created = api.create(config_map("zero", namespace))
    api.create(config_map("one", namespace, a="1"))
    stream = events(created.metadata.resourceVersion)
    kind, seen = next(stream)
    assert (kind, seen.data) == ("ADDED", {"a": "1"})
    stream.close()
    api.patch(ConfigMap, "one", {"data": {"a": "2"}}, namespace=namespace)
    api.delete(ConfigMap, "one", namespace=namespace)
    stream = events(seen.metadata.resourceVersion)
    assert [(kind, item.data) for kind, item in (next(stream), next(stream))] == [
        ("MODIFIED", {"a": "2"}),
        ("DELETED", {"a": "2"}),
    ]
    stream.close()


def test_namespaces(api: Client):
    made = api.create(Namespace(metadata=ObjectMeta(name="lightkube")))
    assert made.status.phase == "Active"
    patched = api.patch(Namespace, "lightkube", {"metadata": {"labels": {"a": "1"}}})
    assert patched.metadata.labels["a"] == "1"
    assert "lightkube" in [item.metadata.name for item in api.list(Namespace)]
    api.delete(Namespace, "lightkube")
    stream = api.watch(
        Namespace, fields={"metadata.name": "lightkube"},
        resource_version=patched.metadata.resourceVersion,
    )  # fmt: skip
    assert any(kind == "DELETED" for kind, _ in stream)
    stream.close()


def test_pod_logs_and_end(api: Client, namespace: str):
    manifest = pod("job", "sh", "-c", "echo one; sleep 1; echo two", restartPolicy="Never")
    manifest["metadata"]["namespace"] = namespace
    api.create(Pod.from_dict(manifest))
    for _, seen in api.watch(Pod, namespace=namespace, fields={"metadata.name": "job"}):
        if seen.status.phase in ("Running", "Succeeded"):
            break
    followed = list(api.log("job", namespace=namespace, follow=True))
    assert followed == ["one\n", "two\n"]
    last = api.log("job", namespace=namespace, tail_lines=1, newlines=False)
    assert list(last) == ["two"]
    eventually(
        lambda: api.get(Pod, "job", namespace=namespace).status.phase == "Succeeded", "success"
    )
    api.delete(Pod, "job", namespace=namespace, grace_period=0)
    eventually(lambda: not list(api.list(Pod, namespace=namespace)), "the Pod's end")


def test_refusals_are_api_errors(api: Client, namespace: str):
    made = api.create(config_map("one", namespace, a="1"))
    with pytest.raises(ApiError) as twice:
        api.create(config_map("one", namespace))
    assert refusal(twice) == (409, "AlreadyExists")
    api.patch(ConfigMap, "one", {"data": {"a": "2"}}, namespace=namespace)
    with pytest.raises(ApiError) as stale:
        api.replace(made)
    assert refusal(stale) == (409, "Conflict")
    with pytest.raises(ApiError) as invalid:
        api.create(config_map("Not_A_Name", namespace))
    assert refusal(invalid) == (422, "Invalid")
    assert [cause.field for cause in invalid.value.status.details.causes] == ["metadata.name"]
    with pytest.raises(ApiError) as missing:
        api.delete(Pod, "none", namespace=namespace)
    assert refusal(missing) == (404, "NotFound")
    with pytest.raises(ApiError) as unlogged:
        list(api.log("none", namespace=namespace, follow=True))
    assert refusal(unlogged) == (404, "NotFound")


def test_a_watch_that_is_cut_goes_on(api: Client, namespace: str, relayed: Relay):
    """Nothing is lost or seen twice, however often the network fails."""
    seen: list[tuple[str, str]] = []
    loaded = KubeConfig.from_file(relayed.kubeconfig)
    start = api.create(config_map("zero", namespace)).metadata.resourceVersion
    with Client(config=loaded, trust_env=False) as far:
        api.create(config_map("one", namespace, a="0"))
        stream = far.watch(
            ConfigMap,
            namespace=namespace,
            labels={"app": "one"},
            resource_version=start,
            on_error=on_error_retry,
        )
        for kind, found in stream:
            seen.append((kind, found.data["a"]))
            assert relayed.cut()
            if kind == "DELETED":
                break
            if len(seen) == 5:
                api.delete(ConfigMap, "one", namespace=namespace)
            else:
                change = {"data": {"a": str(len(seen))}}
                api.patch(ConfigMap, "one", change, namespace=namespace)
        stream.close()
    changes = [("MODIFIED", str(number)) for number in range(1, 5)]
    assert seen == [("ADDED", "0"), *changes, ("DELETED", "4")]


def test_a_watch_from_too_long_ago(api: Client, namespace: str):
    """It is told so; whoever retries begins again with what there is."""
    api.create(config_map("one", namespace))
    options = {"namespace": namespace, "labels": {"app": "one"}, "resource_version": "1"}
    stream = api.watch(ConfigMap, **options)
    with pytest.raises(ApiError) as gone:
        next(stream)
    assert refusal(gone) == (410, "Expired")
    stream = api.watch(ConfigMap, **options, on_error=on_error_retry)
    kind, found = next(stream)
    assert (kind, found.metadata.name) == ("ADDED", "one")
    stream.close()


def test_subresources(api: Client, namespace: str):
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod("x")["spec"]}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    metadata = {"name": "web", "namespace": namespace}
    api.create(Deployment.from_dict({"metadata": metadata, "spec": spec}))
    scale = api.get(Deployment.Scale, "web", namespace=namespace)
    scale.spec.replicas = 3
    assert api.replace(scale, "web", namespace=namespace).spec.replicas == 3
    both = {"spec": {"replicas": 5}, "status": {"replicas": 2}}
    told = api.patch(Deployment.Status, "web", both, namespace=namespace)
    assert (told.spec.replicas, told.status.replicas) == (3, 2)
    api.create(ServiceAccount(metadata=ObjectMeta(name="robot", namespace=namespace)))
    asked = ServiceAccountToken(
        metadata=ObjectMeta(), spec=TokenRequestSpec(audiences=["me"], expirationSeconds=600)
    )
    token = api.create(asked, "robot", namespace=namespace).status.token
    assert token.count(".") == 2
    api.delete(Deployment, "web", namespace=namespace, cascade=CascadeType.FOREGROUND)


def test_waiting_for_conditions_and_eviction(api: Client, namespace: str):
    api.create(Pod.from_dict(pod("web")), namespace=namespace)
    ready = api.wait(Pod, "web", for_conditions=["Ready"], namespace=namespace)
    assert ready.status.podIP
    eviction = Pod.Eviction(metadata=ObjectMeta(name="web", namespace=namespace))
    api.create(eviction, "web", namespace=namespace)
    stream = api.watch(
        Pod, namespace=namespace, fields={"metadata.name": "web"},
        resource_version=ready.metadata.resourceVersion,
    )  # fmt: skip
    gone = next(found for kind, found in stream if kind == "DELETED")
    assert "DisruptionTarget" in [condition.type for condition in gone.status.conditions]
    stream.close()


def test_dry_runs_and_collections(api: Client, namespace: str):
    api.create(config_map("one", namespace), dry_run=True)
    assert list(api.list(ConfigMap, namespace=namespace, labels={"app": "one"})) == []
    for name in ("one", "two"):
        api.create(config_map(name, namespace))
    others = api.list(ConfigMap, namespace=namespace, labels={"app": not_in(["two"])})
    assert {found.metadata.name for found in others} - {"kube-root-ca.crt"} == {"one"}
    api.deletecollection(ConfigMap, namespace=namespace)
    assert list(api.list(ConfigMap, namespace=namespace, labels={"app": exists()})) == []


async def test_the_async_client(shared: Cluster, namespace: str):
    loaded = KubeConfig.from_file(shared.kubeconfig)
    async with AsyncClient(config=loaded, trust_env=False) as api:
        made = await api.create(config_map("one", namespace, a="1"))
        await api.apply(config_map("one", namespace, b="2"), field_manager="async")
        version = made.metadata.resourceVersion
        one = {"labels": {"app": "one"}, "resource_version": version}
        stream = api.watch(ConfigMap, namespace=namespace, **one)
        kind, found = await anext(stream)
        assert (kind, found.data) == ("MODIFIED", {"a": "1", "b": "2"})
        await stream.aclose()
        named = [item.metadata.name async for item in api.list(ConfigMap, namespace=namespace)]
        assert set(named) - {"kube-root-ca.crt"} == {"one"}


def test_a_server_that_is_not_trusted(shared: Cluster):
    known = KubeConfig.from_file(shared.kubeconfig)
    wary = KubeConfig.from_one(
        cluster=ServerConfig(server=known.clusters["podium"].server), user=User()
    )
    with (
        Client(config=wary, trust_env=False) as client,
        pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.get(Namespace, "default")

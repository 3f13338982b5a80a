"""The official Python client, unmodified: typed API, watches, every patch style, apply, logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client, config, watch

from support.cluster import Cluster, eventually, pod

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


@pytest.fixture(scope="module")
def core(shared: Cluster) -> Iterator[Any]:
    with config.new_client_from_config(str(shared.kubeconfig)) as api:
        yield client.CoreV1Api(api)


def config_map(name: str, **data: str) -> client.V1ConfigMap:
    return client.V1ConfigMap(
        metadata=client.V1ObjectMeta(name=name, labels={"app": name}), data=data
    )


def refusal(error: pytest.ExceptionInfo[client.ApiException]) -> tuple[int, str]:
    """The HTTP status and the Status object's reason."""
    return error.value.status, json.loads(error.value.body)["reason"]


def test_create_get_list_replace_delete(core: Any, namespace: str):
    made = core.create_namespaced_config_map(namespace, config_map("one", a="1"))
    core.create_namespaced_config_map(namespace, config_map("two", a="2"))
    assert made.metadata.uid
    assert core.read_namespaced_config_map("one", namespace).data == {"a": "1"}
    chosen = core.list_namespaced_config_map(namespace, label_selector="app in (two)").items
    assert [item.metadata.name for item in chosen] == ["two"]
    everywhere = core.list_config_map_for_all_namespaces(field_selector="metadata.name=one").items
    assert {item.metadata.name for item in everywhere} == {"one"}
    assert namespace in [item.metadata.namespace for item in everywhere]
    made.data = {"b": "3"}
    assert core.replace_namespaced_config_map("one", namespace, made).data == {"b": "3"}
    core.delete_namespaced_config_map("one", namespace)
    with pytest.raises(client.ApiException) as gone:
        core.read_namespaced_config_map("one", namespace)
    assert refusal(gone) == (404, "NotFound")


def test_list_in_pages(core: Any, namespace: str):
    names = [f"page-{number}" for number in range(5)]
    for name in names:
        core.create_namespaced_config_map(namespace, config_map(name))
    seen, token = [], None
    while token != "":
        page = core.list_namespaced_config_map(
            namespace, limit=2, field_selector="metadata.name!=kube-root-ca.crt",
            **({"_continue": token} if token else {}),
        )  # fmt: skip
        assert len(page.items) <= 2
        seen += [item.metadata.name for item in page.items]
        token = page.metadata._continue or ""
    assert seen == names


@pytest.mark.parametrize(
    ("content_type", "body", "data"),
    [
        pytest.param(
            JSON_PATCH, [{"op": "replace", "path": "/data/a", "value": "2"}],
            {"a": "2", "b": "1"}, id="json",
        ),
        pytest.param(
            MERGE_PATCH, {"data": {"a": None, "c": "3"}}, {"b": "1", "c": "3"}, id="merge"
        ),
        pytest.param(
            STRATEGIC_PATCH, {"data": {"$patch": "replace", "d": "4"}}, {"d": "4"}, id="strategic"
        ),
    ],
)  # fmt: skip
def test_patch(core: Any, namespace: str, content_type: str, body: Any, data: dict[str, str]):
    core.create_namespaced_config_map(namespace, config_map("one", a="1", b="1"))
    patched = core.patch_namespaced_config_map("one", namespace, body, _content_type=content_type)
    assert patched.data == data
    assert core.read_namespaced_config_map("one", namespace).data == data


def test_server_side_apply(core: Any, namespace: str):
    def apply(manager: str, data: dict[str, str], **options: Any) -> Any:
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "one"},
            "data": data,
        }
        return core.patch_namespaced_config_map(
            "one", namespace, body, field_manager=manager, _content_type=APPLY_PATCH, **options
        )

    assert apply("first", {"a": "1", "b": "1"}).data == {"a": "1", "b": "1"}
    assert apply("first", {"a": "1"}).data == {"a": "1"}
    with pytest.raises(client.ApiException) as conflict:
        apply("second", {"a": "2"})
    assert refusal(conflict) == (409, "Conflict")
    taken = apply("second", {"a": "2"}, force=True)
    assert taken.data == {"a": "2"}
    managers = {(entry.manager, entry.operation) for entry in taken.metadata.managed_fields}
    assert ("second", "Apply") in managers


def test_watch_resumes_from_the_last_version_seen(core: Any, namespace: str):
    start = core.list_namespaced_config_map(namespace).metadata.resource_version
    core.create_namespaced_config_map(namespace, config_map("one", a="1"))
    watcher = watch.Watch()
    selection = {"namespace": namespace, "label_selector": "app=one", "timeout_seconds": 60}
    for event in watcher.stream(
        core.list_namespaced_config_map, resource_version=start, **selection
    ):
        assert (event["type"], event["object"].data) == ("ADDED", {"a": "1"})
        seen = event["object"].metadata.resource_version
        watcher.stop()
    merge = {"_content_type": MERGE_PATCH}
    core.patch_namespaced_config_map("one", namespace, {"data": {"a": "2"}}, **merge)
    core.delete_namespaced_config_map("one", namespace)
    missed = []
    for event in watcher.stream(
        core.list_namespaced_config_map, resource_version=seen, **selection
    ):
        missed.append((event["type"], event["object"].data["a"]))
        if event["type"] == "DELETED":
            watcher.stop()
    assert missed == [("MODIFIED", "2"), ("DELETED", "2")]


def test_watch_ends_at_its_timeout(core: Any, namespace: str):
    core.create_namespaced_config_map(namespace, config_map("one"))
    events = list(
        watch.Watch().stream(
            core.list_namespaced_config_map, namespace, label_selector="app=one", timeout_seconds=1
        )
    )
    assert [event["type"] for event in events] == ["ADDED"]


def test_namespaces(core: Any, shared: Cluster):
    body = client.V1Namespace(metadata=client.V1ObjectMeta(name="official"))
    assert core.create_namespace(body).status.phase == "Active"
    start = core.read_namespace("official").metadata.resource_version
    labels = {"metadata": {"labels": {"a": "1"}}}
    patched = core.patch_namespace("official", labels, _content_type=STRATEGIC_PATCH)
    assert patched.metadata.labels["a"] == "1"
    assert "official" in [item.metadata.name for item in core.list_namespace().items]
    core.delete_namespace("official")
    watcher = watch.Watch()
    types = []
    for event in watcher.stream(
        core.list_namespace, resource_version=start, timeout_seconds=60,
        field_selector="metadata.name=official",
    ):  # fmt: skip
        types.append(event["type"])
        if event["type"] == "DELETED":
            watcher.stop()
    assert (types[0], types[-1]) == ("MODIFIED", "DELETED")


def test_pod_logs_and_end(core: Any, namespace: str):
    script = "trap 'exit 0' TERM; echo one; echo two; until [ -e /tmp/go ]; do sleep 0.05; done"
    core.create_namespaced_pod(namespace, pod("web", "sh", "-c", script + "; echo three"))

    def running() -> bool:
        return core.read_namespaced_pod("web", namespace).status.phase == "Running"

    eventually(running, "a running Pod")
    eventually(
        lambda: core.read_namespaced_pod_log("web", namespace) == "one\ntwo\n", "the first lines"
    )
    assert core.read_namespaced_pod_log("web", namespace, tail_lines=1) == "two\n"
    watcher = watch.Watch()
    followed = []
    for line in watcher.stream(core.read_namespaced_pod_log, "web", namespace):
        followed.append(line)
        if len(followed) == 2:
            break
    assert followed == ["one", "two"]
    core.delete_namespaced_pod("web", namespace, grace_period_seconds=1)

    def gone() -> bool:
        try:
            core.read_namespaced_pod("web", namespace)
        except client.ApiException as error:
            return bool(error.status == 404)
        return False

    eventually(gone, "the Pod's end")


def test_follow_ends_with_the_container(core: Any, namespace: str):
    manifest = pod("job", "sh", "-c", "echo one; sleep 1; echo two", restartPolicy="Never")
    core.create_namespaced_pod(namespace, manifest)
    eventually(
        lambda: core.read_namespaced_pod("job", namespace).status.phase != "Pending", "a start"
    )
    log = core.read_namespaced_pod_log("job", namespace, follow=True, _preload_content=False)
    assert log.read() == b"one\ntwo\n"
    log.release_conn()


def test_refusals_are_api_exceptions(core: Any, namespace: str):
    made = core.create_namespaced_config_map(namespace, config_map("one", a="1"))
    with pytest.raises(client.ApiException) as twice:
        core.create_namespaced_config_map(namespace, config_map("one"))
    assert refusal(twice) == (409, "AlreadyExists")
    core.patch_namespaced_config_map(
        "one", namespace, {"data": {"a": "2"}}, _content_type=MERGE_PATCH
    )
    with pytest.raises(client.ApiException) as stale:
        core.replace_namespaced_config_map("one", namespace, made)
    assert refusal(stale) == (409, "Conflict")
    with pytest.raises(client.ApiException) as invalid:
        core.create_namespaced_config_map(namespace, config_map("Not_A_Name"))
    assert refusal(invalid) == (422, "Invalid")
    with pytest.raises(client.ApiException) as missing:
        core.delete_namespaced_pod("none", namespace)
    assert refusal(missing) == (404, "NotFound")
    with pytest.raises(client.ApiException) as no_namespace:
        core.read_namespace("none")
    assert refusal(no_namespace) == (404, "NotFound")

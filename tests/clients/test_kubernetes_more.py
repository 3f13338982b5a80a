"""The official Python client's other ways in: informer, dynamic client, subresources, TLS."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml
from kubernetes import client, config, utils, watch
from kubernetes.dynamic import DynamicClient
from kubernetes.informer import SharedInformer

from support.cluster import Cluster, eventually, pod
from support.relay import Relay

pytestmark = [
    # The client does not close a connection that breaks.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("rubbish"),
]
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


@pytest.fixture(scope="module")
def api(shared: Cluster) -> Iterator[Any]:
    with config.new_client_from_config(str(shared.kubeconfig)) as made:
        yield made


@pytest.fixture
def core(api: Any) -> Any:
    return client.CoreV1Api(api)


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def refusal(error: pytest.ExceptionInfo[client.ApiException]) -> tuple[int, str]:
    """The HTTP status and the Status object's reason."""
    return error.value.status, json.loads(error.value.body)["reason"]


@contextlib.contextmanager
def informed(kubeconfig: Path, namespace: str) -> Iterator[list[tuple[str, str]]]:
    """An informer on the namespace's ConfigMaps; yield the events it tells: type and ``data.a``."""
    seen: list[tuple[str, str]] = []
    with config.new_client_from_config(str(kubeconfig)) as api:
        informer = SharedInformer(
            client.CoreV1Api(api).list_namespaced_config_map,
            namespace=namespace,
            field_selector="metadata.name!=kube-root-ca.crt",
        )
        for kind in ("ADDED", "MODIFIED", "DELETED"):
            informer.add_event_handler(
                kind, lambda found, kind=kind: seen.append((kind, found.data["a"]))
            )
        informer.start()
        try:
            yield seen
        finally:
            informer.stop()


def test_an_informer_misses_nothing_when_its_connections_are_cut(
    core: Any, namespace: str, relayed: Relay
):
    with informed(relayed.kubeconfig, namespace) as seen:
        core.create_namespaced_config_map(namespace, config_map("one", a="1"))
        expected = [("ADDED", "1")]
        eventually(lambda: seen == expected, "the first event")
        for number in ("2", "3", "4"):
            assert relayed.cut()
            core.patch_namespaced_config_map("one", namespace, {"data": {"a": number}})
            expected.append(("MODIFIED", number))
            eventually(lambda: seen == expected, "the change after the cut")
        relayed.cut()
        core.delete_namespaced_config_map("one", namespace)
        core.create_namespaced_config_map(namespace, config_map("two", a="5"))
        expected += [("DELETED", "4"), ("ADDED", "5")]
        eventually(lambda: seen == expected, "the end of one, and another")


def test_an_informer_outlives_the_api_server(shared: Cluster, core: Any, namespace: str):
    """What was written before the server was killed is there, and what comes after is told."""
    with informed(shared.kubeconfig, namespace) as seen:
        core.create_namespaced_config_map(namespace, config_map("one", a="1"))
        eventually(lambda: seen == [("ADDED", "1")], "the first event")
        os.kill(shared.processes()["apiserver"], signal.SIGKILL)

        def patched() -> bool:
            try:
                core.patch_namespaced_config_map("one", namespace, {"data": {"a": "2"}})
            except urllib3.exceptions.HTTPError:
                return False
            return True

        eventually(patched, "a server")
        eventually(lambda: ("MODIFIED", "2") in seen, "the change")
        core.delete_namespaced_config_map("one", namespace)
        eventually(lambda: seen[-1] == ("DELETED", "2"), "the end")
    assert seen.count(("DELETED", "2")) == 1


def test_a_watch_from_too_long_ago_is_gone(core: Any, namespace: str):
    stream = watch.Watch().stream(core.list_namespaced_config_map, namespace, resource_version="1")
    with pytest.raises(client.ApiException, match="too old resource version") as gone:
        next(stream)
    assert gone.value.status == 410
    with pytest.raises(client.ApiException) as list_gone:
        core.list_namespaced_config_map(
            namespace, resource_version="1", resource_version_match="Exact"
        )
    assert refusal(list_gone) == (410, "Expired")


def test_the_dynamic_client(api: Any, namespace: str, tmp_path: Path):
    dynamic = DynamicClient(api, cache_file=str(tmp_path / "discovery"))
    maps = dynamic.resources.get(api_version="v1", kind="ConfigMap")
    made = maps.create(body=config_map("one", a="1"), namespace=namespace)
    assert maps.get(name="one", namespace=namespace).data.a == "1"
    merge = {"content_type": "application/merge-patch+json"}
    change = {"metadata": {"name": "one"}, "data": {"a": "2"}}
    assert maps.patch(body=change, namespace=namespace, **merge).data.a == "2"
    applied = maps.server_side_apply(
        body=config_map("one", b="3"), namespace=namespace, field_manager="dynamic"
    )
    assert dict(applied.data) == {"a": "2", "b": "3"}
    maps.delete(name="one", namespace=namespace)
    version = made.metadata.resourceVersion
    events = maps.watch(
        namespace=namespace, field_selector="metadata.name=one", resource_version=version,
        timeout=60,
    )  # fmt: skip
    kinds = [next(events)["type"] for _ in range(3)]
    assert kinds == ["MODIFIED", "MODIFIED", "DELETED"]
    named = dynamic.resources.search(short_names=["deploy"])
    assert [(found.group_version, found.kind) for found in named if found.kind == "Deployment"] == [
        ("apps/v1", "Deployment")
    ]


def test_files_of_several_objects(api: Any, core: Any, namespace: str, tmp_path: Path):
    objects = [config_map("one"), {**config_map("two"), "kind": "Secret", "data": {"a": "Yg=="}}]
    file = tmp_path / "all.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    utils.create_from_yaml(api, str(file), namespace=namespace)
    assert core.read_namespaced_secret("two", namespace).data == {"a": "Yg=="}


@pytest.mark.parametrize(("accept", "kind"), [(TABLE, "Table"), (METADATA, None)])
def test_other_representations(api: Any, core: Any, namespace: str, accept: str, kind: str | None):
    core.create_namespaced_config_map(namespace, config_map("one", a="1"))
    answer = api.call_api(
        "GET",
        f"{api.configuration.host}/api/v1/namespaces/{namespace}/configmaps"
        "?fieldSelector=metadata.name=one",
        header_params={"Accept": accept},
    )  # fmt: skip
    found = json.loads(answer.read())
    assert found["kind"] == (kind or "PartialObjectMetadataList")
    names = [
        (item["object"] if kind else item)["metadata"]["name"]
        for item in found["rows" if kind else "items"]
    ]
    assert names == ["one"]


def test_dry_runs_and_strict_fields(api: Any, core: Any, namespace: str):
    body = config_map("one", a="1")
    made = core.create_namespaced_config_map(namespace, body, dry_run="All")
    assert made.metadata.uid
    with pytest.raises(client.ApiException) as missing:
        core.read_namespaced_config_map("one", namespace)
    assert missing.value.status == 404
    # The typed methods know their fields themselves.
    url = f"{api.configuration.host}/api/v1/namespaces/{namespace}/configmaps"
    answer = api.call_api("POST", f"{url}?fieldValidation=Strict", body={**body, "date": {}})
    assert answer.status == 400
    assert b'strict decoding error: unknown field \\"date\\"' in answer.read()


def test_names_are_generated_and_collections_deleted(core: Any, namespace: str):
    generated = {"metadata": {"generateName": "x-", "labels": {"app": "x"}}}
    names = {
        core.create_namespaced_config_map(namespace, generated).metadata.name for _ in range(3)
    }
    assert {name[:2] for name in names} == {"x-"}
    assert {len(name) for name in names} == {7}
    core.delete_collection_namespaced_config_map(namespace, label_selector="app=x")
    left = core.list_namespaced_config_map(namespace, label_selector="app=x").items
    assert left == []


def test_status_and_scale(api: Any, core: Any, namespace: str):
    apps = client.AppsV1Api(api)
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod("x")["spec"]}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    apps.create_namespaced_deployment(namespace, {"metadata": {"name": "web"}, "spec": spec})
    scale = apps.read_namespaced_deployment_scale("web", namespace)
    assert (scale.spec.replicas, scale.status.replicas) == (1, 0)
    scaled = apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 3}})
    assert scaled.spec.replicas == 3
    both = {"spec": {"replicas": 5}, "status": {"replicas": 2, "readyReplicas": 1}}
    told = apps.patch_namespaced_deployment_status("web", namespace, both)
    assert (told.spec.replicas, told.status.replicas) == (3, 2)
    apps.delete_namespaced_deployment("web", namespace, propagation_policy="Foreground")


def test_events_are_one_thing_with_two_views(api: Any, core: Any, namespace: str):
    about = {"apiVersion": "v1", "kind": "ConfigMap", "name": "one", "namespace": namespace}
    client.EventsV1Api(api).create_namespaced_event(
        namespace,
        {
            "metadata": {"name": "told"},
            "eventTime": "2026-01-02T03:04:05.000006Z",
            "regarding": about, "reason": "Tested", "note": "by a client", "type": "Normal",
            "action": "Test", "reportingController": "example.com/test", "reportingInstance": "x",
        },
    )  # fmt: skip
    chosen = core.list_namespaced_event(
        namespace, field_selector="involvedObject.name=one,reason=Tested"
    )
    assert [event.message for event in chosen.items] == ["by a client"]


def test_an_eviction_waits_for_its_budget(api: Any, core: Any, namespace: str):
    policy = client.PolicyV1Api(api)
    selector = {"matchLabels": {"app": "web"}}
    policy.create_namespaced_pod_disruption_budget(
        namespace,
        {"metadata": {"name": "all"}, "spec": {"maxUnavailable": 0, "selector": selector}},
    )
    core.create_namespaced_pod(namespace, pod("web"))

    def running() -> bool:
        return core.read_namespaced_pod("web", namespace).status.phase == "Running"

    eventually(running, "a running Pod")
    eviction = client.V1Eviction(metadata=client.V1ObjectMeta(name="web", namespace=namespace))
    with pytest.raises(client.ApiException) as not_now:
        core.create_namespaced_pod_eviction("web", namespace, eviction)
    assert refusal(not_now) == (429, "TooManyRequests")
    policy.delete_namespaced_pod_disruption_budget("all", namespace)
    core.create_namespaced_pod_eviction("web", namespace, eviction)

    def gone() -> bool:
        pods = core.list_namespaced_pod(namespace, field_selector="metadata.name=web").items
        return not pods

    eventually(gone, "the Pod's end")


def test_a_service_account_with_its_token(api: Any, core: Any, namespace: str):
    core.create_namespaced_service_account(namespace, {"metadata": {"name": "robot"}})
    asked = {"spec": {"audiences": [], "expirationSeconds": 600}}
    token = core.create_namespaced_service_account_token("robot", namespace, asked).status.token
    name = f"system:serviceaccount:{namespace}:robot"
    review = client.AuthenticationV1Api(api).create_token_review({"spec": {"token": token}})
    assert (review.status.authenticated, review.status.user.username) == (True, name)

    settings = client.Configuration()
    settings.host, settings.ssl_ca_cert = api.configuration.host, api.configuration.ssl_ca_cert
    settings.api_key = {"authorization": f"Bearer {token}"}
    with client.ApiClient(settings) as robot:
        who = client.AuthenticationV1Api(robot).create_self_subject_review({})
        assert who.status.user_info.username == name
        with pytest.raises(client.ApiException) as forbidden:
            client.CoreV1Api(robot).list_namespaced_secret(namespace)
        assert refusal(forbidden) == (403, "Forbidden")
        core.delete_namespaced_service_account("robot", namespace)
        with pytest.raises(client.ApiException) as revoked:
            client.AuthenticationV1Api(robot).create_self_subject_review({})
        assert refusal(revoked) == (401, "Unauthorized")


def test_who_is_not_known_and_who_is_not_trusted(api: Any):
    settings = client.Configuration()
    settings.host, settings.ssl_ca_cert = api.configuration.host, api.configuration.ssl_ca_cert
    with client.ApiClient(settings) as stranger:
        with pytest.raises(client.ApiException) as unknown:
            client.CoreV1Api(stranger).list_namespace()
        assert refusal(unknown) == (401, "Unauthorized")
        assert client.VersionApi(stranger).get_code().minor == "37"
    settings.ssl_ca_cert, settings.retries = None, False
    with client.ApiClient(settings) as wary, pytest.raises(client.ApiException) as untrusted:
        client.VersionApi(wary).get_code()
    assert "certificate verify failed" in untrusted.value.reason


def test_parts_of_a_log(core: Any, namespace: str):
    script = "printf 'one\\ntwo\\nthree\\n'"
    core.create_namespaced_pod(namespace, pod("job", "sh", "-c", script, restartPolicy="Never"))

    def log(**options: Any) -> str:
        text: str = core.read_namespaced_pod_log("job", namespace, **options)
        return text

    def over() -> bool:
        return core.read_namespaced_pod("job", namespace).status.phase == "Succeeded"

    eventually(over, "the Pod's success")
    assert log(container="main") == "one\ntwo\nthree\n"
    assert log(tail_lines=2, limit_bytes=5) == "two\nt"
    assert log(since_seconds=3600, tail_lines=1) == "three\n"
    assert [line.split(" ")[1] for line in log(timestamps=True).splitlines()] == [
        "one", "two", "three",
    ]  # fmt: skip
    with pytest.raises(client.ApiException) as other:
        log(container="other")
    assert refusal(other) == (400, "BadRequest")
    with pytest.raises(client.ApiException) as previous:
        log(previous=True)
    assert refusal(previous) == (400, "BadRequest")

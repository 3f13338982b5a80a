"""What ``pods/resize`` may change; texts as in ``ValidatePodResize`` of Kubernetes."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.api import codec
from podium.api.resources import qos_class
from podium.api.types.core_v1 import Pod
from podium.api.validation.pod_resize import validate_pod_resize
from podium.registry.strategies.pod_preparation import take_resources
from support.objects import container, pod


def made(spec: dict[str, Any], **metadata: Any) -> Pod:
    obj = pod(spec, **metadata)
    obj.status.qos_class = qos_class(obj)
    return obj


def offences(old: Pod, new: Pod) -> list[str]:
    return [str(error) for error in validate_pod_resize(new, old)]


def of(requests: dict[str, str], limits: dict[str, str] | None = None) -> dict[str, Any]:
    return {"requests": requests, "limits": limits or {}}


def burstable(cpu: str, **fields: Any) -> dict[str, Any]:
    return {"containers": [container(resources=of({"cpu": cpu, "memory": "1Gi"}), **fields)]}


def sidecar(cpu: str, **fields: Any) -> dict[str, Any]:
    return init(cpu, restartPolicy="Always", **fields)


def init(cpu: str, **fields: Any) -> dict[str, Any]:
    return {"initContainers": [container(name="i", resources=of({"cpu": cpu}), **fields)]}


GUARANTEED = of({}, {"cpu": "1", "memory": "1Gi"})
ONCE = "spec.initContainers[0]: Forbidden: "
ONLY = "spec: Forbidden: only cpu and memory resources are mutable"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(burstable("1"), burstable("1"), id="nothing"),
        pytest.param(burstable("1"), burstable("2"), id="more"),
        pytest.param(burstable("2"), burstable("1"), id="less"),
        pytest.param(burstable("1"), {"containers": [container(resources=of(
            {"cpu": "1", "memory": "1Gi"}, {"cpu": "4"}))]}, id="a-first-limit"),
        pytest.param({"containers": [container(resources=GUARANTEED)]},
                     {"containers": [container(resources=of({}, {"cpu": "2", "memory": "1Gi"}))]},
                     id="guaranteed-stays-guaranteed"),
        pytest.param({**burstable("1"), **sidecar("1")}, {**burstable("1"), **sidecar("2")},
                     id="a-sidecar"),
        pytest.param({**burstable("1"), **init("1")}, {**burstable("1"), **init("2")},
                     id="an-init-container"),
        pytest.param({"resources": of({"cpu": "1"})}, {"resources": of({"cpu": "2"})},
                     id="the-pod-as-a-whole"),
        pytest.param(burstable("1"), {**burstable("1"), "resources": of({"cpu": "2"})},
                     id="a-first-request-of-the-pod"),
    ],
)  # fmt: skip
def test_allowed(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert offences(made(old), made(new)) == []


@pytest.mark.parametrize(
    ("old", "new", "texts"),
    [
        pytest.param({}, burstable("1"),
                     ['spec: Invalid value: "Burstable": '
                      "Pod QOS Class may not change as a result of resizing"],
                     id="another-qos-class"),
        pytest.param(burstable("1"), {"containers": [container(resources=of({"cpu": "1"}))]},
                     ["spec.containers[0].resources.requests: Forbidden: "
                      "resource requests cannot be removed"], id="a-request-taken-away"),
        pytest.param(burstable("1"), {"containers": [container(
            resources=of({"cpu": "1", "memory": "1Gi", "example.com/x": "1"},
                         {"example.com/x": "1"}))]}, [ONLY], id="an-extended-resource"),
        pytest.param(burstable("1"), burstable("1", resizePolicy=[
            {"resourceName": "cpu", "restartPolicy": "NotRequired"}]), [ONLY],
            id="what-a-resize-means"),
        pytest.param({**burstable("1"), **init("1")},
                     {**burstable("1"), **init("1", resizePolicy=[
                         {"resourceName": "cpu", "restartPolicy": "NotRequired"}])},
                     [f"{ONCE}only cpu and memory resources for init or sidecar containers are "
                      "mutable"], id="what-a-resize-means-to-an-init-container"),
        pytest.param(burstable("1"), {"containers": [
            container(resources=of({"cpu": "1", "memory": "1Gi"})), container(name="d")]},
            ["spec.containers: Forbidden: containers may not be added or removed on resize"],
            id="a-container-more"),
        pytest.param(burstable("1"), {"containers": [container(
            name="d", resources=of({"cpu": "1", "memory": "1Gi"}))]},
            ["spec.containers[0].name: Forbidden: "
             "containers may not be renamed or reordered on resize"], id="another-name"),
        pytest.param({**burstable("1"), **init("1")}, burstable("1"),
                     ["spec.initContainers: Forbidden: "
                      "initContainers may not be added or removed on resize"],
                     id="an-init-container-less"),
        pytest.param({"resources": of({"cpu": "1", "memory": "1Gi"})},
                     {"resources": of({"cpu": "1"})},
                     ["spec.resources.requests: Forbidden: "
                      "pod-level resource requests cannot be removed"],
                     id="a-request-of-the-pod-taken-away"),
        pytest.param({"resources": of({"cpu": "1"})}, burstable("1"),
                     ["spec.resources: Forbidden: pod-level resources cannot be removed"],
                     id="the-pods-resources-taken-away"),
        pytest.param({"os": {"name": "windows"}, **burstable("1")},
                     {"os": {"name": "windows"}, **burstable("2")},
                     [": Forbidden: windows pods cannot be resized"], id="windows"),
        pytest.param(burstable("1"), {"containers": [container(
            resources=of({"cpu": "3", "memory": "1Gi"}, {"cpu": "2"}))]},
            ['spec.containers[0].resources.requests: Invalid value: "3": '
             "must be less than or equal to cpu limit"], id="a-request-beyond-its-limit"),
    ],
)  # fmt: skip
def test_refused(old: dict[str, Any], new: dict[str, Any], texts: list[str]) -> None:
    assert offences(made(old), made(new)) == texts


def test_a_mirror_pod_is_resized_on_its_node() -> None:
    annotations = {"kubernetes.io/config.mirror": "x"}
    old = made({"nodeName": "n", **burstable("1")}, annotations=annotations)
    assert offences(old, old) == [": Forbidden: static pods cannot be resized"]


def test_a_node_that_tells_of_no_resources_cannot_change_them() -> None:
    old, new = made(burstable("1")), made(burstable("2"))
    running = {"containerStatuses": [{"name": "c", "state": {"running": {}}}]}
    old.status = codec.from_plain(type(old.status), {**running, "qosClass": "Burstable"})
    assert offences(old, new) == ["spec: Forbidden: Pod running on node without support for resize"]


AMOUNTS = st.fixed_dictionaries(
    {}, optional={"cpu": st.sampled_from(["1", "2"]), "memory": st.sampled_from(["1Gi", "2Gi"])}
)
RESOURCES = st.fixed_dictionaries({"limits": AMOUNTS, "requests": AMOUNTS})
FIELDS = st.fixed_dictionaries(
    {"resources": RESOURCES},
    optional={
        "image": st.sampled_from(["app:1", "app:2"]),
        "command": st.sampled_from([["a"], ["b"]]),
        "tty": st.booleans(),
    },
)


@given(before=FIELDS, after=FIELDS, whole=st.none() | RESOURCES, labels=st.booleans())
@settings(deadline=None)
def test_only_resources_ever_come_through(
    before: dict[str, Any], after: dict[str, Any], whole: dict[str, Any] | None, labels: bool
) -> None:
    """Whatever else a client sends to this door: what is stored differs in CPU and memory alone."""
    old = made({"containers": [container(**before)]})
    new = made({"containers": [container(**after)], "nodeSelector": {"a": "b"},
                **({"resources": whole} if whole is not None else {})})  # fmt: skip
    new.metadata.labels = {"x": "y"} if labels else {}
    take_resources(new, old)
    assert (new.metadata.labels, new.status) == (old.metadata.labels, old.status)
    if offences(old, new):
        return
    assert qos_class(new) == qos_class(old)
    plain = copy.deepcopy(new)
    plain.spec.resources = old.spec.resources
    plain.spec.containers[0].resources = old.spec.containers[0].resources
    assert plain.spec == old.spec

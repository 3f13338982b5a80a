"""What one object takes of quotas."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from podium.api import codec, scheme
from podium.api.scheme import Resource
from podium.domain.quota.usage import added, amounts, is_counted, names_of, texts, usage, without
from support.objects import container, pod

NOW = datetime(2026, 1, 2, tzinfo=UTC)
CLASS = "gold.storageclass.storage.k8s.io/"


def taken(resource: Resource, plain: dict[str, Any]) -> dict[str, str]:
    return texts(usage(resource, codec.from_plain(resource.type, plain), NOW))


def resources(requests: dict[str, str] | None = None, **limits: str) -> dict[str, Any]:
    return {"resources": {"requests": requests or {}, "limits": limits}}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param({}, {"pods": "1"}, id="nothing-stated"),
        pytest.param(
            {"containers": [
                container(**resources({"cpu": "200m", "memory": "1Gi"}, cpu="1")),
                container(name="d", **resources({"cpu": "1", "memory": "512Mi"})),
            ]},
            {"pods": "1", "cpu": "1200m", "requests.cpu": "1200m", "memory": "1536Mi",
             "requests.memory": "1536Mi", "limits.cpu": "1"},
            id="the-sum-of-containers",
        ),
        pytest.param(
            {"containers": [container(**resources({"memory": "1G"}))],
             "initContainers": [container(name="i", **resources({"memory": "2Gi"}))]},
            {"pods": "1", "memory": "2147483648", "requests.memory": "2147483648"},
            id="in-the-notation-of-the-first",
        ),
        pytest.param(
            {"containers": [container(**resources(
                {"ephemeral-storage": "1Gi", "hugepages-2Mi": "4Mi", "example.com/gpu": "2"},
                **{"hugepages-2Mi": "4Mi", "example.com/gpu": "2"}))]},
            {"pods": "1", "ephemeral-storage": "1Gi", "requests.ephemeral-storage": "1Gi",
             "hugepages-2Mi": "4Mi", "requests.hugepages-2Mi": "4Mi",
             "requests.example.com/gpu": "2"},
            id="other-resources",
        ),
        pytest.param({"containers": [container(**resources({"cpu": "100m"}))],
                      "overhead": {"cpu": "50m"}},
                     {"pods": "1", "cpu": "150m", "requests.cpu": "150m"}, id="overhead"),
    ],
)  # fmt: skip
def test_pods(spec: dict[str, Any], expected: dict[str, str]) -> None:
    found = texts(usage(scheme.PODS, pod(spec), NOW))
    assert found == {"count/pods": "1", **expected}


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_is_over_takes_no_more_than_its_object(phase: str) -> None:
    made = pod({"containers": [container(**resources({"cpu": "1"}))]})
    made.status.phase = phase
    assert texts(usage(scheme.PODS, made, NOW)) == {"count/pods": "1"}


@pytest.mark.parametrize(("seconds", "takes"), [(29, True), (30, True), (31, False)])
def test_a_pod_that_should_be_gone_takes_nothing_either(seconds: int, takes: bool) -> None:
    """Twice its grace period after the deletion it is held against nobody, as upstream."""
    made = pod()
    made.metadata.deletion_timestamp = NOW + timedelta(seconds=15)
    made.metadata.deletion_grace_period_seconds = 15
    found = usage(scheme.PODS, made, NOW + timedelta(seconds=seconds))
    assert ("pods" in found) is takes


PORTS = [{"port": 1, "nodePort": 30001}, {"port": 2}]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param({"type": "ClusterIP", "ports": PORTS}, {}, id="cluster-ip"),
        pytest.param({"type": "NodePort", "ports": PORTS}, {"services.nodeports": "2"},
                     id="node-port"),
        pytest.param({"type": "LoadBalancer", "ports": PORTS},
                     {"services.loadbalancers": "1", "services.nodeports": "2"}, id="balancer"),
        pytest.param({"type": "LoadBalancer", "ports": PORTS,
                      "allocateLoadBalancerNodePorts": False},
                     {"services.loadbalancers": "1", "services.nodeports": "1"},
                     id="balancer-without-ports-of-its-own"),
        pytest.param({"type": "ExternalName", "externalName": "x"}, {}, id="external"),
    ],
)  # fmt: skip
def test_services(spec: dict[str, Any], expected: dict[str, str]) -> None:
    found = taken(scheme.SERVICES, {"metadata": {"name": "s"}, "spec": spec})
    assert found == {"count/services": "1", "services": "1", **expected}


COUNT = {"count/persistentvolumeclaims": "1", "persistentvolumeclaims": "1"}
ASKED = {"resources": {"requests": {"storage": "1Gi"}}}


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        pytest.param({}, {}, id="nothing-asked-for"),
        pytest.param({"spec": ASKED}, {"requests.storage": "1Gi"}, id="no-class"),
        pytest.param({"spec": {**ASKED, "storageClassName": "gold"}},
                     {"requests.storage": "1Gi", f"{CLASS}requests.storage": "1Gi",
                      f"{CLASS}persistentvolumeclaims": "1"}, id="class"),
        pytest.param({"spec": {**ASKED, "storageClassName": "silver"}, "metadata": {
                        "annotations": {"volume.beta.kubernetes.io/storage-class": "gold"}}},
                     {"requests.storage": "1Gi", f"{CLASS}requests.storage": "1Gi",
                      f"{CLASS}persistentvolumeclaims": "1"}, id="the-old-annotation-wins"),
        pytest.param({"spec": ASKED, "status": {"allocatedResources": {"storage": "2Gi"}}},
                     {"requests.storage": "2Gi"}, id="more-was-set-aside"),
        pytest.param({"spec": {"resources": {"requests": {"storage": "1500m"}}}},
                     {"requests.storage": "2"}, id="whole-bytes"),
    ],
)  # fmt: skip
def test_claims(claim: dict[str, Any], expected: dict[str, str]) -> None:
    claim = {**claim, "metadata": {"name": "c", **claim.get("metadata", {})}}
    assert taken(scheme.PERSISTENTVOLUMECLAIMS, claim) == {**COUNT, **expected}


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (scheme.CONFIGMAPS, {"configmaps", "count/configmaps"}),
        (scheme.SECRETS, {"secrets", "count/secrets"}),
        (scheme.RESOURCEQUOTAS, {"resourcequotas", "count/resourcequotas"}),
        (scheme.DEPLOYMENTS, {"count/deployments.apps"}),
        (scheme.SERVICEACCOUNTS, {"count/serviceaccounts"}),
    ],
    ids=lambda value: getattr(value, "plural", ""),
)
def test_other_kinds_are_counted(resource: Resource, expected: set[str]) -> None:
    assert usage(resource, object(), NOW).keys() == expected


def test_what_is_counted() -> None:
    assert is_counted(scheme.JOBS)
    for resource in (scheme.EVENTS, scheme.EVENTS_V1, scheme.NODES, scheme.TOKENREVIEWS):
        assert not is_counted(resource)


NAMES = [
    "pods", "count/pods", "cpu", "limits.memory", "requests.ephemeral-storage", "hugepages-2Mi",
    "requests.hugepages-1Gi", "requests.example.com/gpu", "limits.example.com/gpu",
    "services", "services.nodeports", "count/services", "persistentvolumeclaims",
    "requests.storage", f"{CLASS}requests.storage", f"{CLASS}persistentvolumeclaims",
    "secrets", "count/secrets", "count/deployments.apps",
]  # fmt: skip


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (scheme.PODS, NAMES[:8]),
        (scheme.SERVICES, NAMES[9:12]),
        (scheme.PERSISTENTVOLUMECLAIMS, NAMES[12:16]),
        (scheme.SECRETS, NAMES[16:18]),
        (scheme.DEPLOYMENTS, NAMES[18:]),
        (scheme.CONFIGMAPS, []),
    ],
    ids=lambda value: getattr(value, "plural", ""),
)
def test_which_names_are_about_which_kind(resource: Resource, expected: list[str]) -> None:
    assert names_of(resource, NAMES) == set(expected)


def test_arithmetic() -> None:
    one, other = amounts({"a": "1", "b": "1Gi"}), amounts({"b": "512Mi", "c": "5"})
    assert texts(added(one, other)) == {"a": "1", "b": "1536Mi", "c": "5"}
    assert texts(without(other, one)) == {"b": "0", "c": "5"}

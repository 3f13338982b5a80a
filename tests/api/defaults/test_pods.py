"""Defaults of Pods, beyond the recorded ones."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.api import codec, scheme
from podium.api.defaults.containers import default_pull_policy
from podium.api.defaults.pods import set_defaults_pod
from podium.registry.strategies import strategy_for
from support.objects import container, pod


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        pytest.param("app", "Always", id="no-tag-is-latest"),
        pytest.param("app:latest", "Always", id="latest"),
        pytest.param("app:1", "IfNotPresent", id="another-tag"),
        pytest.param("registry.example:5000/app", "Always", id="a-port-is-not-a-tag"),
        pytest.param("registry.example:5000/app:1", "IfNotPresent", id="port-and-tag"),
        pytest.param("app@sha256:" + "0" * 64, "IfNotPresent", id="digest"),
        pytest.param("app:latest@sha256:" + "0" * 64, "Always", id="latest-and-digest"),
        pytest.param("", "IfNotPresent", id="no-image-at-all"),
    ],
)
def test_pull_policy_follows_the_tag(image: str, policy: str) -> None:
    assert default_pull_policy(image) == policy


def test_a_limit_without_a_request_becomes_the_request() -> None:
    resources = {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}
    made = pod({"containers": [container(resources=resources)]})
    assert made.spec.containers[0].resources.requests == {"cpu": "500m", "memory": "1Gi"}


FINE, ROUNDED = {"cpu": "1500u", "memory": "1"}, {"cpu": "2m", "memory": "1"}


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        (scheme.PODS, "spec.containers.0.resources.limits"),
        (scheme.PODS, "spec.initContainers.0.resources.requests"),
        (scheme.PODS, "spec.ephemeralContainers.0.resources.requests"),
        (scheme.PODS, "spec.overhead"),
        (scheme.PODS, "spec.resources.limits"),
        (scheme.PODS,
         "spec.volumes.0.ephemeral.volumeClaimTemplate.spec.resources.requests"),
        (scheme.DEPLOYMENTS, "spec.template.spec.containers.0.resources.limits"),
        (scheme.STATEFULSETS, "spec.volumeClaimTemplates.0.spec.resources.requests"),
        (scheme.PERSISTENTVOLUMECLAIMS, "spec.resources.requests"),
        (scheme.PERSISTENTVOLUMECLAIMS, "status.capacity"),
        (scheme.PERSISTENTVOLUMES, "spec.capacity"),
        (scheme.RESOURCEQUOTAS, "spec.hard"),
        (scheme.RESOURCEQUOTAS, "status.used"),
        (scheme.LIMITRANGES, "spec.limits.0.max"),
        (scheme.LIMITRANGES, "spec.limits.0.maxLimitRequestRatio"),
        (scheme.RUNTIMECLASSES, "overhead.podFixed"),
        (scheme.NODES, "status.capacity"),
        (scheme.NODES, "status.allocatable"),
    ],
)  # fmt: skip
def test_no_amount_is_finer_than_a_thousandth(resource: scheme.Resource, path: str) -> None:
    body: Any = FINE
    for name in reversed(path.split(".")):
        body = [body] if name == "0" else {name: body}
    obj = codec.from_plain(resource.type, body)
    strategy_for(resource).default(obj)
    found = codec.to_plain(obj)
    for name in path.split("."):
        found = found[int(name) if name == "0" else name]
    assert found == ROUNDED


def test_on_the_hosts_network_container_ports_are_host_ports() -> None:
    ports = [{"containerPort": 80}, {"containerPort": 81, "hostPort": 81}]
    made = pod({"hostNetwork": True, "containers": [container(ports=ports)]})
    assert [port.host_port for port in made.spec.containers[0].ports] == [80, 81]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"serviceAccount": "a"}, "a", id="old-name-alone"),
        pytest.param({"serviceAccountName": "b", "serviceAccount": "a"}, "b", id="new-name-wins"),
    ],
)
def test_both_names_of_the_service_account_agree(given: dict[str, str], expected: str) -> None:
    spec = pod(given).spec
    assert (spec.service_account_name, spec.service_account) == (expected, expected)


HUGE = "hugepages-2Mi"


@pytest.mark.parametrize(
    ("containers", "given", "limits", "requests"),
    [
        pytest.param([{"requests": {"cpu": "300m"}}], {"limits": {"cpu": "1", "memory": "1Gi"}},
                     {"cpu": "1", "memory": "1Gi"}, {"cpu": "300m", "memory": "1Gi"},
                     id="requests-from-containers-then-from-limits"),
        pytest.param([{"limits": {"cpu": "1", HUGE: "4Mi"}}], {"requests": {"cpu": "2"}},
                     {HUGE: "4Mi"}, {"cpu": "2", HUGE: "4Mi"},
                     id="huge-pages-of-containers-are-the-pods"),
        pytest.param([{"limits": {"cpu": "1", "memory": "1Gi"}},
                      {"limits": {"cpu": "500m"}}], {"requests": {"cpu": "2"}},
                     {"cpu": "1500m"}, {"cpu": "2", "memory": "1Gi"},
                     id="limits-that-every-container-has"),
        pytest.param([{"limits": {"cpu": "1"}}], {}, {}, {}, id="nothing-of-nothing"),
    ],
)  # fmt: skip
def test_resources_of_the_pod_as_a_whole(
    containers: list[dict[str, Any]],
    given: dict[str, Any],
    limits: dict[str, str],
    requests: dict[str, str],
) -> None:
    listed = [container(name=f"c{i}", resources=r) for i, r in enumerate(containers)]
    made = pod({"containers": listed, "resources": given})
    assert made.spec.resources is not None
    assert (made.spec.resources.limits, made.spec.resources.requests) == (limits, requests)


AMOUNTS = st.dictionaries(
    st.sampled_from(["cpu", "memory", HUGE]), st.sampled_from(["2Mi", "4Mi", "1Gi"])
)
RESOURCES = st.fixed_dictionaries({"limits": AMOUNTS, "requests": AMOUNTS})


@given(
    containers=st.lists(RESOURCES, min_size=1, max_size=3),
    init=st.lists(RESOURCES, max_size=2),
    whole=st.none() | RESOURCES,
)
@settings(deadline=None)
def test_defaults_of_resources_are_stable(
    containers: list[dict[str, Any]], init: list[dict[str, Any]], whole: dict[str, Any] | None
) -> None:
    """Whatever is asked for: what has its defaults gets no others, and loses nothing it said."""
    made = pod({
        "containers": [container(name=f"c{i}", resources=r) for i, r in enumerate(containers)],
        "initContainers": [container(name=f"i{i}", resources=r) for i, r in enumerate(init)],
        **({"resources": whole} if whole is not None else {}),
    })  # fmt: skip
    once = copy.deepcopy(made)
    set_defaults_pod(made)
    assert made == once
    if whole is not None and made.spec.resources is not None:
        assert whole["limits"].items() <= made.spec.resources.limits.items()
        assert whole["requests"].items() <= made.spec.resources.requests.items()


def test_defaults_are_stable() -> None:
    """What has its defaults gets no others: stored objects are read without surprises."""
    made = pod({
        "hostNetwork": True,
        "volumes": [{"name": "a"}, {"name": "b", "projected": {"sources": [
            {"serviceAccountToken": {"path": "t"}}]}}, {"name": "h", "hostPath": {"path": "/"}}],
        "containers": [container(
            ports=[{"containerPort": 1}],
            livenessProbe={"grpc": {"port": 1}},
            lifecycle={"preStop": {"httpGet": {"port": 1}}},
            resources={"limits": {"cpu": "1"}},
        )],
    })  # fmt: skip
    once = copy.deepcopy(made)
    set_defaults_pod(made)
    assert made == once

"""What Endpoints say of the Pods behind a Service."""

from __future__ import annotations

import pytest

from podium.domain.services.endpoints import CAPACITY, wanted
from support.services import backend, service

HTTP = {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}


def shown(made) -> list[tuple[list[str], list[str], list[tuple[str, int]]]]:
    return [
        (
            [a.ip for a in subset.addresses],
            [a.ip for a in subset.not_ready_addresses],
            [(p.name, p.port) for p in subset.ports],
        )
        for subset in made.subsets
    ]


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        pytest.param(backend("a", "10.1.0.1"), [(["10.1.0.1"], [], [("", 8080)])], id="ready"),
        pytest.param(
            backend("a", "10.1.0.1", ready=False), [([], ["10.1.0.1"], [("", 8080)])], id="unready"
        ),
        pytest.param(backend("a", "10.1.0.1", terminating=True), [], id="ends"),
        pytest.param(backend("a"), [], id="without-an-address"),
        pytest.param(backend("a", "10.1.0.1", phase="Succeeded"), [], id="over"),
        pytest.param(backend("a", "10.1.0.1", phase="Failed"), [], id="failed"),
        pytest.param(backend("a", "fd00::1"), [], id="of-the-other-family"),
    ],
)
def test_a_pod(pod, expected):
    assert shown(wanted(service(8080), [pod], None)) == expected


def test_a_pod_that_is_published_though_it_is_not_ready():
    pods = [
        backend("a", "10.1.0.1", ready=False),
        backend("b", "10.1.0.2", terminating=True),
    ]
    made = wanted(service(8080, publishNotReadyAddresses=True), pods, None)
    assert shown(made) == [(["10.1.0.1", "10.1.0.2"], [], [("", 8080)])]


def test_a_port_by_name_is_each_pods_own():
    pods = [
        backend("a", "10.1.0.1", ports={"http": 8080}),
        backend("b", "10.1.0.2", ports={"http": 9090}),
        backend("c", "10.1.0.3", ports={"other": 1}),
    ]
    assert shown(wanted(service(HTTP), pods, None)) == [
        (["10.1.0.1"], [], [("http", 8080)]),
        (["10.1.0.2"], [], [("http", 9090)]),
    ]


def test_a_port_of_a_sidecar_and_none_of_another_protocol():
    sidecar = {
        "name": "s",
        "image": "i",
        "restartPolicy": "Always",
        "ports": [
            {"name": "http", "containerPort": 53, "protocol": "UDP"},
            {"name": "http", "containerPort": 8081, "protocol": "TCP"},
        ],
    }
    pod = backend("a", "10.1.0.1", initContainers=[sidecar])
    assert shown(wanted(service(HTTP), [pod], None)) == [(["10.1.0.1"], [], [("http", 8081)])]


def test_ports_that_all_have_are_in_one_subset():
    two = [{"name": "a", "port": 80, "targetPort": 8080}, {"name": "b", "port": 81}]
    pods = [backend("x", "10.1.0.2"), backend("y", "10.1.0.1", ready=False)]
    made = wanted(service(*two), pods, None)
    assert shown(made) == [(["10.1.0.2"], ["10.1.0.1"], [("a", 8080), ("b", 81)])]


def test_headless_without_ports_has_addresses_all_the_same():
    made = wanted(service(clusterIP="None"), [backend("a", "10.1.0.1")], None)
    assert shown(made) == [(["10.1.0.1"], [], [])]
    assert made.metadata.labels["service.kubernetes.io/headless"] == ""


def test_an_address_tells_its_pod_node_and_host_name():
    pod = backend("a", "10.1.0.1", hostname="first", subdomain="web")
    [subset] = wanted(service(80), [pod], None).subsets
    [address] = subset.addresses
    assert (address.hostname, address.node_name) == ("first", "node")
    assert (address.target_ref.kind, address.target_ref.name) == ("Pod", "a")
    elsewhere = backend("a", "10.1.0.1", hostname="first", subdomain="other")
    [subset] = wanted(service(80), [elsewhere], None).subsets
    assert subset.addresses[0].hostname == ""


def test_written_once_and_labelled_as_the_service():
    owner, pods = service(80, labels={"team": "a"}), [backend("a", "10.1.0.1")]
    made = wanted(owner, pods, None, "2025-01-13T07:30:10Z")
    assert made.metadata.labels == {
        "team": "a",
        "endpoints.kubernetes.io/managed-by": "endpoint-controller",
    }
    assert made.metadata.annotations == {
        "endpoints.kubernetes.io/last-change-trigger-time": "2025-01-13T07:30:10Z"
    }
    assert wanted(owner, pods, made, "2025-01-13T07:30:11Z") is None
    assert wanted(service(80, labels={"team": "b"}), pods, made) is not None
    assert wanted(owner, [], made).subsets == []


def test_no_more_addresses_than_fit_and_the_ready_ones_first():
    pods = [
        backend(f"p{i:04}", f"10.1.{i // 250}.{i % 250 + 1}", ready=i % 2 == 0)
        for i in range(CAPACITY + 500)
    ]
    made = wanted(service(80), pods, None)
    [subset] = made.subsets
    assert (len(subset.addresses), len(subset.not_ready_addresses)) == (750, 250)
    assert made.metadata.annotations["endpoints.kubernetes.io/over-capacity"] == "truncated"
    again = wanted(service(80), pods[:10], made)
    assert "endpoints.kubernetes.io/over-capacity" not in again.metadata.annotations

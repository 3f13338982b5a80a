"""How EndpointSlices follow the Pods behind a Service."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.domain.services.slices import CAPACITY, owned, reconcile
from podium.domain.services.triggers import TriggerTimes
from support.services import backend, node, service

NODES = {"node": node(zone="z1")}


class Store:
    """Applies changes as an API server would; counts what is written."""

    def __init__(self) -> None:
        self.slices: dict[str, object] = {}
        self.made = self.written = 0

    def take(self, changes) -> None:
        for each in changes.create:
            self.made += 1
            name = f"{each.metadata.generate_name}{self.made}"
            metadata = msgspec.structs.replace(each.metadata, name=name)
            self.slices[name] = msgspec.structs.replace(each, metadata=metadata)
        for each in changes.update:
            self.slices[each.metadata.name] = each
        for each in changes.delete:
            del self.slices[each.metadata.name]
        self.written += len(changes.create) + len(changes.update) + len(changes.delete)

    def follow(self, svc, pods, nodes=NODES):
        changes = reconcile(svc, pods, nodes, owned(svc.metadata.name, self.slices.values()))
        self.take(changes)
        return changes

    def sizes(self) -> list[int]:
        return sorted(len(each.endpoints) for each in self.slices.values())

    def addresses(self) -> list[str]:
        return sorted(e.addresses[0] for each in self.slices.values() for e in each.endpoints)


def many(count: int, start: int = 0):
    return [
        backend(f"p{i:04}", f"10.1.{i // 250}.{i % 250 + 1}") for i in range(start, start + count)
    ]


@pytest.mark.parametrize(
    ("pod", "published", "conditions"),
    [
        pytest.param(backend("a", "10.1.0.1"), False, (True, True, False), id="ready"),
        pytest.param(backend("a", "10.1.0.1", ready=False), False, (False, False, False), id="not"),
        pytest.param(
            backend("a", "10.1.0.1", terminating=True), False, (False, True, True), id="ends"
        ),
        pytest.param(
            backend("a", "10.1.0.1", ready=False, terminating=True),
            True,
            (True, False, True),
            id="published-all-the-same",
        ),
    ],
)
def test_conditions(pod, published, conditions):
    svc = service(80, publishNotReadyAddresses=published)
    [made] = reconcile(svc, [pod], NODES, ()).create
    [endpoint] = made.endpoints
    found = endpoint.conditions
    assert (found.ready, found.serving, found.terminating) == conditions


def test_a_slice_tells_its_service_its_ports_and_where_endpoints_are():
    svc = service(
        {"name": "http", "port": 80, "targetPort": "http", "appProtocol": "http"},
        labels={"team": "a", "kubernetes.io/service-name": "forged"},
    )
    pod = backend("a", "10.1.0.1", ports={"http": 8080}, hostname="first", subdomain="web")
    [made] = reconcile(svc, [pod], NODES, ()).create
    assert made.metadata.generate_name == "web-"
    assert made.metadata.labels == {
        "team": "a",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    [owner] = made.metadata.owner_references
    assert (owner.kind, owner.uid, owner.controller) == ("Service", "uid-web", True)
    [port] = made.ports
    assert (port.name, port.port, port.protocol, port.app_protocol) == ("http", 8080, "TCP", "http")
    [endpoint] = made.endpoints
    assert (endpoint.node_name, endpoint.zone, endpoint.hostname) == ("node", "z1", "first")
    assert endpoint.target_ref.uid == "uid-a"


def test_pods_with_other_ports_are_in_other_slices():
    svc = service({"name": "http", "port": 80, "targetPort": "http"})
    pods = [
        backend("a", "10.1.0.1", ports={"http": 8080}),
        backend("b", "10.1.0.2", ports={"http": 9090}),
    ]
    made = reconcile(svc, pods, NODES, ()).create
    assert sorted(each.ports[0].port for each in made) == [8080, 9090]


def test_nothing_is_written_twice():
    store, svc, pods = Store(), service(80), many(3)
    store.follow(svc, pods)
    assert not store.follow(svc, pods)
    assert store.written == 1


def test_a_service_without_endpoints_has_an_empty_slice():
    store, svc = Store(), service(80)
    store.follow(svc, [])
    assert store.sizes() == [0]
    assert not store.follow(svc, [])
    store.follow(svc, many(1))
    store.follow(svc, [])
    assert store.sizes() == [0]
    assert not store.follow(svc, [])


def test_a_new_endpoint_costs_one_write_however_many_there_are():
    store, svc = Store(), service(80)
    store.follow(svc, many(250))
    assert store.sizes() == [50, 100, 100]
    before = store.written
    store.follow(svc, many(251))
    assert store.written == before + 1
    assert store.sizes() == [51, 100, 100]


def test_one_that_goes_takes_nothing_else_along():
    store, svc, pods = Store(), service(80), many(250)
    store.follow(svc, pods)
    before = store.written
    store.follow(svc, pods[1:])
    assert store.written == before + 1
    assert store.sizes() == [50, 99, 100]


def test_a_pod_on_a_node_that_is_not_known_waits_for_it():
    svc = service(80)
    changes = reconcile(svc, [backend("a", "10.1.0.1", node="new")], NODES, ())
    assert changes.incomplete == {"new"}
    assert changes.create[0].endpoints == []
    published = service(80, publishNotReadyAddresses=True)
    [made] = reconcile(published, [backend("a", "10.1.0.1", node="new")], NODES, ()).create
    assert made.endpoints[0].zone is None


def test_slices_of_a_service_that_had_the_name_before_are_replaced():
    store, svc = Store(), service(80)
    store.follow(svc, many(1))
    svc.metadata.uid = "another"
    store.follow(svc, many(1))
    [only] = store.slices.values()
    assert only.metadata.owner_references[0].uid == "another"


def test_labels_of_the_service_are_followed():
    store = Store()
    store.follow(service(80), many(1))
    store.follow(service(80, labels={"team": "b"}, clusterIP="None"), many(1))
    [only] = store.slices.values()
    assert only.metadata.labels["team"] == "b"
    assert only.metadata.labels["service.kubernetes.io/headless"] == ""


@given(st.lists(st.sets(st.integers(0, 230)), min_size=1, max_size=6))
def test_whatever_comes_and_goes_each_endpoint_is_there_once(steps):
    store, svc, all_pods = Store(), service(80), many(231)
    for step in steps:
        pods = [all_pods[i] for i in sorted(step)]
        store.follow(svc, pods)
        assert store.addresses() == sorted(pod.status.pod_ip for pod in pods)
        assert all(size <= CAPACITY for size in store.sizes())
        assert not store.follow(svc, pods)


def test_the_earliest_change_is_what_is_written_for():
    times, svc = TriggerTimes(), service(80)
    early, late = (
        backend("a", "10.1.0.1", ready_since="2025-01-13T07:31:00Z"),
        backend("b", "10.1.0.2", ready_since="2025-01-13T07:32:00Z"),
    )
    assert times.take(svc, []) == svc.metadata.creation_timestamp
    assert times.take(svc, []) is None
    assert times.take(svc, [late, early]) == early.status.conditions[0].last_transition_time
    assert times.take(svc, [late, early]) is None
    times.forget(svc)
    assert times.take(svc, [early]) == svc.metadata.creation_timestamp

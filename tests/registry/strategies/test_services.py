"""Services: addresses and node ports, and what an update keeps of them."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api import codec
from podium.api.scheme import SERVICES
from podium.api.types.core_v1 import Service
from podium.registry.strategies import strategy_for
from podium.registry.strategies.base import Pool
from podium.registry.strategies.service_addresses import allocate, kubernetes_address

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CIDR = "10.96.0.0/24"
STRATEGY = strategy_for(SERVICES)


def service(name: str = "s", namespace: str = "default", **spec: Any) -> Service:
    spec = {"ports": [{"port": 80}], "selector": {"a": "b"}, **spec}
    made = codec.from_plain(Service, {"metadata": {"name": name}, "spec": spec})
    made.metadata.namespace = namespace
    STRATEGY.default(made)
    STRATEGY.prepare_for_create(made, NOW)
    return made


def allocated(*others: Service, **spec: Any) -> Service:
    made = service(**spec)
    assert allocate(made, others, Pool([CIDR])) == []
    return made


def test_the_kubernetes_service_gets_the_first_address_and_nobody_else_does() -> None:
    assert allocated(name="kubernetes").spec.cluster_ip == kubernetes_address(CIDR) == "10.96.0.1"
    assert allocated(name="kubernetes", namespace="other").spec.cluster_ip != "10.96.0.1"


@given(st.lists(st.sampled_from(["add", "remove"]), max_size=60), st.randoms())
def test_no_two_services_ever_share_an_address_or_a_port(steps: list[str], choose: Any) -> None:
    living: list[Service] = []
    for i, step in enumerate(steps):
        if step == "remove" and living:
            living.remove(choose.choice(living))
        else:
            living.append(allocated(*living, name=f"s{i}", type="NodePort"))
    addresses = [one.spec.cluster_ip for one in living]
    ports = [port.node_port for one in living for port in one.spec.ports]
    assert len(set(addresses)) == len(addresses)
    assert len(set(ports)) == len(ports)
    assert all(ip_address(address) in ip_network(CIDR) for address in addresses)
    assert all(30000 <= port <= 32767 for port in ports)


def test_an_address_does_not_come_back_at_once() -> None:
    first = allocated()
    second = allocated(first)
    assert allocated(second).spec.cluster_ip not in (first.spec.cluster_ip, second.spec.cluster_ip)


def test_every_address_is_used_before_the_range_is_full() -> None:
    small = "10.96.0.0/29"
    living: list[Service] = []
    for i in range(5):
        made = service(name=f"s{i}")
        assert allocate(made, living, Pool([small])) == []
        living.append(made)
    assert sorted(one.spec.cluster_ip[-1] for one in living) == list("23456")
    (error,) = allocate(service(), living, Pool([small]))
    assert str(error) == (
        "spec.clusterIPs: Invalid value: []string{}: failed to allocate a serviceIP: range is full"
    )


def test_other_ranges_give_addresses_once_the_first_one_is_full() -> None:
    pool = Pool(["10.96.0.0/30", "10.97.0.0/30", "fd00::/120"], frozenset({"10.97.0.1", "fd00::1"}))
    living = [service(name="kubernetes")]
    assert allocate(living[0], [], pool) == []
    for name in ("a", "b"):
        made = service(name=name)
        assert allocate(made, living, pool) == []
        living.append(made)
    assert [one.spec.cluster_ip for one in living] == ["10.96.0.1", "10.96.0.2", "10.97.0.2"]
    assert len(allocate(service(), living, pool)) == 1


@pytest.mark.parametrize("asked", ["10.97.0.9", "10.97.0.1"])
def test_an_address_may_be_asked_for_out_of_any_range_unless_it_is_reserved(asked: str) -> None:
    pool = Pool([CIDR, "10.97.0.0/24"], frozenset({"10.97.0.1"}))
    found = [str(error) for error in allocate(service(clusterIP=asked), [], pool)]
    taken = (
        'spec.clusterIPs: Invalid value: []string{"10.97.0.1"}: failed to allocate IP 10.97.0.1: '
        "provided IP is already allocated"
    )
    assert found == ([taken] if asked == "10.97.0.1" else [])


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        pytest.param({"clusterIP": "10.97.0.1"},
                     'spec.clusterIPs: Invalid value: []string{"10.97.0.1"}: failed to allocate IP '
                     "10.97.0.1: the provided IP (10.97.0.1) is not in the valid range. "
                     "The range of valid IPs is 10.96.0.0/24", id="out-of-range"),
        pytest.param({"clusterIP": "10.96.0.9"},
                     'spec.clusterIPs: Invalid value: []string{"10.96.0.9"}: failed to allocate IP '
                     "10.96.0.9: provided IP is already allocated", id="taken"),
        pytest.param({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30009}]},
                     "spec.ports[0].nodePort: Invalid value: 30009: "
                     "provided port is already allocated", id="port-taken"),
        pytest.param({"ipFamilies": ["IPv6"]},
                     'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
                     id="another-family"),
    ],
)  # fmt: skip
def test_what_cannot_be_had(spec: dict[str, Any], text: str) -> None:
    other = service(name="o", type="NodePort", clusterIP="10.96.0.9",
                    ports=[{"port": 80, "nodePort": 30009}])  # fmt: skip
    assert [str(error) for error in allocate(service(**spec), [other], Pool([CIDR]))] == [text]


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"clusterIP": "None"}, id="headless"),
        pytest.param({"type": "ExternalName", "externalName": "a.example", "ports": []},
                     id="external-name"),
    ],
)  # fmt: skip
def test_services_without_an_address(spec: dict[str, Any]) -> None:
    made = allocated(**spec)
    assert made.spec.cluster_ip == spec.get("clusterIP", "")


def updated(old: Service, **spec: Any) -> Service:
    new = codec.from_plain(Service, {
        "metadata": {"name": "s", "resourceVersion": "1"},
        "spec": {"ports": [{"port": 80}], "selector": {"a": "b"}, **spec},
    })  # fmt: skip
    new.metadata.namespace = old.metadata.namespace
    STRATEGY.default(new)
    rules = STRATEGY.rules()
    rules.prepare(new, old, NOW)
    assert rules.validate(new, old) == []
    assert allocate(new, [], Pool([CIDR])) == []
    return new


def test_an_update_that_leaves_them_out_keeps_address_and_ports() -> None:
    old = allocated(type="LoadBalancer", externalTrafficPolicy="Local")
    new = updated(old, type="LoadBalancer", externalTrafficPolicy="Local")
    assert new.spec == old.spec
    assert new.spec.health_check_node_port


def test_going_inside_gives_the_node_ports_back() -> None:
    old = allocated(type="NodePort")
    new = updated(old, type="ClusterIP")
    assert [port.node_port for port in new.spec.ports] == [0]
    assert new.spec.cluster_ip == old.spec.cluster_ip
    assert new.spec.external_traffic_policy == ""


def test_an_external_name_gives_everything_back() -> None:
    new = updated(allocated(), type="ExternalName", externalName="a.example", ports=[])
    assert (new.spec.cluster_ip, new.spec.cluster_ips, new.spec.ip_families) == ("", [], [])


def test_the_address_may_not_change() -> None:
    old = allocated(clusterIP="10.96.0.9")
    old.metadata.resource_version = "1"
    new = service(clusterIP="10.96.0.10")
    new.metadata.resource_version = "1"
    rules = STRATEGY.rules()
    rules.prepare(new, old, NOW)
    assert [str(error) for error in rules.validate(new, old)] == [
        'spec.clusterIPs[0]: Invalid value: []string{"10.96.0.10"}: may not change once set'
    ]

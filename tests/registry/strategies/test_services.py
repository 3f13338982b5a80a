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
from podium.registry.strategies.service_addresses import allocate

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
    assert allocated(name="kubernetes").spec.cluster_ip == "10.96.0.1"
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
        pytest.param({"ipFamilies": ["IPv4", "IPv6"]},
                     'spec.ipFamilyPolicy: Invalid value: "SingleStack": must be '
                     "'RequireDualStack' or 'PreferDualStack' when multiple IP families are "
                     "specified", id="two-families"),
        pytest.param({"ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "PreferDualStack"},
                     'spec.ipFamilies[1]: Invalid value: "IPv6": not configured on this cluster',
                     id="two-preferred"),
        pytest.param({"clusterIP": "fd00::1"},
                     'spec.clusterIPs[0]: Invalid value: []string{"fd00::1"}: IPv6 is not '
                     "configured on this cluster", id="address-of-another-family"),
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


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        pytest.param([("a", 81, 0), ("b", 91, 0)], [30080, 30090], id="numbers-may-change"),
        pytest.param([("b", 80, 0), ("a", 90, 0)], [30090, 30080], id="names-tell"),
        pytest.param([("a", 80, 0), ("c", 90, 0)], [30080, 0], id="another-name-gets-another"),
        pytest.param([("a", 80, 0), ("c", 90, 30080)], [0, 30080], id="taken-by-another-port"),
        pytest.param([("a", 80, 30081), ("b", 90, 0)], [30081, 30090], id="asked-for"),
    ],
)
def test_node_ports_stay_with_the_names_of_ports(
    ports: list[tuple[str, int, int]], expected: list[int]
) -> None:
    def of(named: list[tuple[str, int, int]]) -> Service:
        said = [{"name": name, "port": port, "nodePort": node} for name, port, node in named]
        spec = {"type": "NodePort", "ports": said, "clusterIP": "10.96.0.9"}
        return codec.from_plain(Service, {"metadata": {"name": "s"}, "spec": spec})

    old, new = of([("a", 80, 30080), ("b", 90, 30090)]), of(ports)
    STRATEGY.rules().prepare(new, old, NOW)
    assert [port.node_port for port in new.spec.ports] == expected


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


RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
TOPOLOGY = "service.kubernetes.io/topology-"
NO_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
ONLY_BALANCED = "may only be used when `type` is 'LoadBalancer'"


def strings(*values: str) -> str:
    return "[]string{" + ", ".join(f'"{value}"' for value in values) + "}"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param({"externalIPs": ["0.0.0.0"]},
                     ['spec.externalIPs[0]: Invalid value: "0.0.0.0": may not be unspecified '
                      "(0.0.0.0)"], id="unspecified"),
        pytest.param({"clusterIPs": ["10.96.0.7"]},
                     [f"spec.clusterIPs: Invalid value: {strings('10.96.0.7')}: must be empty when "
                      "`clusterIP` is not specified"], id="addresses-without-the-first"),
        pytest.param({"clusterIP": "None", "clusterIPs": ["None", "10.96.0.8"]},
                     [f"spec.clusterIPs: Invalid value: {strings('None', '10.96.0.8')}: 'None' "
                      "must be the first and only value"], id="none-and-more"),
        pytest.param({"clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7", "10.96.0.8"],
                      "ipFamilies": ["IPv4"]},
                     [f"spec.clusterIPs: Invalid value: {strings('10.96.0.7', '10.96.0.8')}: may "
                      "specify no more than one IP for each IP family"], id="two-of-a-family"),
        pytest.param({"clusterIP": "10.96.0.7", "ipFamilies": ["IPv6"]},
                     ['spec.clusterIPs[0]: Invalid value: "10.96.0.7": expected an IPv6 value as '
                      "indicated by `ipFamilies[0]`"], id="of-another-family"),
        pytest.param({"clusterIP": "x", "ipFamilies": ["IPv6"]},
                     ['spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. '
                      "10.9.8.7 or 2001:db8::ffff)"], id="no-address-at-all"),
        pytest.param({"ports": [{"name": "a", "port": 1, "nodePort": 30001},
                                {"name": "b", "port": 2, "nodePort": 30001}]},
                     ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is "
                      "'ClusterIP'",
                      "spec.ports[1].nodePort: Forbidden: may not be used when `type` is "
                      "'ClusterIP'",
                      "spec.ports[1].nodePort: Duplicate value: 30001"], id="node-ports-inside"),
        pytest.param({"loadBalancerClass": "a b"},
                     [f"spec.loadBalancerClass: Forbidden: {ONLY_BALANCED}"], id="class-inside"),
    ],
)  # fmt: skip
def test_offences(spec: dict[str, Any], expected: list[str]) -> None:
    assert [str(error) for error in STRATEGY.validate(service(**spec))] == expected


@pytest.mark.parametrize(
    ("annotations", "spec", "expected"),
    [
        pytest.param({RANGES: "10.0.0.0/8"}, {},
                     [f"metadata.annotations[{RANGES}]: Forbidden: {ONLY_BALANCED}"],
                     id="ranges-inside"),
        pytest.param({RANGES: " 10.0.0.0/8, 1.2.3.4/33,x"}, {"type": "LoadBalancer"},
                     [f'metadata.annotations[{RANGES}]: Invalid value: "{part}": {NO_CIDR}'
                      for part in ("1.2.3.4/33", "x")], id="ranges"),
        pytest.param({RANGES: " "}, {"type": "LoadBalancer"}, [], id="no-ranges"),
        pytest.param({RANGES: "x"},
                     {"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0/8"]}, [],
                     id="the-field-wins"),
        pytest.param({f"{TOPOLOGY}mode": "auto", f"{TOPOLOGY}aware-hints": "x"}, {},
                     [f'metadata.annotations[{TOPOLOGY}mode]: Invalid value: "auto": must match '
                      f"annotations[{TOPOLOGY}aware-hints] when both are specified"],
                     id="topology"),
    ],
)  # fmt: skip
def test_annotations(
    annotations: dict[str, str], spec: dict[str, Any], expected: list[str]
) -> None:
    made = service(**spec)
    made.metadata.annotations = annotations
    assert [str(error) for error in STRATEGY.validate(made)] == expected


def test_what_an_update_may_not_change_is_told_in_order() -> None:
    old = allocated(type="LoadBalancer", loadBalancerClass="a", externalTrafficPolicy="Local")
    new = service(type="LoadBalancer", clusterIP="10.96.0.200", loadBalancerClass="b",
                  ipFamilies=["IPv4"], externalTrafficPolicy="Local",
                  healthCheckNodePort=32000)  # fmt: skip
    for each in (old, new):
        each.metadata.resource_version = "1"
    rules = STRATEGY.rules()
    rules.prepare(new, old, NOW)
    assert [str(error) for error in rules.validate(new, old)] == [
        f"spec.clusterIPs[0]: Invalid value: {strings('10.96.0.200')}: may not change once set",
        'spec.loadBalancerClass: Invalid value: "b": may not change once set',
        "spec.healthCheckNodePort: Forbidden: field is immutable",
    ]


def test_a_service_of_anything_can_be_narrowed_to_one_family() -> None:
    old = allocated(clusterIP="None", selector={})
    assert (old.spec.ip_families, old.spec.ip_family_policy) == (
        ["IPv4", "IPv6"],
        "RequireDualStack",
    )
    new = updated(old, clusterIP="None", selector={}, ipFamilyPolicy="SingleStack")
    assert (new.spec.ip_families, new.spec.ip_family_policy) == (["IPv4"], "SingleStack")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"clusterIP": "10.96.0.9"}, [], id="the-first-one-alone"),
        pytest.param({}, [], id="neither"),
        pytest.param({"clusterIP": "10.96.0.9", "ipFamilies": ["IPv6"]},
                     ['spec.ipFamilies[0]: Invalid value: []core.IPFamily{"IPv6"}: may not change '
                      "once set",
                      'spec.clusterIPs[0]: Invalid value: "10.96.0.9": expected an IPv6 value as '
                      "indicated by `ipFamilies[0]`"], id="another-family"),
        pytest.param({"clusterIPs": ["10.96.0.9"]}, [], id="all-without-the-first"),
    ],
)  # fmt: skip
def test_addresses_that_an_update_names_in_part(
    changes: dict[str, Any], expected: list[str]
) -> None:
    old = allocated(clusterIP="10.96.0.9")
    new = codec.from_plain(Service, {"metadata": {"name": "s"}, "spec": changes})
    new.spec.ports = old.spec.ports
    new.metadata.namespace = old.metadata.namespace
    new.metadata.resource_version = old.metadata.resource_version = "1"
    STRATEGY.default(new)
    rules = STRATEGY.rules()
    rules.prepare(new, old, NOW)
    assert [str(error) for error in rules.validate(new, old)] == expected

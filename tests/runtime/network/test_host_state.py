"""What the clusters of a machine share: forwarding, routes, and the rules' text."""

from __future__ import annotations

from pathlib import Path

import pytest

from podium.runtime.network import conflicts as conflicts_module
from podium.runtime.network.conflicts import conflicts, default_link
from podium.runtime.network.forwarding import IPForwarding
from podium.runtime.network.host_ports import HostPorts
from podium.runtime.network.ruleset import DnsRule, HostPortRule, Rules, ServiceRule, ruleset
from podium.runtime.port import PortMapping, RuntimeFailure

_ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
podium-a\t00002A0A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
"""


@pytest.fixture
def switch(tmp_path: Path) -> Path:
    file = tmp_path / "ip_forward"
    file.write_text("0\n")
    return file


def test_the_last_cluster_puts_forwarding_back(tmp_path: Path, switch: Path):
    one, two = IPForwarding(tmp_path / "d", switch), IPForwarding(tmp_path / "d", switch)
    one.need("a")
    assert switch.read_text() == "1\n"
    two.need("b")
    two.need("b")
    one.release("a")
    assert switch.read_text() == "1\n"
    two.release("b")
    assert switch.read_text() == "0\n"
    two.release("b")


def test_what_was_on_before_stays_on(tmp_path: Path, switch: Path):
    switch.write_text("1\n")
    forwarding = IPForwarding(tmp_path / "d", switch)
    forwarding.need("a")
    forwarding.release("a")
    assert switch.read_text() == "1\n"


def test_releasing_without_need_changes_nothing(tmp_path: Path, switch: Path):
    switch.write_text("1\n")
    IPForwarding(tmp_path / "d", switch).release("a")
    assert switch.read_text() == "1\n"


def test_the_state_of_an_earlier_boot_does_not_count(tmp_path: Path, switch: Path):
    directory = tmp_path / "d"
    directory.mkdir()
    (directory / "ip_forward.json").write_text(
        '{"boot_id":"another","switched_on":true,"users":["gone"]}'
    )
    switch.write_text("1\n")
    forwarding = IPForwarding(directory, switch)
    forwarding.need("a")
    forwarding.release("a")
    assert switch.read_text() == "1\n"


@pytest.mark.parametrize(
    ("cidr", "clash"),
    [
        pytest.param("10.43.0.0/16", "", id="free"),
        pytest.param("10.42.7.0/24", "the route to 10.42.0.0/16 through podium-a", id="inside"),
        pytest.param("10.0.0.0/8", "the route to 10.42.0.0/16 through podium-a", id="around"),
        pytest.param("192.0.2.0/24", "the route to 192.0.2.0/24 through eth0", id="the-hosts"),
    ],
)
def test_conflicts(cidr, clash, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "route").write_text(_ROUTES)
    monkeypatch.setattr(conflicts_module, "_ROUTES", tmp_path / "route")
    assert conflicts(cidr) == clash
    assert default_link() == "eth0"


def test_the_own_link_does_not_conflict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "route").write_text(_ROUTES)
    monkeypatch.setattr(conflicts_module, "_ROUTES", tmp_path / "route")
    assert conflicts("10.42.0.0/16", own_link="podium-a") == ""


def test_rules_replace_the_table_in_one_transaction():
    text = ruleset(Rules("podium-x", "10.42.0.0/16", "10.42.0.1"))
    assert text.startswith("add table ip podium-x\ndelete table ip podium-x\ntable ip podium-x {")
    assert "ip saddr 10.42.0.0/16 ip daddr != 10.42.0.0/16" in text
    assert "dnat to" not in text


def test_the_services_address_leads_to_the_api_server():
    text = ruleset(
        Rules("t", "10.42.0.0/16", "10.42.0.1", service=ServiceRule("10.96.0.1", 443, 6443))
    )
    assert text.count("ip daddr 10.96.0.1 tcp dport 443 dnat to 10.42.0.1:6443") == 2


def test_the_dns_address_leads_to_the_nodes_name_server():
    dns = DnsRule("10.96.0.10", "192.0.2.53")
    text = ruleset(Rules("t", "10.42.0.0/16", "10.42.0.1", dns=dns))
    for protocol in ("udp", "tcp"):
        line = f"ip daddr 10.96.0.10 {protocol} dport 53 dnat to 192.0.2.53\n"
        assert text.count(line) == 2  # from Pods, and from the node itself


def test_host_ports_lead_to_pods_one_address_before_all():
    rules = [
        HostPortRule("tcp", "", 80, "10.42.0.2", 8080),
        HostPortRule("udp", "127.0.0.1", 53, "10.42.0.3", 5353),
    ]
    text = ruleset(Rules("t", "10.42.0.0/16", "10.42.0.1", host_ports=rules))
    assert text.count("fib daddr type local jump hostports\n") == 2
    first = text.index("ip daddr 127.0.0.1 udp dport 53 dnat to 10.42.0.3:5353\n")
    assert first < text.index("    tcp dport 80 dnat to 10.42.0.2:8080\n")


@pytest.mark.parametrize(
    "rule",
    [
        HostPortRule("tcp", "127.0.0.1 accept", 80, "10.42.0.2", 80),
        HostPortRule("tcp accept; tcp", "", 80, "10.42.0.2", 80),
        HostPortRule("tcp", "::1", 80, "10.42.0.2", 80),
    ],
)
def test_nothing_but_addresses_and_protocols_gets_into_rules(rule):
    with pytest.raises(ValueError, match=r"protocol|decimal digits|4 octets"):
        ruleset(Rules("t", "10.42.0.0/16", "10.42.0.1", host_ports=[rule]))


def test_a_port_at_an_address_that_is_none_is_not_remembered(tmp_path: Path):
    ports = HostPorts(tmp_path)
    with pytest.raises(RuntimeFailure, match="invalid host IP: here"):
        ports.put("a", "10.42.0.2", [PortMapping("TCP", 80, 8080, "here")])
    assert (ports.rules(), HostPorts(tmp_path).rules()) == ([], [])

"""The nftables rules of one cluster, as the text that ``nft -f -`` takes. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence

import msgspec

_PROTOCOLS = ("tcp", "udp", "sctp")


class ServiceRule(msgspec.Struct, frozen=True):
    """Where the ``kubernetes`` Service's address leads: the API server on the bridge's address."""

    address: str
    port: int
    target_port: int


class DnsRule(msgspec.Struct, frozen=True):
    """What answers at the address that Pods look for DNS at."""

    address: str
    server: str


class HostPortRule(msgspec.Struct, frozen=True):
    """A port of the node that leads to a Pod; ``host_ip`` is "" for all of the node's addresses."""

    protocol: str
    host_ip: str
    host_port: int
    pod_ip: str
    pod_port: int


class Rules(msgspec.Struct, frozen=True):
    """*table* is the name of the bridge too."""

    table: str
    pod_cidr: str
    gateway: str
    service: ServiceRule | None = None
    dns: DnsRule | None = None
    host_ports: Sequence[HostPortRule] = ()


def ruleset(rules: Rules) -> str:
    """Replace the table in one transaction: NAT for Pods, the way to the API server, to DNS, and
    from the node's ports to Pods.

    The bridge takes packets of loopback addresses (``route_localnet``): the node reaches its own
    ports by 127.0.0.1, and a name server may listen there alone. Pods must not send or ask for any.
    """
    destinations = "".join(f"    {line}\n" for line in _destinations(rules))
    ports = "".join(f"    {line}\n" for line in _host_ports(rules.host_ports))
    return f"""\
{remove(rules.table)}table ip {rules.table} {{
  chain loopback {{
    type filter hook prerouting priority raw; policy accept;
    iifname "{rules.table}" ip saddr 127.0.0.0/8 drop
    iifname "{rules.table}" ip daddr 127.0.0.0/8 drop
  }}
  chain hostports {{
{ports}  }}
  chain prerouting {{
    type nat hook prerouting priority dstnat; policy accept;
{destinations}  }}
  chain output {{
    type nat hook output priority -100; policy accept;
{destinations}  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {rules.pod_cidr} ip daddr != {rules.pod_cidr} ip daddr != 224.0.0.0/4 masquerade
    ip saddr {rules.pod_cidr} ip daddr {rules.pod_cidr} ct status dnat masquerade
    ip saddr 127.0.0.0/8 oifname "{rules.table}" masquerade
  }}
  chain forward {{
    type filter hook forward priority filter; policy accept;
    ip saddr {rules.pod_cidr} accept
    ip daddr {rules.pod_cidr} accept
  }}
}}
"""


def remove(table: str) -> str:
    """Delete *table*, also when there is none: adding it first makes deleting it succeed."""
    return f"add table ip {table}\ndelete table ip {table}\n"


def _destinations(rules: Rules) -> Iterator[str]:
    service, dns = rules.service, rules.dns
    if service is not None:
        yield (
            f"ip daddr {service.address} tcp dport {service.port} "
            f"dnat to {rules.gateway}:{service.target_port}"
        )
    if dns is not None:
        for protocol in ("udp", "tcp"):
            yield f"ip daddr {dns.address} {protocol} dport 53 dnat to {dns.server}"
    if rules.host_ports:
        yield "fib daddr type local jump hostports"


def _host_ports(rules: Iterable[HostPortRule]) -> Iterator[str]:
    """One address before all of them."""
    for rule in sorted(rules, key=lambda rule: (not rule.host_ip, rule.host_port, rule.pod_ip)):
        if rule.protocol not in _PROTOCOLS:
            raise ValueError(f"no protocol with ports: {rule.protocol}")
        address = f"ip daddr {ipaddress.IPv4Address(rule.host_ip)} " if rule.host_ip else ""
        yield (
            f"{address}{rule.protocol} dport {rule.host_port} dnat to "
            f"{ipaddress.IPv4Address(rule.pod_ip)}:{rule.pod_port}"
        )

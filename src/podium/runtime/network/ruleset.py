"""The nftables rules of one cluster, as the text that ``nft -f -`` takes. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServiceRule:
    """Where the ``kubernetes`` Service's address leads: the API server on the bridge's address."""

    address: str
    port: int
    target_port: int


def ruleset(table: str, pod_cidr: str, gateway: str, service: ServiceRule | None) -> str:
    """Replace *table* in one transaction: NAT for Pods, and the way to the API server."""
    dnat = (
        f"    ip daddr {service.address} tcp dport {service.port} "
        f"dnat to {gateway}:{service.target_port}\n"
        if service
        else ""
    )
    return f"""\
{remove(table)}table ip {table} {{
  chain prerouting {{
    type nat hook prerouting priority dstnat; policy accept;
{dnat}  }}
  chain output {{
    type nat hook output priority -100; policy accept;
{dnat}  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {pod_cidr} ip daddr != {pod_cidr} ip daddr != 224.0.0.0/4 masquerade
  }}
  chain forward {{
    type filter hook forward priority filter; policy accept;
    ip saddr {pod_cidr} accept
    ip daddr {pod_cidr} accept
  }}
}}
"""


def remove(table: str) -> str:
    """Delete *table*, also when there is none: adding it first makes deleting it succeed."""
    return f"add table ip {table}\ndelete table ip {table}\n"

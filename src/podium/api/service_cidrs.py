"""What ServiceCIDRs say of the addresses that Services may have. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from podium.api.types.networking_v1 import IPAddress, ServiceCIDR

READY = "Ready"
#: Labels of the addresses that the server keeps for Services.
FAMILY = "ipaddress.kubernetes.io/ip-family"
MANAGED_BY = "ipaddress.kubernetes.io/managed-by"
ALLOCATOR = "ipallocator.k8s.io"


def is_ready(cidr: ServiceCIDR) -> bool:
    """Whether addresses are given out of *cidr*."""
    return cidr.metadata.deletion_timestamp is None and any(
        condition.type == READY and condition.status == "True"
        for condition in cidr.status.conditions
    )


def networks(cidr: ServiceCIDR) -> Iterator[IPv4Network | IPv6Network]:
    for text in cidr.spec.cidrs:
        yield ip_network(text, strict=False)


def is_managed(address: IPAddress) -> bool:
    """Whether the server keeps *address* for a Service, and nobody else has made it."""
    return address.metadata.labels.get(MANAGED_BY) == ALLOCATOR


def in_use(
    cidr: ServiceCIDR, addresses: Iterable[IPAddress], others: Iterable[ServiceCIDR]
) -> list[str]:
    """Return the Services' addresses that lie in *cidr* and in none of the *others* in use."""
    spared = [network for other in others if is_ready(other) for network in networks(other)]
    own = list(networks(cidr))
    found = (address.metadata.name for address in addresses if is_managed(address))
    return [
        name for name in found if _lies_in(ip_address(name), own) and not _lies_in(name, spared)
    ]


def _lies_in(
    address: IPv4Address | IPv6Address | str, among: Iterable[IPv4Network | IPv6Network]
) -> bool:
    found = ip_address(address)
    return any(found in network for network in among)

"""Whether a range of addresses is free on this machine."""

from __future__ import annotations

import ipaddress
import struct
from pathlib import Path

_ROUTES = Path("/proc/net/route")


def conflicts(cidr: str, own_link: str = "") -> str:
    """Say which route overlaps *cidr*, or return the empty text.

    Routes through *own_link* and default routes do not count.
    """
    wanted = ipaddress.IPv4Network(cidr)
    for link, network in _routes(_ROUTES.read_text()):
        if link != own_link and network.prefixlen and network.overlaps(wanted):
            return f"the route to {network} through {link}"
    return ""


def default_link() -> str:
    """The link that the default route goes through; empty when there is none."""
    for link, network in _routes(_ROUTES.read_text()):
        if network.prefixlen == 0:
            return link
    return ""


def _routes(text: str) -> list[tuple[str, ipaddress.IPv4Network]]:
    routes = []
    for line in text.splitlines()[1:]:
        link, destination, *_, mask, _mtu, _window, _irtt = line.split()
        address = ipaddress.IPv4Address(struct.pack("=I", int(destination, 16)))
        netmask = ipaddress.IPv4Address(struct.pack("=I", int(mask, 16)))
        routes.append((link, ipaddress.IPv4Network(f"{address}/{netmask}", strict=False)))
    return routes

"""Addresses and ranges that are valid, and yet written another way than they should be.

Follows ``GetWarningsForIP`` and ``GetWarningsForCIDR`` of ``k8s.io/apimachinery``. IPv4 addresses
with zeros in front are not valid here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from podium.api.field import Path


def address_warnings(path: Path, text: str) -> Iterator[str]:
    try:
        canonical = str(ipaddress.IPv6Address(text))
    except ValueError:
        return
    if canonical != text:
        form = f'RFC 5952 canonical format ("{canonical}")'
        yield f'{path}: IPv6 address "{text}" should be in {form}'


def range_warnings(path: Path, text: str) -> Iterator[str]:
    try:
        interface = ipaddress.ip_interface(text)
    except ValueError:
        return
    if interface.ip != interface.network.network_address:
        yield (
            f'{path}: CIDR value "{text}" is ambiguous in this context (should be '
            f'"{interface.network}" or "{interface.ip}/{interface.max_prefixlen}"?)'
        )
    elif interface.version == 6 and str(interface.network) != text:
        yield (
            f'{path}: IPv6 CIDR value "{text}" should be in RFC 5952 canonical format '
            f'("{interface.network}")'
        )

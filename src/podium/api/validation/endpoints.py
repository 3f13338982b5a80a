"""Validation of Endpoints."""

from __future__ import annotations

from podium.api import names
from podium.api.field import FieldError, Path, not_supported, required
from podium.api.types.core_v1 import EndpointAddress, EndpointPort, Endpoints
from podium.api.validation.common import (
    Errors,
    dns1123_label,
    invalid_each,
    ip_address,
    ordinary_ip,
    port_number,
    qualified_name,
)
from podium.api.validation.containers import PROTOCOLS


def validate_endpoints(endpoints: Endpoints) -> list[FieldError]:
    """Return the offences of all subsets."""
    errors: list[FieldError] = []
    for i, subset in enumerate(endpoints.subsets):
        path = Path("subsets").index(i)
        if not subset.addresses and not subset.not_ready_addresses:
            errors.append(required(path, "must specify `addresses` or `notReadyAddresses`"))
        for name, addresses in (
            ("addresses", subset.addresses),
            ("notReadyAddresses", subset.not_ready_addresses),
        ):
            for j, address in enumerate(addresses):
                errors.extend(_validate_address(path.child(name).index(j), address))
        for j, port in enumerate(subset.ports):
            at = path.child("ports").index(j)
            errors.extend(_validate_port(at, port, named=len(subset.ports) > 1))
    return errors


def _validate_address(path: Path, address: EndpointAddress) -> Errors:
    yield from ip_address(path.child("ip"), address.ip)
    if address.hostname:
        yield from dns1123_label(path.child("hostname"), address.hostname)
    if address.node_name is not None:
        problems = names.dns1123_subdomain(address.node_name)
        yield from invalid_each(path.child("nodeName"), address.node_name, problems)
    yield from ordinary_ip(path.child("ip"), address.ip)


def _validate_port(path: Path, port: EndpointPort, *, named: bool) -> Errors:
    if port.name:
        yield from dns1123_label(path.child("name"), port.name)
    elif named:
        yield required(path.child("name"))
    yield from port_number(path.child("port"), port.port)
    if not port.protocol:
        yield required(path.child("protocol"))
    elif port.protocol not in PROTOCOLS:
        yield not_supported(path.child("protocol"), port.protocol, PROTOCOLS)
    if port.app_protocol is not None:
        yield from qualified_name(path.child("appProtocol"), port.app_protocol)

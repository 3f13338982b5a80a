"""Checks of EndpointSlices. Follows ``pkg/apis/discovery/validation`` of Kubernetes."""

from __future__ import annotations

import ipaddress

from podium.api import names
from podium.api.field import (
    FieldError,
    Path,
    duplicate,
    invalid,
    not_supported,
    required,
    too_many,
)
from podium.api.types.discovery_v1 import Endpoint, EndpointPort, EndpointSlice
from podium.api.validation.common import (
    Errors,
    dns1123_label,
    immutable,
    invalid_each,
    labels,
    ordinary_ip,
    port_number,
)

ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
PROTOCOLS = ("SCTP", "TCP", "UDP")
_MAX_ADDRESSES, _MAX_PORTS, _MAX_ENDPOINTS = 100, 20000, 1000


def validate_endpoint_slice(obj: EndpointSlice) -> list[FieldError]:
    errors: list[FieldError] = []
    if not obj.address_type:
        errors.append(required(Path("addressType")))
    elif obj.address_type not in ADDRESS_TYPES:
        errors.append(not_supported(Path("addressType"), obj.address_type, ADDRESS_TYPES))
    endpoints = obj.endpoints or []
    if len(endpoints) > _MAX_ENDPOINTS:
        errors.append(too_many(Path("endpoints"), len(endpoints), _MAX_ENDPOINTS))
        return errors
    for i, endpoint in enumerate(endpoints):
        errors.extend(_endpoint(Path("endpoints").index(i), endpoint, obj.address_type))
    errors.extend(_ports(Path("ports"), obj.ports or []))
    return errors


def validate_endpoint_slice_update(new: EndpointSlice, old: EndpointSlice) -> list[FieldError]:
    changed = immutable(Path("addressType"), new.address_type, old.address_type)
    return [*validate_endpoint_slice(new), *changed]


def _endpoint(path: Path, endpoint: Endpoint, address_type: str) -> Errors:
    at = path.child("addresses")
    if not endpoint.addresses:
        yield required(at, "must contain at least 1 address")
    elif len(endpoint.addresses) > _MAX_ADDRESSES:
        yield too_many(at, len(endpoint.addresses), _MAX_ADDRESSES)
    for i, address in enumerate(endpoint.addresses):
        if address_type == "FQDN":
            yield from invalid_each(at.index(i), address, names.dns1123_subdomain(address))
        elif address_type in ("IPv4", "IPv6"):
            yield from _family(at.index(i), address, address_type)
            yield from ordinary_ip(at.index(i), address)
    if endpoint.node_name is not None:
        found = names.dns1123_subdomain(endpoint.node_name)
        yield from invalid_each(path.child("nodeName"), endpoint.node_name, found)
    yield from labels(path.child("deprecatedTopology"), endpoint.deprecated_topology)
    if endpoint.hostname is not None:
        yield from dns1123_label(path.child("hostname"), endpoint.hostname)


def _family(path: Path, address: str, address_type: str) -> Errors:
    version = 4 if address_type == "IPv4" else 6
    try:
        fits = ipaddress.ip_address(address).version == version
    except ValueError:
        fits = False
    if not fits:
        yield invalid(path, address, f"must be a valid {address_type} address")


def _ports(path: Path, ports: list[EndpointPort]) -> Errors:
    if len(ports) > _MAX_PORTS:
        yield too_many(path, len(ports), _MAX_PORTS)
        return
    seen: set[str] = set()
    for i, port in enumerate(ports):
        at, name = path.index(i), port.name or ""
        if name:
            yield from dns1123_label(at.child("name"), name)
        if name in seen:
            yield duplicate(at.child("name"), name)
        seen.add(name)
        if port.protocol is None:
            yield required(at.child("protocol"))
        elif port.protocol not in PROTOCOLS:
            yield not_supported(at.child("protocol"), port.protocol, PROTOCOLS)
        if port.port is not None:
            yield from port_number(at.child("port"), port.port)
        if port.app_protocol is not None:
            found = names.qualified_name(port.app_protocol)
            yield from invalid_each(at.child("appProtocol"), port.app_protocol, found)

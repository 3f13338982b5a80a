"""Checks of IPAddresses and ServiceCIDRs. Follows ``pkg/apis/networking/validation``."""

from __future__ import annotations

import ipaddress

from podium.api import names
from podium.api.field import FieldError, Path, invalid, required
from podium.api.types.networking_v1 import IPAddress, ParentReference, ServiceCIDR
from podium.api.validation.common import Errors, cidr, families, immutable, invalid_each

_SPEC = Path("spec")
_CIDRS, _PARENT = _SPEC.child("cidrs"), _SPEC.child("parentRef")
_MOST = 2


def ip_address_name(name: str) -> list[str]:
    """An IPAddress is named by the address itself, so no name can be generated."""
    found = names.ip_address(name)
    if found:
        return found
    address = ipaddress.ip_address(name)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return ["must not be an IPv4-mapped IPv6 address"]
    return [] if str(address) == name else ["must be a canonical format IP address"]


def validate_ip_address(obj: IPAddress) -> Errors:
    parent = obj.spec.parent_ref
    if parent is None:
        yield required(_PARENT)
    else:
        yield from _parent(parent)


def validate_ip_address_update(new: IPAddress, old: IPAddress) -> Errors:
    yield from validate_ip_address(new)
    yield from immutable(_PARENT, new.spec.parent_ref, old.spec.parent_ref)


def _parent(parent: ParentReference) -> Errors:
    if parent.group:  # Services are of the group without a name
        found = names.dns1123_subdomain(parent.group)
        yield from invalid_each(_PARENT.child("group"), parent.group, found)
    for name, value in (("resource", parent.resource), ("name", parent.name)):
        if not value:
            yield required(_PARENT.child(name))
        else:
            yield from invalid_each(_PARENT.child(name), value, names.path_segment(value))
    if parent.namespace:
        found = names.path_segment(parent.namespace)
        yield from invalid_each(_PARENT.child("namespace"), parent.namespace, found)


def validate_service_cidr(obj: ServiceCIDR) -> list[FieldError]:
    cidrs = obj.spec.cidrs
    if not cidrs:
        return [required(_CIDRS, "at least one CIDR required")]
    if len(cidrs) > _MOST:
        return [invalid(_CIDRS, obj.spec, "may only hold up to 2 values")]
    found = [error for i, each in enumerate(cidrs) for error in cidr(_CIDRS.index(i), each)]
    if len(cidrs) == _MOST and (found or len(set(families(cidrs))) < _MOST):
        text = (
            "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and "
            "2001:db8::/64"
        )
        return [invalid(_CIDRS, obj.spec, text)]
    return found


def validate_service_cidr_update(new: ServiceCIDR, old: ServiceCIDR) -> list[FieldError]:
    return [*validate_service_cidr(new), *immutable(_CIDRS, new.spec.cidrs, old.spec.cidrs)]

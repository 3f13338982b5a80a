"""Checks that many kinds share."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from podium.api import names
from podium.api.field import (
    FieldError,
    Path,
    forbidden,
    invalid,
    not_supported,
    required,
)
from podium.api.quantity import parse

Errors = Iterator[FieldError]

MAX_INT32 = 2**31 - 1
IMMUTABLE = "field is immutable"
NOT_NEGATIVE = "must be greater than or equal to 0"
NOT_POSITIVE = "must be greater than 0"
FILE_MODE = "must be a number between 0 and 0777 (octal), both inclusive"
IP_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


def invalid_each(path: Path, value: Any, messages: Iterable[str]) -> Errors:
    """One offence at *path* for each message that a name check gave."""
    for message in messages:
        yield invalid(path, value, message)


def dns1123_label(path: Path, value: str) -> Errors:
    return invalid_each(path, value, names.dns1123_label(value))


def dns1123_subdomain(path: Path, value: str) -> Errors:
    return invalid_each(path, value, names.dns1123_subdomain(value))


def qualified_name(path: Path, value: str) -> Errors:
    return invalid_each(path, value, names.qualified_name(value))


def domain_prefixed_path(path: Path, value: str) -> Errors:
    """``IsDomainPrefixedPath``"""
    if not value:
        yield required(path)
        return
    domain, _, rest = value.partition("/")
    if not domain or not rest:
        yield invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")')
        return
    yield from invalid_each(path, domain, names.dns1123_subdomain(domain))
    if not names.is_http_path(rest):
        text = f"Invalid path (regex used for validation is '{names.HTTP_PATH}')"
        yield invalid(path, rest, text)


def labels(path: Path, values: Mapping[str, str]) -> Errors:
    """Check a map of labels, a node selector or a service's selector; in order of the keys."""
    for key in sorted(values):
        yield from invalid_each(path, key, names.qualified_name(key))
        yield from invalid_each(path, values[key], names.label_value(values[key]))


def one_of(path: Path, value: str, supported: Collection[str]) -> Errors:
    """Require a value, and one of *supported*."""
    if not value:
        yield required(path)
    elif value not in supported:
        yield not_supported(path, value, supported)


def non_negative(path: Path, value: int) -> Errors:
    if value < 0:
        yield invalid(path, value, NOT_NEGATIVE)


def in_range(path: Path, value: int, low: int, high: int) -> Errors:
    if not low <= value <= high:
        yield invalid(path, value, f"must be between {low} and {high}, inclusive")


def port_number(path: Path, value: int) -> Errors:
    return in_range(path, value, 1, 65535)


def port_number_or_name(path: Path, value: int | str | None) -> Errors:
    """Check an IntOrString that is a port; none at all is port 0."""
    if isinstance(value, str):
        return invalid_each(path, value, names.port_name(value))
    return port_number(path, value or 0)


def file_mode(path: Path, value: int | None) -> Errors:
    if value is not None and not 0 <= value <= 0o777:
        yield invalid(path, value, FILE_MODE)


def user_or_group_id(path: Path, value: int | None) -> Errors:
    if value is not None:
        yield from in_range(path, value, 0, MAX_INT32)


def immutable(path: Path, new: Any, old: Any) -> Errors:
    if new != old:
        yield invalid(path, new, IMMUTABLE)


def no_backsteps(path: Path, value: str) -> Errors:
    if ".." in value.split("/"):
        yield invalid(path, value, "must not contain '..'")


def descending_path(path: Path, value: str) -> Errors:
    """A relative path without ``..``."""
    if value.startswith("/"):
        yield invalid(path, value, "must be a relative path")
    yield from no_backsteps(path, value)


def non_reserved_path(path: Path, value: str) -> Errors:
    """A relative path without ``..`` and, for the atomic writer's sake, not starting with it."""
    yield from descending_path(path, value)
    if value.startswith("..") and not value.startswith("../"):
        yield invalid(path, value, "must not start with '..'")


def is_ip(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return "%" not in value


def ip_address(path: Path, value: str, message: str = IP_ADDRESS) -> Errors:
    """An address in the one way it is written: what older servers took for one is told apart."""
    if is_ip(value):
        if getattr(ipaddress.ip_address(value), "ipv4_mapped", None) is not None:
            yield invalid(path, value, "must not be an IPv4-mapped IPv6 address")
    elif is_ip(_without_leading_zeros(value)):
        yield invalid(path, value, "must not have leading 0s")
    else:
        yield invalid(path, value, message)


def _without_leading_zeros(value: str) -> str:
    return ".".join(octet.lstrip("0") or octet[-1:] for octet in value.split("."))


def ordinary_ip(path: Path, value: str) -> Errors:
    """Refuse the addresses that no endpoint and no external address may have."""
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        yield invalid(path, value, "must be a valid IP address")
        return
    if address.is_unspecified:
        yield invalid(path, value, f"may not be unspecified ({value})")
    if address.is_loopback:
        yield invalid(path, value, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if address.is_link_local:
        yield invalid(path, value, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    if address.is_multicast and _is_link_local_multicast(address):
        yield invalid(
            path, value, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
        )


def _is_link_local_multicast(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return address in ipaddress.ip_network("224.0.0.0/24")
    return address in ipaddress.ip_network("ff02::/16")


def cidr(path: Path, value: str) -> Errors:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        bad = True
    else:
        bad = "/" not in value
    if bad:
        yield invalid(
            path, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
        )


def dns_name(path: Path, value: str) -> Errors:
    """A host as a balancer in front of Services may be known by."""
    yield from dns1123_subdomain(path, value)
    if is_ip(value):
        yield invalid(path, value, "must be a DNS name, not an IP address")


def families(addresses: Iterable[str]) -> list[str]:
    """Return ``IPv4`` or ``IPv6`` for each valid address or CIDR."""
    return ["IPv6" if ":" in address else "IPv4" for address in addresses]


def non_negative_quantity(path: Path, value: str) -> Errors:
    if parse(value).unscaled < 0:
        yield invalid(path, value, NOT_NEGATIVE)


def forbid_set(path: Path, owner: Any, fields: Iterable[tuple[str, str]], detail: str) -> Errors:
    """Forbid each (attribute, JSON name) of *owner* that has a value."""
    for attribute, name in fields:
        if getattr(owner, attribute) not in (None, False, "", [], {}):
            yield forbidden(path.child(name), detail)

"""Where a request to a ``proxy`` subresource goes. Pure.

Addresses come from the objects alone, and none leads to this machine's inside: what an API server
can reach, its clients may not. Follows ``ResourceLocation`` in ``pkg/registry/core``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

import msgspec

from podium.api.errors import ApiError, bad_request, failure
from podium.api.go_text import quote
from podium.api.types.core_v1 import EndpointAddress, Endpoints, Pod, Service
from podium.api.types.meta_v1 import StatusDetails

SCHEMES = ("", "http", "https")

#: Longer texts are names, as what Go cannot read as a number is.
_INT64_DIGITS = 19


class Target(msgspec.Struct, frozen=True):
    """What a name in the path means: ``name``, ``name:port`` or ``scheme:name:port``."""

    scheme: str
    name: str
    port: str


class Location(msgspec.Struct, frozen=True):
    """A scheme, and a host and a port to connect to."""

    scheme: str
    host: str
    port: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host


def target(kind: str, text: str) -> Target:
    """Read the name in the path of a *kind*'s proxy. Raises ApiError (400)."""
    parts = text.split(":")
    match parts:
        case [name]:
            found = Target("", name, "")
        case [name, port]:
            found = Target("", name, port)
        case [scheme, name, port]:
            found = Target(scheme, name, port)
        case _:
            found = Target("", "", "")
    if not found.name or found.scheme not in SCHEMES:
        raise bad_request(f"invalid {kind} request {quote(text)}")
    return found


def check_address(address: str) -> None:
    """Raises ApiError (400) for an address that is nobody's but a machine's own."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        ip = None
    if ip is None or not _is_global_unicast(ip):
        raise bad_request("address not allowed")


def _is_global_unicast(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """As Go's ``IsGlobalUnicast``: private addresses are, too."""
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    if mapped is not None:
        return _is_global_unicast(mapped)
    if isinstance(ip, ipaddress.IPv4Address) and ip == ipaddress.IPv4Address("255.255.255.255"):
        return False
    return not (ip.is_unspecified or ip.is_loopback or ip.is_multicast or ip.is_link_local)


def of_pod(pod: Pod, asked: Target) -> Location:
    """Return where *pod* listens: at *asked*'s port, or the first that a container declares."""
    ips = [each.ip for each in pod.status.pod_ips] or [pod.status.pod_ip]
    declared = (c.ports[0].container_port for c in pod.spec.containers if c.ports)
    port = asked.port or str(next(declared, ""))
    check_address(ips[0])
    return Location(asked.scheme or "http", ips[0], port)


def port_name(service: Service, port: str) -> str:
    """Return the name of the port that *port* is a number of. Raises ApiError (503)."""
    if not _is_number(port):
        return port
    for each in service.spec.ports:
        if each.port == int(port):
            return each.name
    name = quote(service.metadata.name)
    raise unavailable(f"no service port {int(port)} found for service {name}")


def _is_number(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) <= _INT64_DIGITS


def candidates(
    endpoints: Endpoints, name: str, first: int
) -> Iterator[tuple[EndpointAddress, int]]:
    """Yield the ready addresses that have the port called *name*, with its number.

    *first* is a number drawn by lot; it says where to begin, so that all get their share.
    """
    found: Sequence[tuple[EndpointAddress, int]] = [
        (address, port.port)
        for subset in endpoints.subsets
        for port in subset.ports
        if port.name == name
        for address in subset.addresses
    ]
    for i in range(len(found)):
        yield found[(first + i) % len(found)]


def is_pods_own(address: EndpointAddress, namespace: str, pod: Pod | None) -> bool:
    """Whether *address* is that of the Pod it refers to: anybody may have written it."""
    ref = address.target_ref
    return (
        pod is not None
        and ref is not None
        and ref.namespace == namespace
        and address.ip in [each.ip for each in pod.status.pod_ips]
    )


def unavailable(message: str) -> ApiError:
    return failure(503, "ServiceUnavailable", message, StatusDetails())

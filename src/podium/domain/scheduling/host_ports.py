"""Ports that Pods ask for on their node's own addresses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from podium.api.resources import is_sidecar
from podium.api.types.core_v1 import Pod

EVERY_ADDRESS = "0.0.0.0"


class HostPort(NamedTuple):
    """``address`` is 0.0.0.0 for all of the node's addresses."""

    address: str
    protocol: str
    port: int


def host_ports(pod: Pod) -> list[HostPort]:
    """Return the host ports that *pod* occupies: regular containers', and those of sidecars."""
    sidecars = [c for c in pod.spec.init_containers if is_sidecar(c)]
    return [
        HostPort(port.host_ip or EVERY_ADDRESS, port.protocol or "TCP", port.host_port)
        for container in (*pod.spec.containers, *sidecars)
        for port in container.ports
        if port.host_port > 0
    ]


def any_conflict(wanted: Iterable[HostPort], used: Iterable[HostPort]) -> bool:
    """Whether one of *wanted* is taken; all addresses and any one address exclude each other."""
    taken: dict[tuple[str, int], set[str]] = {}
    for entry in used:
        taken.setdefault((entry.protocol, entry.port), set()).add(entry.address)
    for want in wanted:
        addresses = taken.get((want.protocol, want.port))
        if not addresses:
            continue
        if want.address == EVERY_ADDRESS or not addresses.isdisjoint((want.address, EVERY_ADDRESS)):
            return True
    return False

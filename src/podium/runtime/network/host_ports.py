"""Which ports of the node lead to which sandbox: one file a sandbox, for the next process."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from podium.kit.files import write_atomic
from podium.runtime.network.ruleset import HostPortRule
from podium.runtime.port import PortMapping, RuntimeFailure

_EVERY_ADDRESS = ("", "0.0.0.0")


class HostPorts:
    """*directory* holds a file for each sandbox that has such ports, named after it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._rules: dict[str, list[HostPortRule]] = {}
        directory.mkdir(parents=True, exist_ok=True)
        for file in directory.iterdir():
            try:
                rules = msgspec.json.decode(file.read_bytes(), type=list[HostPortRule])
            except msgspec.DecodeError:
                file.unlink()
                continue
            self._rules[file.name] = rules

    def put(self, sandbox_id: str, pod_ip: str, mappings: Iterable[PortMapping]) -> None:
        """Remember what leads to *sandbox_id*. Raises RuntimeFailure."""
        rules = host_port_rules(pod_ip, mappings)
        write_atomic(self._directory / sandbox_id, msgspec.json.encode(rules), sync=False)
        self._rules[sandbox_id] = rules

    def drop(self, sandbox_id: str) -> Sequence[HostPortRule]:
        """Forget the sandbox; return what led to it. Repeatable."""
        with contextlib.suppress(FileNotFoundError):
            (self._directory / sandbox_id).unlink()
        return self._rules.pop(sandbox_id, ())

    def of(self, sandbox_id: str) -> Sequence[HostPortRule]:
        return self._rules.get(sandbox_id, ())

    def owners(self) -> list[str]:
        return list(self._rules)

    def rules(self) -> list[HostPortRule]:
        return [rule for rules in self._rules.values() for rule in rules]


def host_port_rules(pod_ip: str, mappings: Iterable[PortMapping]) -> list[HostPortRule]:
    """Return a rule for each mapping that names a port of the node.

    Raises RuntimeFailure for one that none can be made of: all rules are written together, and
    those of other sandboxes would suffer for it.
    """
    return [
        HostPortRule(
            mapping.protocol.lower(),
            "" if mapping.host_ip in _EVERY_ADDRESS else _ipv4(mapping.host_ip),
            mapping.host_port,
            pod_ip,
            mapping.container_port,
        )
        for mapping in mappings
        if mapping.host_port > 0
    ]


def _ipv4(text: str) -> str:
    try:
        return str(ipaddress.IPv4Address(text))
    except ipaddress.AddressValueError:
        raise RuntimeFailure(f"failed to setup network: invalid host IP: {text}") from None

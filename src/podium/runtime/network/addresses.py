"""Which Pod address belongs to which sandbox: decided in memory, kept as one file an address."""

from __future__ import annotations

import contextlib
import ipaddress
import os
from collections.abc import Iterable
from pathlib import Path

from podium.kit.files import write_atomic
from podium.runtime.port import RuntimeFailure


class AddressPool:
    """The addresses of a Pod CIDR; never one twice at a time, the longest unused first.

    *directory* holds a file for each address in use, named after it, with the sandbox ID in it, and
    a file ``last`` with the address handed out last. The first address is the gateway's; network
    and broadcast address are never used.
    """

    def __init__(self, cidr: str, directory: Path) -> None:
        network = ipaddress.IPv4Network(cidr)
        self._first = int(network.network_address) + 2
        self._last_possible = int(network.broadcast_address) - 1
        self._directory = directory
        self._owner: dict[str, int] = {}
        self._in_use: set[int] = set()
        self._released: dict[int, None] = {}
        self._cursor = self._first - 1
        self._load()

    def allocate(self, sandbox_id: str) -> str:
        """Give *sandbox_id* an address, the one it has where it has one.

        Raises RuntimeFailure when all are in use.
        """
        if sandbox_id in self._owner:
            return _text(self._owner[sandbox_id])
        address = self._choose()
        write_atomic(self._directory / _text(address), sandbox_id, sync=False)
        write_atomic(self._directory / "last", _text(address), sync=False)
        self._owner[sandbox_id] = address
        self._in_use.add(address)
        return _text(address)

    def release(self, sandbox_id: str) -> str | None:
        """Take the address back, and say which it was. Repeatable."""
        address = self._owner.pop(sandbox_id, None)
        if address is None:
            return None
        self._in_use.discard(address)
        self._released[address] = None
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._directory / _text(address))
        return _text(address)

    def owners(self) -> Iterable[str]:
        return list(self._owner)

    def address_of(self, sandbox_id: str) -> str | None:
        address = self._owner.get(sandbox_id)
        return None if address is None else _text(address)

    def _choose(self) -> int:
        for address in self._fresh():
            self._cursor = address
            return address
        for address in self._released:
            del self._released[address]
            return address
        raise RuntimeFailure(
            "failed to allocate for range 0: no IP addresses available in range set: "
            f"{_text(self._first - 1)}-{_text(self._last_possible)}"
        )

    def _fresh(self) -> Iterable[int]:
        """Addresses not used since the process started, from behind the last one, round once."""
        size = self._last_possible - self._first + 1
        if len(self._in_use) + len(self._released) >= size:
            return
        for step in range(1, size + 1):
            address = self._first + (self._cursor - self._first + step) % size
            if address not in self._in_use and address not in self._released:
                yield address

    def _load(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        for file in self._directory.iterdir():
            if file.name.endswith(".tmp"):
                file.unlink()
                continue
            text = file.read_text()
            if file.name == "last":
                self._cursor = self._within(text)
            elif self._within(file.name) == _number(file.name):
                self._owner[text] = _number(file.name)
                self._in_use.add(_number(file.name))
            else:  # of another CIDR, from before it was changed
                file.unlink()

    def _within(self, text: str) -> int:
        number = _number(text)
        return number if self._first <= number <= self._last_possible else self._first - 1


def _number(text: str) -> int:
    try:
        return int(ipaddress.IPv4Address(text))
    except ipaddress.AddressValueError:
        return -1


def _text(number: int) -> str:
    return str(ipaddress.IPv4Address(number))

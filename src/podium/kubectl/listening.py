"""The ports that a port-forward listens on: what is asked for, and connections as they come."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import re
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from podium.kubectl.errors import CommandError

_BACKLOG = 128


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A port here (0: any) and one of the Pod."""

    local: int
    remote: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``8080``, ``8080:80``, ``:80``. Raises CommandError."""
        local, colon, remote = text.partition(":")
        numbers = [_port("local", (local or "0") if colon else local),
                   _port("remote", remote if colon else local)]  # fmt: skip
        if numbers[1] == 0:
            raise CommandError("remote port must be > 0")
        return cls(*numbers)


def _port(which: str, text: str) -> int:
    why = ""
    if not re.fullmatch(r"\d+", text, re.ASCII):
        why = "invalid syntax"
    elif int(text) >= 1 << 16:
        why = "value out of range"
    if why:
        raise CommandError(
            f"error parsing {which} port '{text}': strconv.ParseUint: parsing \"{text}\": {why}"
        )
    return int(text)


@dataclass(frozen=True, slots=True)
class Address:
    """``needed``: listening fails where this one cannot be had, not only where none can."""

    text: str
    needed: bool

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.text else socket.AF_INET

    def at(self, port: int) -> str:
        return f"[{self.text}]:{port}" if ":" in self.text else f"{self.text}:{port}"


def addresses(texts: Sequence[str]) -> list[Address]:
    """Read ``--address``. Raises CommandError."""
    found: dict[str, Address] = {}
    for text in texts:
        if text == "localhost":
            for loopback in ("127.0.0.1", "::1"):
                found.setdefault(loopback, Address(loopback, needed=False))
            continue
        try:
            ipaddress.ip_address(text)
        except ValueError:
            raise CommandError(f"{text} is not a valid IP") from None
        found[text] = Address(text, needed=True)
    if not found:
        raise CommandError("you must specify at least 1 address")
    return [found[text] for text in sorted(found)]


@dataclass(frozen=True, slots=True)
class Accepted:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    port: int
    remote: int


class Listener:
    """Listens once :meth:`open` was called; connections wait until they are asked for."""

    def __init__(self, where: Sequence[Address], ports: Sequence[Forwarded]) -> None:
        self._where, self._ports = where, ports
        self._waiting: asyncio.Queue[tuple[socket.socket, int, int]] = asyncio.Queue()
        self._open: list[socket.socket] = []

    def open(self) -> None:
        """Listen on what can be had, and say so. Raises CommandError where that is nothing."""
        shown, listens = [], False
        for forwarded in self._ports:
            local = forwarded.local
            try:
                local = self._listen(forwarded)
                listens = True
            except CommandError as exc:
                print(f"Unable to listen on port {local}: {exc}", file=sys.stderr)
            shown.append(f"{{{local} {forwarded.remote}}}")
        if not listens:
            raise CommandError(
                f"unable to listen on any of the requested ports: [{' '.join(shown)}]"
            )

    def close(self) -> None:
        loop = asyncio.get_running_loop()
        for listening in self._open:
            loop.remove_reader(listening)
            listening.close()

    async def accept(self) -> Accepted:
        connection, port, remote = await self._waiting.get()
        reader, writer = await asyncio.open_connection(sock=connection)
        return Accepted(reader, writer, port, remote)

    def _listen(self, forwarded: Forwarded) -> int:
        """Listen on the addresses; return the port."""
        local, failures, needed, had = forwarded.local, [], False, False
        for address in self._where:
            try:
                local = self._listen_at(address, local, forwarded.remote)
            except OSError as exc:
                protocol = "tcp6" if address.family is socket.AF_INET6 else "tcp4"
                why = os.strerror(exc.errno or 0).lower()
                failures.append(
                    f"unable to create listener: Error listen {protocol} {address.at(local)}: "
                    f"bind: {why}"
                )
                needed = needed or address.needed
                continue
            had = had or not address.needed
            print(f"Forwarding from {address.at(local)} -> {forwarded.remote}", flush=True)
        some_needed = any(not address.needed for address in self._where)
        if needed or (some_needed and not had):
            raise CommandError(
                f"Listeners failed to create with the following errors: [{' '.join(failures)}]"
            )
        return local

    def _listen_at(self, address: Address, port: int, remote: int) -> int:
        listening = socket.socket(address.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if address.family is socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listening.bind((address.text, port))
            listening.listen(_BACKLOG)
        except OSError:
            listening.close()
            raise
        chosen: int = listening.getsockname()[1]
        self._open.append(listening)
        asyncio.get_running_loop().add_reader(listening, self._ready, listening, chosen, remote)
        return chosen

    def _ready(self, listening: socket.socket, port: int, remote: int) -> None:
        with contextlib.suppress(OSError):  # whoever it was has gone again
            connection, _ = listening.accept()
            connection.setblocking(False)
            self._waiting.put_nowait((connection, port, remote))

"""TCP connections as probes and hooks make them: one question, one answer, and none kept.

Written on bare sockets, as a node makes hundreds a second: who is asked is on this machine mostly,
so that a connection is there as soon as it is asked for, and an answer is one packet. Failures are
in the words of Go's net package, which events quote.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from typing import Any, Self

from podium.api.go_text import quote
from podium.api.types.core_v1 import Container

_Address = tuple[Any, ...]
_UNDER_WAY = (errno.EINPROGRESS, errno.EALREADY)
_KIND = socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
_MOST = 65536


class DialFailure(Exception):
    """No connection; the text is Go's (``dial tcp 10.0.0.1:81: connect: connection refused``)."""


class Late(Exception):
    """The time for all of it is over."""


class BadPort(Exception):
    """The port of a probe or a hook cannot be found; the text is upstream's."""


def join_host_port(host: str, port: int) -> str:
    """``net.JoinHostPort``."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def moment_in(seconds: float | None) -> float | None:
    """The event loop's time in *seconds* from now; None, which is never, for None."""
    return None if seconds is None else asyncio.get_running_loop().time() + seconds


class Connection:
    """A TCP connection of which nothing is waited for longer than until a moment.

    Its methods raise Late then, and OSError where it breaks. Leaving it closes it.
    """

    __slots__ = ("_loop", "_sock", "_until")

    def __init__(self, until: float | None) -> None:
        self._until = until
        self._loop = asyncio.get_running_loop()
        self._sock: socket.socket

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if hasattr(self, "_sock"):
            self._sock.close()

    async def dial(self, host: str, port: int) -> None:
        """Connect to the first of a host's addresses that takes it. Raises DialFailure."""
        failure: DialFailure | None = None
        for family, address in _literal(host, port) or await self._look_up(host, port):
            try:
                await self._connect(family, address)
            except OSError as exc:
                self.close()
                where = join_host_port(address[0], port)
                failure = failure or DialFailure(f"dial tcp {where}: connect: {reason(exc)}")
            else:
                return
        raise failure or _unknown(host)

    async def send(self, data: bytes) -> None:
        while data:
            try:
                data = data[self._sock.send(data) :]
            except BlockingIOError:
                await self._ready(self._loop.add_writer, self._loop.remove_writer)

    async def receive(self) -> bytes:
        """Return what has come, which is nothing at the end."""
        while True:
            await self._ready(self._loop.add_reader, self._loop.remove_reader)
            try:
                return self._sock.recv(_MOST)
            except BlockingIOError:
                continue  # there was nothing, after all

    async def pause(self, seconds: float) -> None:
        left = seconds if self._until is None else self._until - self._loop.time()
        await asyncio.sleep(min(seconds, left))
        if left < seconds:
            raise Late

    async def _connect(self, family: int, address: _Address) -> None:
        self._sock = sock = socket.socket(family, _KIND)
        failed = sock.connect_ex(address)
        if failed == errno.EINPROGRESS:  # of somebody on this machine it is known by now
            failed = sock.connect_ex(address)
        while failed in _UNDER_WAY:
            await self._ready(self._loop.add_writer, self._loop.remove_writer)
            failed = sock.connect_ex(address)
        if failed:
            raise OSError(failed, os.strerror(failed))

    async def _look_up(self, host: str, port: int) -> list[tuple[int, _Address]]:
        try:
            async with asyncio.timeout_at(self._until):
                found = await self._loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except TimeoutError:
            raise Late from None
        except (OSError, UnicodeError):
            raise _unknown(host) from None
        return [(family, address) for family, _, _, _, address in found]

    async def _ready(self, add: Callable[..., object], remove: Callable[[int], object]) -> None:
        timer, ready = None, self._loop.create_future()
        if self._until is not None:
            if self._loop.time() >= self._until:  # also where there is always more to read
                raise Late
            timer = self._loop.call_at(self._until, _fail, ready)
        fd = self._sock.fileno()
        add(fd, _succeed, ready)
        try:
            await ready
        finally:
            remove(fd)
            if timer is not None:
                timer.cancel()


def _succeed(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _fail(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_exception(Late())


def _literal(host: str, port: int) -> list[tuple[int, _Address]] | None:
    """The one address of a host that is named by it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.inet_pton(family, host)
    except OSError:
        return None
    return [(family, (host, port))]


def _unknown(host: str) -> DialFailure:
    return DialFailure(f"dial tcp: lookup {host}: no such host")


def reason(exc: OSError) -> str:
    """The system's word for a failure, as Go prints it."""
    text = os.strerror(exc.errno) if exc.errno else str(exc)
    return text[:1].lower() + text[1:]


def container_port(port: int | str | None, container: Container) -> int:
    """Return the number of *port*, which may be the name of one of the container's.

    Raises BadPort.
    """
    if isinstance(port, str):
        port = _named(port, container)
    if port is None or not 0 < port < 65536:
        raise BadPort(f"invalid port number: {port or 0}")
    return port


def _named(name: str, container: Container) -> int:
    for candidate in container.ports:
        if candidate.name == name:
            return candidate.container_port
    try:
        return int(name)
    except ValueError:
        raise BadPort(f"strconv.Atoi: parsing {quote(name)}: invalid syntax") from None

"""Connecting, with failures in the words of Go's net package, which events quote."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl

from podium.api.go_text import quote
from podium.api.types.core_v1 import Container


class DialFailure(Exception):
    """No connection; the text is Go's (``dial tcp 10.0.0.1:81: connect: connection refused``)."""


class BadPort(Exception):
    """The port of a probe or a hook cannot be found; the text is upstream's."""


def join_host_port(host: str, port: int) -> str:
    """``net.JoinHostPort``."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def dial(
    host: str, port: int, tls: ssl.SSLContext | None = None, limit: int = 65536
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection. Raises DialFailure, or ssl.SSLError once connected."""
    address = join_host_port(host, port)
    try:
        return await asyncio.open_connection(
            host, port, ssl=tls, server_hostname=host if tls else None, limit=limit
        )
    except ssl.SSLError:
        raise
    except socket.gaierror:
        raise DialFailure(f"dial tcp: lookup {host}: no such host") from None
    except OSError as exc:
        raise DialFailure(f"dial tcp {address}: connect: {reason(exc)}") from None


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

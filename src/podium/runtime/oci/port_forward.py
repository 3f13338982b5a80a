"""PortForward: a connection to a port inside a Pod's network."""

from __future__ import annotations

import asyncio
import os
import socket

from podium.runtime import linux
from podium.runtime.oci.engine import Engine
from podium.runtime.port import NamespaceMode, PodSandboxState, RuntimeFailure

#: Tried in this order, as upstream tries "localhost".
_LOCALHOST = (
    (socket.AF_INET, "127.0.0.1", "127.0.0.1"),
    (socket.AF_INET6, "::1", "[::1]"),
)
_TIMEOUT = 10.0  # seconds; to this machine itself


async def port_forward(engine: Engine, pod_sandbox_id: str, port: int) -> socket.socket:
    """Return a connected socket; it stays in the Pod's network, wherever it is used from."""
    record = engine.sandbox(pod_sandbox_id).record
    if record.state is not PodSandboxState.READY:
        raise RuntimeFailure(f'sandbox container "{pod_sandbox_id}" is not running')
    on_node = record.config.linux.namespace_options.network is NamespaceMode.NODE
    path = str(engine.sandbox_paths(pod_sandbox_id).namespace("network"))
    failures = []
    for family, address, shown in _LOCALHOST:
        try:
            made = _socket(family) if on_node else _socket_inside(path, family)
            return await _connected(made, (address, port))
        except OSError as exc:
            failures.append(f"{shown}:{port}: connect: {_words(exc)}")
    namespace = "host" if on_node else path
    raise RuntimeFailure(
        f'failed to execute portforward in network namespace "{namespace}": failed to connect to '
        f'localhost:{port} inside namespace "{pod_sandbox_id}", '
        f"IPv4: dial tcp4 {failures[0]} IPv6 dial tcp6 {failures[1]}"
    )


def _socket_inside(path: str, family: int) -> socket.socket:
    return linux.in_network_namespace(path, lambda: _socket(family))


def _socket(family: int) -> socket.socket:
    kind = socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    return socket.socket(family, kind)


async def _connected(made: socket.socket, address: tuple[str, int]) -> socket.socket:
    try:
        async with asyncio.timeout(_TIMEOUT):
            await asyncio.get_running_loop().sock_connect(made, address)
    except (OSError, asyncio.CancelledError):
        made.close()
        raise
    return made


def _words(exc: OSError) -> str:
    """The kernel's own words, as Go has them."""
    return os.strerror(exc.errno).lower() if exc.errno else "connection timed out"

"""A server in a Pod's network namespace that answers with what it hears, by TCP and UDP."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from podium.runtime import linux

#: Seconds for an answer; far beyond what it should take.
PATIENCE = 60


def pid_of(command: str) -> int:
    """Return the process that runs *command*, whichever namespace it is in, once it does.

    A container runs a moment before its command does.
    """
    deadline = time.monotonic() + PATIENCE
    while not (pid := _find(command.split())):
        assert time.monotonic() < deadline, f"nothing runs {command!r}"
        time.sleep(0.01)
    return pid


def _find(words: Sequence[str]) -> int:
    wanted = [word.encode() for word in words]  # others' need be no text
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            found = entry.name.isdigit() and (entry / "cmdline").read_bytes()
            if found and found.rstrip(b"\0").split(b"\0") == wanted:
                return int(entry.name)
    return 0


@contextlib.contextmanager
def echoing(pid: int, *, tcp: Sequence[int] = (), udp: Sequence[int] = ()) -> Iterator[None]:
    """Answer on the ports in the network namespace of process *pid*."""

    def listen() -> list[socket.socket]:
        servers = [socket.create_server(("", port)) for port in tcp]
        for port in udp:
            servers.append(socket.socket(type=socket.SOCK_DGRAM))
            servers[-1].bind(("", port))
        return servers

    servers = linux.in_network_namespace(f"/proc/{pid}/ns/net", listen)
    stop, stopped = socket.socketpair()
    thread = threading.Thread(target=_serve, args=(servers, stopped))
    thread.start()
    try:
        yield
    finally:
        stop.close()
        thread.join()
        for each in (*servers, stopped):
            each.close()


def _serve(servers: Sequence[socket.socket], stopped: socket.socket) -> None:
    with selectors.DefaultSelector() as ready:
        for server in (*servers, stopped):
            ready.register(server, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                server = key.fileobj
                assert isinstance(server, socket.socket)
                if server is stopped:
                    return
                if server.type is socket.SOCK_DGRAM:
                    data, sender = server.recvfrom(100)
                    server.sendto(data, sender)
                    continue
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(PATIENCE)
                    with contextlib.suppress(OSError):
                        connection.sendall(connection.recv(100))


def heard(kind: socket.SocketKind, address: str, port: int) -> bool:
    """Say hello, and tell whether it comes back."""
    with socket.socket(type=kind) as client:
        client.settimeout(PATIENCE)
        try:
            client.connect((address, port))
            client.sendall(b"hello\n")
            return client.recv(100) == b"hello\n"
        except OSError:
            return False

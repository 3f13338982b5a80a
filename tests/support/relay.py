"""A relay in front of a server, whose connections a test can cut in the middle of anything."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from support.cluster import Cluster


@dataclass
class Relay:
    """Listens on loopback; bytes go both ways until ``cut``."""

    target: int
    listener: socket.socket
    kubeconfig: Path
    _pairs: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)
    _pumps: list[threading.Thread] = field(default_factory=list)

    def cut(self) -> int:
        """End all connections at once, as a network that fails; return how many there were."""
        pairs, self._pairs = self._pairs, []
        for end in (end for pair in pairs for end in pair):
            with contextlib.suppress(OSError):  # it has ended by itself
                end.shutdown(socket.SHUT_RDWR)
        return len(pairs)

    def serve(self) -> None:
        with contextlib.suppress(OSError):  # the listener is shut down at the end
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
                self._pairs.append((near, far))
                for source, sink in ((near, far), (far, near)):
                    pump = threading.Thread(target=_pump, args=(source, sink), daemon=True)
                    pump.start()
                    self._pumps.append(pump)

    def close(self) -> None:
        self.cut()
        for pump in self._pumps:
            pump.join(10)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with source, contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def relay(cluster: Cluster, directory: Path) -> Iterator[Relay]:
    """A relay in front of the cluster's API server, and a kubeconfig that leads there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kubeconfig = directory / "relayed-kubeconfig"
        kubeconfig.touch(mode=0o600)
        own, there = listener.getsockname()[1], cluster.port
        kubeconfig.write_text(cluster.kubeconfig.read_text().replace(f":{there}\n", f":{own}\n"))
        made = Relay(there, listener, kubeconfig)
        thread = threading.Thread(target=made.serve, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            made.close()

"""A load generator of its own process: HTTP/1.1 over TLS by hand, so that the server is measured.

Connections are kept alive and have one request under way each. Sockets are read as they become
ready; an answer costs the generator some tens of microseconds, most of them TLS.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_BUFFER = 256 * 1024
_PATIENCE = 120.0


@dataclass(frozen=True)
class Target:
    """A server on loopback, and who the generator is to it."""

    port: int
    ca: Path
    cert: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.ca))
        context.load_cert_chain(self.cert, self.key)
        return context


def request(
    method: str, path: str, body: bytes = b"", content_type: str = "", accept: str = ""
) -> bytes:
    """Return a request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "User-Agent: bench/1"]
    lines.append(f"Accept: {accept or 'application/json'}")
    if content_type:
        lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass
class Run:
    """What came of a load: seconds for each request, how many were served (of events: how many
    were delivered), and the seconds from the first to the last."""

    latencies: list[float] = field(default_factory=list)
    count: int = 0
    elapsed: float = 0.0

    def add(self, other: Run) -> None:
        self.latencies += other.latencies
        self.count += other.count
        self.elapsed += other.elapsed


class Connection:
    """One connection: a request goes out, the answer is read as it comes."""

    def __init__(self, target: Target, context: ssl.SSLContext) -> None:
        raw = socket.create_connection(("127.0.0.1", target.port))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(raw, server_hostname="127.0.0.1")
        self.socket.setblocking(False)
        self.started = 0.0
        self.body = bytearray()
        self._buffer = bytearray(_BUFFER)
        self._view = memoryview(self._buffer)
        self._left = -1  # of the body; -1 while the head is awaited

    def send(self, data: bytes) -> None:
        """Send a request; it has to fit into the socket's buffer."""
        self.body.clear()
        self._left = -1
        self.started = time.perf_counter()
        if self.socket.send(data) != len(data):
            raise BlockingIOError("the request does not fit into the socket's buffer")

    def read(self) -> bool:
        """Read what is there; tell whether the answer is complete. Raises OSError if refused."""
        while True:
            try:
                count = self.socket.recv_into(self._buffer)
            except ssl.SSLWantReadError:
                return False
            if not count:
                raise ConnectionResetError("the server has closed the connection")
            self.body += self._view[:count]
            if self._left < 0 and not self._read_head():
                continue
            if len(self.body) == self._left:
                return True

    def _read_head(self) -> bool:
        end = self.body.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(self.body[:end])
        del self.body[: end + 4]
        at = head.lower().index(b"content-length:") + 15
        self._left = int(head[at:].split(b"\r\n", 1)[0])
        if head[9:10] != b"2":
            raise OSError(f"{head[:40]!r}: {bytes(self.body)!r}")
        return True

    def count_events(self) -> int:
        """Read what is there of a watch; return how many events have ended in it.

        JSON has no line breaks but the one behind each event; chunks add pairs of both sorts.
        """
        seen = 0
        while True:
            try:
                count = self.socket.recv_into(self._buffer)
            except ssl.SSLWantReadError:
                return seen
            if not count:
                raise ConnectionResetError("the server has ended the watch")
            part = self._buffer if count == _BUFFER else self._buffer[:count]
            seen += part.count(b"\n") - part.count(b"\r")

    def close(self) -> None:
        self.socket.close()


class Pool:
    """Connections to one server that carry load together."""

    def __init__(self, target: Target, connections: int) -> None:
        context = target.context()
        self.connections = [Connection(target, context) for _ in range(connections)]
        self._selector = selectors.DefaultSelector()
        for connection in self.connections:
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        for connection in self.connections:
            connection.close()

    def one(self, data: bytes) -> bytes:
        """Return the body of the answer to a single request."""
        connection = self.connections[0]
        connection.send(data)
        while not connection.read():
            self._selector.select(_PATIENCE)
        return bytes(connection.body)

    def load(self, requests: Iterator[bytes], seconds: float = 1e9) -> Run:
        """Send *requests* until there are none left or *seconds* are over, and wait for the last
        answers."""
        run = Run()
        busy = 0
        begin = time.perf_counter()
        for connection in self.connections:
            data = next(requests, None)
            if data is None:
                break
            connection.send(data)
            busy += 1
        while busy:
            for connection in self._ready():
                if not connection.read():
                    continue
                now = time.perf_counter()
                run.latencies.append(now - connection.started)
                data = next(requests, None) if now - begin < seconds else None
                if data is None:
                    busy -= 1
                else:
                    connection.send(data)
        run.elapsed = time.perf_counter() - begin
        run.count = len(run.latencies)
        return run

    def _ready(self) -> Sequence[Connection]:
        ready = self._selector.select(_PATIENCE)
        if not ready:
            raise TimeoutError("the server does not answer")
        return [key.data for key, _ in ready]


class Watchers:
    """Many watches of one server, and writers that give them something to see."""

    def __init__(self, target: Target, count: int, watch: bytes) -> None:
        self._pool = Pool(target, count)
        self._selector = selectors.DefaultSelector()
        self._watches = self._pool.connections
        self._watching = frozenset(self._watches)
        for connection in self._watches:
            connection.send(watch)
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        for connection in self._watches:
            _await_head(connection)

    def __enter__(self) -> Watchers:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        self._pool.__exit__()

    def deliver(self, writers: Pool, requests: Sequence[bytes]) -> Run:
        """Send *requests*, each of which is an event, and wait until all watches have all."""
        run = Run(count=len(requests) * len(self._watches))
        waiting, queue = run.count, iter(requests)
        for connection in writers.connections:
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        begin = time.perf_counter()
        for connection, data in zip(writers.connections, queue, strict=False):
            connection.send(data)
        while waiting > 0 or len(run.latencies) < len(requests):
            for connection in self._ready(waiting):
                if connection in self._watching:
                    waiting -= connection.count_events()
                elif connection.read():
                    run.latencies.append(time.perf_counter() - connection.started)
                    if (following := next(queue, None)) is not None:
                        connection.send(following)
        run.elapsed = time.perf_counter() - begin
        for connection in writers.connections:
            self._selector.unregister(connection.socket)
        return run

    def _ready(self, waiting: int) -> Sequence[Connection]:
        ready = self._selector.select(_PATIENCE)
        if not ready:
            raise TimeoutError(f"{waiting} events are missing")
        return [key.data for key, _ in ready]


def _await_head(connection: Connection) -> None:
    """Read the head of a watch's answer, and nothing of what follows."""
    head = b""
    connection.socket.setblocking(True)
    while not head.endswith(b"\r\n\r\n"):
        head += connection.socket.recv(1)
    connection.socket.setblocking(False)
    if b" 200 " not in head[:16]:
        raise OSError(f"the watch was refused: {head!r}")

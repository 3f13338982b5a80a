"""Port-forward on this side: listeners here, connections to a port there, one WebSocket for all.

When the Pod ends, or the connection is lost, the way is laid anew to the Pod that takes its place;
listeners stay, and who connects meanwhile waits. That is our own: upstream's ends then.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from podium.kit.spdy.session import PeerGone, Session, Stream
from podium.kubectl import news
from podium.kubectl.attachable import most_active
from podium.kubectl.errors import CommandError, StatusError, Unreachable
from podium.kubectl.http import Http
from podium.kubectl.listening import Listener
from podium.kubectl.tunnel import Tunnel
from podium.kubectl.unblocked import Refused
from podium.kubectl.web_socket import WebSocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podium.kubectl.spdy_socket import Bare

_PROTOCOL = "portforward.k8s.io"
_TUNNEL = f"SPDY/3.1+{_PROTOCOL}"
_CHUNK = 64 * 1024
#: Seconds between attempts to reach a server that does not answer.
_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Source:
    """Where Pods are looked for: *path* is that of all Pods, *query* selects those that will do."""

    path: str
    query: tuple[tuple[str, str], ...]
    patience: float  #: seconds that another Pod may take to come


async def forward(http: Http, source: Source, pod: dict[str, Any], listener: Listener) -> None:
    """Forward until cancelled. Raises CommandError where no Pod takes the place of one gone."""
    forwarder = _Forwarder(http, source)
    failed: CommandError | None = None
    async with forwarder.joined(pod) as session:
        try:
            listener.open()
        except CommandError as exc:
            failed = exc
        else:
            await forwarder.serve_while(session, pod, listener)
    if failed is not None:
        raise failed
    while True:
        pod = await forwarder.successor()
        try:
            async with forwarder.joined(pod) as session:
                print(f"Forwarding to pod/{pod['metadata']['name']} again", file=sys.stderr)
                await forwarder.serve_while(session, pod, listener)
        except CommandError as exc:
            print(f"warning: {exc}", file=sys.stderr)
            await asyncio.sleep(_PAUSE)


class _Forwarder:
    def __init__(self, http: Http, source: Source) -> None:
        self._http, self._source = http, source
        self._numbers = itertools.count()

    @contextlib.asynccontextmanager
    async def joined(self, pod: dict[str, Any]) -> AsyncIterator[Session]:
        """Yield a session with the Pod's node. Raises CommandError."""
        path = f"{self._source.path}/{pod['metadata']['name']}/portforward"
        try:
            socket = await news.apart(lambda: _opened(self._http.another(), path))
        except CommandError as exc:
            raise CommandError(f"error upgrading connection: {exc}") from exc
        tunnel = Tunnel(socket)
        with contextlib.closing(socket):
            async with Session.running(tunnel, tunnel, server=False) as session:
                yield session

    async def serve_while(self, session: Session, pod: dict[str, Any], listener: Listener) -> None:
        """Forward the listener's connections until the session, or the Pod, has ended."""
        async with asyncio.TaskGroup() as tasks:
            ends = [
                tasks.create_task(session.gone.wait(), name="session"),
                tasks.create_task(self._ended(pod), name="pod"),
            ]
            accepting = tasks.create_task(self._accept(session, listener), name="accept")
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for task in (*ends, accepting):
                task.cancel()
        print(f"Lost connection to pod/{pod['metadata']['name']}", file=sys.stderr)

    async def _accept(self, session: Session, listener: Listener) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                accepted = await listener.accept()
                number = next(self._numbers)
                connection = _Connection(session, accepted.reader, accepted.writer)
                work = connection.run(number, accepted.port, accepted.remote)
                tasks.create_task(work, name=f"connection {number}")

    # -- which Pod

    async def _ended(self, pod: dict[str, Any]) -> None:
        """Return when the Pod is over; never where that cannot be seen."""
        metadata = pod["metadata"]
        query = [("fieldSelector", f"metadata.name={metadata['name']}")]
        with contextlib.suppress(StatusError):
            while True:
                try:
                    listed = await news.get(self._http, self._source.path, query)
                    found = {one["metadata"]["uid"]: one for one in listed["items"]}
                    if not _runs(found.get(metadata["uid"])):
                        return
                    since = ("resourceVersion", listed["metadata"]["resourceVersion"])
                    events = news.watch(self._http, self._source.path, [*query, since])
                    async with contextlib.aclosing(events):
                        async for kind, obj in events:
                            if kind == "DELETED" or (kind != "ERROR" and not _runs(obj)):
                                return
                except Unreachable:
                    await asyncio.sleep(_PAUSE)
        await asyncio.get_running_loop().create_future()

    async def successor(self) -> dict[str, Any]:
        """Return a Pod that runs. Raises CommandError where there is none for too long."""
        deadline = time.monotonic() + self._source.patience
        query = list(self._source.query)
        while (left := deadline - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(left):
                    return await self._next(query)
            except TimeoutError:
                break
            except Unreachable:
                await asyncio.sleep(min(_PAUSE, left))
        raise CommandError("lost connection to pod")

    async def _next(self, query: list[tuple[str, str]]) -> dict[str, Any]:
        while True:
            listed = await news.get(self._http, self._source.path, query)
            running = [one for one in listed["items"] if _runs(one)]
            if running:
                return most_active(running)
            since = ("resourceVersion", listed["metadata"]["resourceVersion"])
            events = news.watch(self._http, self._source.path, [*query, since])
            async with contextlib.aclosing(events):
                async for kind, obj in events:
                    if kind in ("ADDED", "MODIFIED") and _runs(obj):
                        return obj


def _opened(http: Http, path: str) -> WebSocket | Bare:
    """Raises CommandError."""
    with contextlib.suppress(Refused):  # an older server, or one that lets us only ``create``
        if os.environ.get("KUBECTL_PORT_FORWARD_WEBSOCKETS", "").lower() != "false":
            return WebSocket(http, path, (), (_TUNNEL,))
    from podium.kubectl.spdy_socket import Bare

    return Bare(http, path, (), _PROTOCOL)


def _runs(pod: dict[str, Any] | None) -> bool:
    if pod is None or pod["metadata"].get("deletionTimestamp"):
        return False
    return (pod.get("status") or {}).get("phase") == "Running"


class _Connection:
    """One connection of somebody's here."""

    def __init__(
        self, session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._session, self._reader, self._writer = session, reader, writer

    async def run(self, number: int, port: int, remote: int) -> None:
        print(f"Handling connection for {port}", flush=True)
        about = {"port": [str(remote)], "requestid": [str(number)]}
        try:
            error = await self._session.open_stream({"streamtype": ["error"], **about})
            await error.finish()
            data = await self._session.open_stream({"streamtype": ["data"], **about})
            try:
                await self._carry(data)
                await data.reset()
                said = await _everything(error)
            finally:
                self._session.forget(error, data)
        except PeerGone:
            return
        finally:
            self._writer.close()
        if said:
            print(f"E{_now()} an error occurred forwarding {port} -> {remote}: "
                  f"{said.decode(errors='replace')}", file=sys.stderr)  # fmt: skip

    async def _carry(self, data: Stream) -> None:
        """Move bytes both ways until the Pod has no more, or nobody here takes it."""
        async with asyncio.TaskGroup() as tasks:
            outward = tasks.create_task(self._outward(data))
            await self._inward(data)
            outward.cancel()

    async def _outward(self, data: Stream) -> None:
        with contextlib.suppress(OSError, PeerGone):
            while piece := await self._reader.read(_CHUNK):
                await data.write(piece)
            await data.finish()

    async def _inward(self, data: Stream) -> None:
        with contextlib.suppress(OSError, PeerGone):
            while piece := await data.read():
                self._writer.write(piece)
                await self._writer.drain()


async def _everything(stream: Stream) -> bytes:
    found = b""
    while piece := await stream.read():
        found += piece
    return found


def _now() -> str:
    return time.strftime("%m%d %H:%M:%S")

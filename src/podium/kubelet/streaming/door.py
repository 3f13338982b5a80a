"""``/exec``, ``/attach``, ``/portForward`` and ``/run`` of the kubelet's HTTPS door.

An unfit request is refused before the connection becomes a stream, in upstream's words.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from aiohttp import web

from podium.api.types.core_v1 import Pod
from podium.domain.pods.observed import Observed
from podium.kit import ending
from podium.kit.numbers import number
from podium.kit.peers import notice_dead_peers, wait_for_reader
from podium.kit.spdy.session import PeerGone, Session
from podium.kit.spdy.tunnel import Tunnel
from podium.kit.upgrade import take_over
from podium.kubelet.observe import Observer
from podium.kubelet.streaming import command, ports, protocol
from podium.kubelet.streaming.command import Peer
from podium.kubelet.streaming.protocol import BadStreamRequest, Channel
from podium.kubelet.streaming.spdy import SpdyPeer
from podium.kubelet.streaming.websocket import Channels, WebSocketPeer
from podium.runtime.port import NotFound, RuntimeFailure, RuntimeService
from podium.runtime.stream_port import AttachedProcess, StreamOptions

logger = logging.getLogger(__name__)

_SPDY = "spdy/3.1"
Opened = AbstractAsyncContextManager[AttachedProcess]


class StreamingDoor:
    """Handlers; *find* returns the node's Pod of a namespace and name."""

    def __init__(self, runtime: RuntimeService, find: Callable[[str, str], Pod | None]) -> None:
        self._runtime, self._find = runtime, find

    def add_to(self, router: web.UrlDispatcher) -> None:
        for path, handler in (("exec", self._exec), ("attach", self._attach)):
            for uid in ("", "/{uid}"):
                route = f"/{path}/{{namespace}}/{{pod}}{uid}/{{container}}"
                router.add_route("GET", route, handler)
                router.add_route("POST", route, handler)
        for uid in ("", "/{uid}"):
            route = f"/portForward/{{namespace}}/{{pod}}{uid}"
            router.add_route("GET", route, self._port_forward)
            router.add_route("POST", route, self._port_forward)
            router.add_post(f"/run/{{namespace}}/{{pod}}{uid}/{{container}}", self._run)

    # -- exec and attach

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        cmd = request.query.getall("command", [])

        def open_(container_id: str, options: StreamOptions) -> Opened:
            return self._runtime.exec(container_id, cmd, options)

        return await self._command(request, open_, cmd)

    async def _attach(self, request: web.Request) -> web.StreamResponse:
        return await self._command(request, self._runtime.attach, None)

    async def _command(
        self,
        request: web.Request,
        open_: Callable[[str, StreamOptions], Opened],
        cmd: list[str] | None,
    ) -> web.StreamResponse:
        try:
            options = protocol.stream_options(request.query)
            container_id = await self._container(request)
        except BadStreamRequest as exc:
            return web.Response(status=400, text=str(exc))
        except (web.HTTPException, RuntimeFailure) as exc:
            return _refused(exc)
        answer: list[web.StreamResponse] = []
        try:
            async with _while_there(request), _peer(request, options, answer) as peer:
                await _serve(peer, open_(container_id, options), cmd, options)
        except* (PeerGone, TimeoutError):
            logger.debug("no streams came of a request", extra={"path": request.path})
        return answer[0] if answer else web.Response()

    async def _observed(self, pod: Pod) -> Observed:
        return await Observer(self._runtime, pod.metadata.uid, node_ip="").observe()

    async def _container(self, request: web.Request) -> str:
        """Return the ID of the running container that is meant."""
        name = request.match_info["container"]
        observed = await self._observed(self._pod(request))
        run = observed.latest(name)
        if run is None or not run.is_running:
            raise RuntimeFailure(f'container not found ("{name}")')
        return run.id

    def _pod(self, request: web.Request) -> Pod:
        pod = self._find(request.match_info["namespace"], request.match_info["pod"])
        if pod is None or request.match_info.get("uid", pod.metadata.uid) != pod.metadata.uid:
            raise web.HTTPNotFound(text="pod does not exist\n")
        return pod

    async def _run(self, request: web.Request) -> web.StreamResponse:
        """A command whose output is the answer; for people with curl."""
        cmd = request.query.get("cmd", "").split(" ")
        try:
            said = await self._runtime.exec_sync(await self._container(request), cmd)
        except (web.HTTPException, RuntimeFailure) as exc:
            return _refused(exc)
        return web.Response(body=said.stdout + said.stderr, content_type="text/plain")

    # -- port-forward

    async def _port_forward(self, request: web.Request) -> web.StreamResponse:
        try:
            pod = self._pod(request)
            sandbox = (await self._observed(pod)).sandbox
        except (web.HTTPException, RuntimeFailure) as exc:
            return _refused(exc)
        if sandbox is None:
            return web.Response(status=500, text="the pod has no sandbox that runs\n")

        async def connect(port: int) -> socket.socket:
            return await self._runtime.port_forward(sandbox.id, port)

        about = f"{sandbox.id}, uid {pod.metadata.uid}"
        forward = _forward_websocket if _wants(request, "websocket") else _forward_spdy
        answer: list[web.StreamResponse] = []
        try:
            async with _while_there(request):
                await forward(request, connect, about, answer)
        except* PeerGone:
            logger.debug("the other end of a port-forward has gone")
        return answer[0] if answer else web.Response()


async def _serve(
    peer: Peer, opening: Opened, cmd: list[str] | None, options: StreamOptions
) -> None:
    try:
        async with opening as process:
            await command.serve(peer, process, cmd, stdin=options.stdin, tty=options.tty)
    except RuntimeFailure as exc:
        doing = "attaching to container" if cmd is None else "executing command in container"
        await peer.finish(protocol.failed(f"error {doing}: {exc}"))


@asynccontextmanager
async def _while_there(request: web.Request) -> AsyncIterator[None]:
    """Break the body off by PeerGone when the client has gone, be it that nobody reads of it.

    A command that takes no input holds its client back, and its end with it. What aiohttp raises in
    the body, to refuse a request or for a client that has just gone, is its own to see, ungrouped.
    """
    raised: Exception | None = None
    async with asyncio.TaskGroup() as tasks:
        watch = tasks.create_task(_notice_end(request), name="end of a stream")
        try:
            yield
        except (web.HTTPException, ConnectionError) as exc:
            raised = exc
        watch.cancel()
    if raised is not None:
        raise raised


async def _notice_end(request: web.Request) -> None:
    if request.transport is not None:
        notice_dead_peers(connection := request.transport.get_extra_info("socket"))
        wait_for_reader(connection, True)
        await ending.broken(request.transport)
        request.transport.abort()
    raise PeerGone


@asynccontextmanager
async def _peer(
    request: web.Request, options: StreamOptions, answer: list[web.StreamResponse]
) -> AsyncIterator[Peer]:
    """Make the connection a stream; *answer* gets what the handler has to return.

    The body is not entered where the client asked for no stream that is served: *answer* says so.
    """
    if _wants(request, "websocket"):
        reads = (Channel.STDIN, Channel.RESIZE)
        async with Channels.open(request, protocol.WEBSOCKET_PROTOCOLS, reads) as channels:
            answer.append(channels.socket)
            await channels.greet(options)
            yield WebSocketPeer(channels)
        return
    chosen = _agree(request, protocol.COMMAND_PROTOCOLS, answer)
    if not chosen:
        raise PeerGone
    async with take_over(request, _upgrade(chosen)) as (reader, writer, response):
        answer.append(response)
        async with Session.running(reader, writer) as session:
            yield await SpdyPeer.accept(session, options, chosen)


def _agree(request: web.Request, served: tuple[str, ...], answer: list[web.StreamResponse]) -> str:
    """Return the protocol to speak over SPDY, "" where *answer* got the refusal."""
    if not _wants(request, _SPDY):
        text = f"unable to upgrade: missing upgrade headers in request: {dict(request.headers)}\n"
        answer.append(web.Response(status=400, text=text))
        return ""
    offered = request.headers.getall(protocol.STREAM_PROTOCOL_HEADER, [])
    chosen = protocol.negotiate(offered, served)
    if chosen is None:
        refused = web.Response(status=403, text=protocol.refusal(offered, served) + "\n")
        for name in served:
            refused.headers.add(protocol.ACCEPTED_PROTOCOLS_HEADER, name)
        answer.append(refused)
    return chosen or ""


def _upgrade(chosen: str) -> dict[str, str]:
    return {
        "Connection": "Upgrade",
        "Upgrade": "SPDY/3.1",
        protocol.STREAM_PROTOCOL_HEADER: chosen,
    }


def _wants(request: web.Request, what: str) -> bool:
    headers = request.headers
    return (
        "upgrade" in headers.get("Connection", "").lower()
        and headers.get("Upgrade", "").lower() == what
    )


async def _forward_spdy(
    request: web.Request, connect: ports.Connect, about: str, answer: list[web.StreamResponse]
) -> None:
    chosen = _agree(request, (protocol.PORT_FORWARD_PROTOCOL,), answer)
    if chosen:
        async with take_over(request, _upgrade(chosen)) as (reader, writer, response):
            answer.append(response)
            async with Session.running(reader, writer) as session:
                await ports.SpdyForwarder(session, connect, about).run()


async def _forward_websocket(
    request: web.Request, connect: ports.Connect, about: str, answer: list[web.StreamResponse]
) -> None:
    offered = request.headers.get("Sec-WebSocket-Protocol", "")
    if protocol.TUNNEL_PROTOCOL in offered:
        served = web.WebSocketResponse(protocols=(protocol.TUNNEL_PROTOCOL,), compress=False)
        await served.prepare(request)
        answer.append(served)
        tunnel = Tunnel(served)
        async with Session.running(tunnel, tunnel) as session:
            await ports.SpdyForwarder(session, connect, about).run()
        await served.close()
        return
    asked = [port for text in request.query.getall("port", []) for port in text.split(",")]
    numbers = [number(text, ports.LARGEST) or 0 for text in asked]
    if not all(numbers):
        answer.append(web.Response(status=400, text="port must be a number from 1 to 65535\n"))
        return
    if not numbers:
        answer.append(web.Response(status=400, text='query parameter "port" is required\n'))
        return
    served_protocols = protocol.PORT_FORWARD_WEBSOCKET_PROTOCOLS[1:]
    reads = tuple(range(0, 2 * len(numbers), 2))
    async with Channels.open(request, served_protocols, reads) as channels:
        answer.append(channels.socket)
        await ports.forward_channels(channels, numbers, connect, about)


def _refused(exc: Exception) -> web.Response:
    if isinstance(exc, web.HTTPException):
        return web.Response(status=exc.status, text=exc.text)
    return web.Response(status=404 if isinstance(exc, NotFound) else 500, text=str(exc))

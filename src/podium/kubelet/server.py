"""The kubelet's HTTPS door: logs, streams, the list of Pods, health and metrics.

Who may do what is for :mod:`podium.kubelet.auth` to say. Paths are those of upstream's kubelet.
"""

from __future__ import annotations

import errno
from contextlib import ExitStack, aclosing
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from podium.api.codec import encode
from podium.api.types.core_v1 import Pod, PodList
from podium.kit import unsized
from podium.kit.clock import Clock
from podium.kit.server_tls import ServerTls
from podium.kubelet.auth.guard import Guard
from podium.kubelet.file_news import FileNews
from podium.kubelet.log_request import BadLogRequest, choose_run, log_options
from podium.kubelet.logs import LogOptions, read_log
from podium.kubelet.observe import Observer
from podium.kubelet.options import KubeletOptions
from podium.kubelet.pods import PodManager
from podium.kubelet.running_pods import running_pods
from podium.kubelet.stats.door import StatsDoor
from podium.kubelet.streaming.door import StreamingDoor
from podium.runtime.port import (
    ContainerEvent,
    ContainerEventType,
    ContainerState,
    NotFound,
    RuntimeFailure,
    RuntimeService,
)


class KubeletServer:
    """Serves while used as an async context manager; ``port`` is the one it got."""

    def __init__(
        self,
        options: KubeletOptions,
        runtime: RuntimeService,
        pods: PodManager,
        stats: StatsDoor,
        guard: Guard,
        clock: Clock,
    ) -> None:
        self._options, self._runtime, self._pods, self._clock = options, runtime, pods, clock
        self._stats, self._guard = stats, guard
        client_ca = options.config.client_ca_file or options.client_ca_file
        self._tls = ServerTls(options.tls_cert_file, options.tls_key_file, client_ca)
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        application = web.Application(middlewares=[self._guard.middleware()])
        application.router.add_get("/healthz", _healthz)
        application.router.add_get("/pods", self._list_pods)
        for path in ("/runningpods", "/runningpods/"):  # upstream's has the slash
            application.router.add_get(path, self._list_running_pods)
        application.router.add_get("/configz", self._configz)
        self._stats.add_to(application.router)
        application.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._logs)
        StreamingDoor(self._runtime, self._find).add_to(application.router)
        self._runner = web.AppRunner(
            application, access_log=None, handle_signals=False, shutdown_timeout=1.0
        )
        await self._runner.setup()
        await self._listen(self._runner)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def watch_certificates(self) -> None:
        """Take over renewed certificates, and a replaced CA, until cancelled."""
        await self._tls.keep_current(self._clock)

    async def _listen(self, runner: web.AppRunner) -> None:
        """Listen on the configured port, or on a free one where that is taken."""
        for port in (self._options.port, 0):
            site = web.TCPSite(
                runner, self._options.bind_address, port, ssl_context=self._tls.context
            )
            try:
                await site.start()
            except OSError as exc:
                if exc.errno != errno.EADDRINUSE or port == 0:
                    raise
                continue
            break
        self.port = runner.addresses[0][1]

    # -- requests

    async def _list_pods(self, _request: web.Request) -> web.Response:
        items = sorted(self._pods.pods(), key=lambda pod: pod.metadata.name)
        return web.Response(body=encode(PodList(items=items)), content_type="application/json")

    async def _list_running_pods(self, _request: web.Request) -> web.Response:
        try:
            found = await running_pods(self._runtime)
        except RuntimeFailure as exc:
            return web.Response(status=500, text=f"{exc}\n")
        return web.Response(body=encode(found), content_type="application/json")

    async def _configz(self, _request: web.Request) -> web.Response:
        from podium.kubelet.configz import configz  # rarely asked for

        return web.json_response({"kubeletconfig": configz(self._options.config)})

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        namespace, name = request.match_info["namespace"], request.match_info["pod"]
        container = request.match_info["container"]
        pod = self._find(namespace, name)
        if pod is None:
            return web.Response(status=404, text=f'pod "{name}" does not exist\n')
        try:
            options = log_options(request.query, self._clock.now())
            observer = Observer(self._runtime, pod.metadata.uid, self._options.node_ip)
            observed = await observer.observe()
            run = choose_run(pod, observed, container, options.previous)
        except BadLogRequest as exc:
            return web.Response(status=400, text=str(exc))
        except RuntimeFailure as exc:
            return web.Response(status=500, text=str(exc))
        return await self._stream(request, Path(run.log_path), options, run.id)

    def _find(self, namespace: str, name: str) -> Pod | None:
        for pod in self._pods.pods():
            if pod.metadata.namespace == namespace and pod.metadata.name == name:
                return pod
        if not self._pods.told:  # whoever asks for a Pod that is there asks again
            raise web.HTTPServiceUnavailable(text="the node does not know its pods yet\n")
        return None

    async def _stream(
        self, request: web.Request, path: Path, options: LogOptions, container_id: str
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        with ExitStack() as stack:
            run = _Run(container_id)
            try:
                if options.follow:
                    run.news = stack.enter_context(FileNews(path.parent))
                    self._pods.listeners.add(run.hear)
                    stack.callback(self._pods.listeners.discard, run.hear)
                    run.ended = await self._is_over(container_id)
                async with aclosing(read_log(path, options, run.is_over, run.news)) as pieces:
                    await unsized.begin(request, response)
                    async for piece in pieces:
                        await response.write(piece)
            except FileNotFoundError:
                if not response.prepared:
                    return web.Response(status=404, text=f"{path.name}: no such log\n")
            except ConnectionResetError:
                pass  # the client has gone: nobody to tell
            except OSError as exc:
                if response.prepared:
                    raise
                return web.Response(status=500, text=str(exc))
        return response

    async def _is_over(self, container_id: str) -> bool:
        try:
            status = await self._runtime.container_status(container_id)
        except NotFound:
            return True
        return status.state is ContainerState.EXITED


class _Run:
    """The run of a container that somebody follows: told by the runtime's events when it ends."""

    def __init__(self, container_id: str) -> None:
        self._id = container_id
        self.ended = False
        self.news: FileNews | None = None

    def is_over(self) -> bool:
        return self.ended

    def hear(self, event: ContainerEvent) -> None:
        over = (ContainerEventType.STOPPED, ContainerEventType.DELETED)
        if event.container_id == self._id and event.type in over and self.news is not None:
            self.ended = True
            self.news.poke()


async def _healthz(_request: web.Request) -> web.Response:
    return web.Response(text="ok")

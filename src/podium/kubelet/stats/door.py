"""The paths below which the kubelet tells what is used."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from podium.kubelet.probing.counts import ProbeCounts
from podium.kubelet.stats.reader import StatsReader
from podium.kubelet.stats.readings import Reading
from podium.runtime.port import RuntimeFailure, RuntimeService

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class StatsDoor:
    def __init__(self, reader: StatsReader, probes: ProbeCounts, runtime: RuntimeService) -> None:
        self._reader, self._probe_counts, self._runtime = reader, probes, runtime

    def add_to(self, router: web.UrlDispatcher) -> None:
        router.add_get("/stats/summary", self._summary)
        router.add_get("/metrics", self._metrics)
        router.add_get("/metrics/resource", self._resource)
        router.add_get("/metrics/cadvisor", self._cadvisor)
        router.add_get("/metrics/probes", self._probes)

    async def _summary(self, request: web.Request) -> web.Response:
        from podium.kubelet.stats.summary import summary  # where nobody asks, nothing is loaded

        only = request.query.get("only_cpu_and_memory", "").lower() in ("1", "t", "true")
        try:
            reading = await self._reader.read(disks=not only)
        except (RuntimeFailure, OSError) as exc:
            return web.Response(status=500, text=f"failed to get stats: {exc}\n")
        return web.json_response(summary(reading, only_cpu_and_memory=only))

    async def _metrics(self, _request: web.Request) -> web.Response:
        from podium.kubelet.stats.metrics import metrics

        return await _answer_with(metrics(self._runtime))

    async def _resource(self, _request: web.Request) -> web.Response:
        from podium.kubelet.stats import prometheus

        return await _answer_with(self._told(prometheus.resource, disks=False))

    async def _cadvisor(self, _request: web.Request) -> web.Response:
        from podium.kubelet.stats.cadvisor import cadvisor

        details = self._reader.details
        told = self._told(lambda reading: cadvisor(reading, details), disks=True)
        return await _answer_with(told)

    async def _probes(self, _request: web.Request) -> web.Response:
        from podium.kubelet.stats.probes import probes

        return _answer(probes(self._probe_counts.taken()))

    async def _told(self, tell: Callable[[Reading], str], *, disks: bool) -> str:
        return tell(await self._reader.read(disks=disks))


async def _answer_with(text: Awaitable[str]) -> web.Response:
    try:
        return _answer(await text)
    except (RuntimeFailure, OSError) as exc:
        return web.Response(status=500, text=f"failed to get stats: {exc}\n")


def _answer(text: str) -> web.Response:
    return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})

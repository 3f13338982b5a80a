"""The paths below which the kubelet tells what is used."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from podium.kubelet.probing.counts import ProbeCounts
from podium.kubelet.stats.reader import StatsReader
from podium.kubelet.stats.readings import Reading
from podium.runtime.port import RuntimeFailure

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class StatsDoor:
    def __init__(self, reader: StatsReader, probes: ProbeCounts) -> None:
        self._reader, self._probe_counts = reader, probes

    def add_to(self, router: web.UrlDispatcher) -> None:
        router.add_get("/stats/summary", self._summary)
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

    async def _resource(self, _request: web.Request) -> web.Response:
        from podium.kubelet.stats import prometheus

        return await self._metrics(prometheus.resource, disks=False)

    async def _cadvisor(self, _request: web.Request) -> web.Response:
        from podium.kubelet.stats.cadvisor import cadvisor

        details = self._reader.details
        return await self._metrics(lambda reading: cadvisor(reading, details), disks=True)

    async def _probes(self, _request: web.Request) -> web.Response:
        from podium.kubelet.stats.probes import probes

        return _answer(probes(self._probe_counts.taken()))

    async def _metrics(self, told: Callable[[Reading], str], *, disks: bool) -> web.Response:
        try:
            return _answer(told(await self._reader.read(disks=disks)))
        except (RuntimeFailure, OSError) as exc:
            return web.Response(status=500, text=f"failed to get stats: {exc}\n")


def _answer(text: str) -> web.Response:
    return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})

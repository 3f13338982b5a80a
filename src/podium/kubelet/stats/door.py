"""The paths below which the kubelet tells what is used."""

from __future__ import annotations

from aiohttp import web

from podium.kubelet.stats.reader import StatsReader
from podium.runtime.port import RuntimeFailure


class StatsDoor:
    def __init__(self, reader: StatsReader) -> None:
        self._reader = reader

    def add_to(self, router: web.UrlDispatcher) -> None:
        router.add_get("/stats/summary", self._summary)
        router.add_get("/metrics/resource", self._resource)

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

        try:
            reading = await self._reader.read(disks=False)
        except (RuntimeFailure, OSError) as exc:
            return web.Response(status=500, text=f"failed to get stats: {exc}\n")
        headers = {"Content-Type": prometheus.CONTENT_TYPE}
        return web.Response(body=prometheus.resource(reading).encode(), headers=headers)

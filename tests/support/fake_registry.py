"""A registry that misbehaves on demand, in the test's own event loop."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from support.images import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    TestImage,
    descriptor,
    digest,
)

Intercept = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


@dataclass
class FakeRegistry:
    """Serves what is in ``blobs`` and ``manifests``; ``intercept`` may answer first.

    ``requests`` holds what came: method, path with query, headers.
    """

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[bytes, str]] = field(default_factory=dict)  # "repository:reference"
    intercept: Intercept | None = None
    tells_digest: bool = True
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    host: str = ""

    def add(self, repository: str, tag: str, image: TestImage) -> str:
        """Publish *image*; return its manifest's digest."""
        layers = [gzip.compress(data, 1, mtime=0) for data in image.layers]
        for blob in (*layers, image.config_bytes):
            self.blobs[digest(blob)] = blob
        return self.add_manifest(
            repository,
            tag,
            {
                "schemaVersion": 2,
                "mediaType": DOCKER_MANIFEST,
                "config": descriptor(image.config_bytes, DOCKER_CONFIG),
                "layers": [descriptor(blob, DOCKER_LAYER) for blob in layers],
            },
        )

    def add_manifest(self, repository: str, tag: str, document: dict[str, Any]) -> str:
        content = json.dumps(document).encode()
        entry = (content, document.get("mediaType", DOCKER_MANIFEST))
        for reference in (tag, digest(content)):
            self.manifests[f"{repository}:{reference}"] = entry
        return digest(content)

    def count(self, method: str, part: str) -> int:
        return sum(1 for m, path, _ in self.requests if m == method and part in path)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path_qs, dict(request.headers)))
        if self.intercept is not None:
            answer = await self.intercept(request)
            if answer is not None:
                return answer
        parts = request.path.removeprefix("/v2/").rsplit("/", 2)
        if len(parts) != 3:
            return web.Response(status=404)
        repository, kind, wanted = parts
        if kind == "blobs":
            return self._blob(request, wanted)
        content, media_type = self.manifests.get(f"{repository}:{wanted}", (b"", ""))
        if not content:
            return web.Response(status=404)
        headers = {"Docker-Distribution-Api-Version": "registry/2.0"}
        if self.tells_digest:
            headers["Docker-Content-Digest"] = digest(content)
        return web.Response(body=content, content_type=media_type, headers=headers)

    def _blob(self, request: web.Request, wanted: str) -> web.Response:
        content = self.blobs.get(wanted)
        if content is None:
            return web.Response(status=404)
        start = request.http_range.start
        if not start:
            return web.Response(body=content)
        headers = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
        return web.Response(status=206, body=content[start:], headers=headers)


@asynccontextmanager
async def serving(
    registry: FakeRegistry, tls: ssl.SSLContext | None = None
) -> AsyncIterator[FakeRegistry]:
    """Serve *registry* on a free loopback port, put into its ``host``."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", registry.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    registry.host = f"127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield registry
    finally:
        await runner.cleanup()


async def break_off(
    request: web.Request, content: bytes, after: int, *, start: int = 0
) -> web.StreamResponse:
    """Announce all of *content*, send *after* bytes of it and drop the connection.

    It is what follows the first *start* bytes of a blob.
    """
    headers = {"Content-Length": str(len(content))}
    if start:
        whole = start + len(content)
        headers["Content-Range"] = f"bytes {start}-{whole - 1}/{whole}"
    response = web.StreamResponse(status=206 if start else 200, headers=headers)
    await response.prepare(request)
    await response.write(content[:after])
    await asyncio.sleep(0)
    assert request.transport is not None
    request.transport.close()
    return response

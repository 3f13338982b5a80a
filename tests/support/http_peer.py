"""A peer for the client that says what a test tells it to, over real HTTP on loopback."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Peer:
    """Answers with what is in :attr:`handler`; keeps what it was asked."""

    def __init__(self) -> None:
        self.handler: Handler = refuse
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.server = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.requests.append((request.method, request.path, dict(request.query)))
        self.headers.append(dict(request.headers))
        self.bodies.append(json.loads(body) if body else None)
        return await self.handler(request)


async def refuse(request: web.Request) -> web.StreamResponse:
    return web.Response(status=500, text="no handler")


@asynccontextmanager
async def serving(context: ssl.SSLContext | None = None):
    peer = Peer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", peer.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    port = runner.addresses[0][1]
    peer.server = f"{'https' if context else 'http'}://127.0.0.1:{port}"
    try:
        yield peer
    finally:
        await runner.cleanup()


#: The bookmark behind what there is.
SYNCED = {
    "kind": "ConfigMap",
    "metadata": {"resourceVersion": "5", "annotations": {"k8s.io/initial-events-end": "true"}},
}


class WatchFeed:
    """Watches, one after the other, each fed by the test line by line. Who asks for what there is
    gets *initial* first."""

    def __init__(self, *initial: tuple[str, dict[str, Any]]) -> None:
        self._initial = initial
        self.opened: asyncio.Queue[OpenWatch] = asyncio.Queue()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        watch = OpenWatch(dict(request.query), response)
        for type_, obj in self._initial if "sendInitialEvents" in request.query else ():
            await watch.send(type_, obj)
        self.opened.put_nowait(watch)
        await watch.ended.wait()
        return response

    async def next(self) -> OpenWatch:
        return await asyncio.wait_for(self.opened.get(), 60)


class OpenWatch:
    def __init__(self, query: dict[str, str], response: web.StreamResponse) -> None:
        self.query, self._response = query, response
        self.ended = asyncio.Event()

    async def send(self, type_: str, obj: dict[str, Any]) -> None:
        await self.send_bytes(json.dumps({"type": type_, "object": obj}).encode() + b"\n")

    async def send_bytes(self, data: bytes) -> None:
        await self._response.write(data)

    def end(self) -> None:
        self.ended.set()


def status(code: int, reason: str, message: str = "no") -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }


def config_map(name: str, version: int, uid: str = "u") -> dict[str, Any]:
    return {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {
            "name": name,
            "namespace": "ns",
            "uid": f"{name}-{uid}",
            "resourceVersion": str(version),
        },
    }


def config_map_list(version: int, *items: dict[str, Any]) -> web.Response:
    return web.json_response(
        {
            "kind": "ConfigMapList",
            "apiVersion": "v1",
            "metadata": {"resourceVersion": str(version)},
            "items": list(items),
        }
    )


async def until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    """Let the loop run until *condition* holds; fail after *seconds*."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.001)


async def eventually(
    ask: Callable[[], Awaitable[Any]], expected: Any, *, seconds: float = 60
) -> None:
    """Ask until the answer is *expected*; after *seconds* fail with the last answer."""
    deadline = asyncio.get_running_loop().time() + seconds
    while (answer := await ask()) != expected:
        assert asyncio.get_running_loop().time() < deadline, f"{answer!r} is not {expected!r}"
        await asyncio.sleep(0.005)


@asynccontextmanager
async def running(forever: Coroutine[Any, Any, None]):
    """Have *forever* run beside the body; what it fails with, the body's end fails with.

    Unlike a TaskGroup this may be entered and left by different tasks, as fixtures are.
    """
    task = asyncio.ensure_future(forever)
    try:
        yield task
    finally:
        task.cancel()
        (result,) = await asyncio.gather(task, return_exceptions=True)
    if not isinstance(result, asyncio.CancelledError):
        raise result or AssertionError("it ended by itself")

"""The processes that ``api.py`` puts under load, each started as

    python bench/api_servers.py {apiserver,http,bare,store} DIRECTORY

``apiserver`` is Podium's, alone; the others are its floors. They print a line when they are ready:
the port, or nothing. ``http`` is a handler of aiohttp's, ``bare`` does without a library for HTTP.
The store takes lines of ``VERB COUNT AT-ONCE`` on standard input and answers each with the seconds
that it took and every write's.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from podium.apiserver.options import ApiServerOptions
from podium.apiserver.server import serving
from podium.kit.aio import run
from podium.store.sqlite import SqliteStore

_PIECE = 1 << 20
_COMMITTED = "/committed/"
_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-cache, private"}


async def apiserver(directory: Path) -> None:
    pki = directory / "pki"
    options = ApiServerOptions(
        data_dir=directory,
        port=0,
        tls_cert_file=pki / "server.crt",
        tls_key_file=pki / "server.key",
        client_ca_file=pki / "ca.crt",
        service_account_key_file=pki / "service-account.key",
    )
    async with serving(options) as running:
        await running.settled.wait()
        print(running.port, flush=True)
        await asyncio.get_running_loop().create_future()


class Http:
    """aiohttp's least: it returns the bytes of the file that the path names, in pieces where they
    are many, and reads what body there is. Those who ``GET /watch`` are sent the bytes of every
    answer to a ``POST``. What is put to ``/committed/`` is in *own* before the answer.
    """

    def __init__(self, directory: Path, own: Committed) -> None:
        self._directory, self._own = directory, own
        self._bytes: dict[str, bytes] = {}
        self._watchers: set[asyncio.Queue[bytes]] = set()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if path == "/watch":
            return await self._watch(request)
        if request.method != "GET":
            await request.read()
        data = self._bytes.get(path)
        if data is None:
            file = self._directory / path.removeprefix(_COMMITTED).removeprefix("/")
            data = self._bytes[path] = file.read_bytes()
        if path.startswith(_COMMITTED):
            await self._own.add(data)
        elif request.method == "POST":
            for watcher in self._watchers:
                watcher.put_nowait(data)
        if len(data) <= _PIECE:
            return web.Response(body=data, headers=_HEADERS)
        response = web.StreamResponse(headers=_HEADERS)
        response.content_length = len(data)
        await response.prepare(request)
        view = memoryview(data)
        for start in range(0, len(data), _PIECE):
            await response.write(view[start : start + _PIECE])
        return response

    async def _watch(self, request: web.BaseRequest) -> web.StreamResponse:
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._watchers.add(queue)
        response = web.StreamResponse(headers=_HEADERS)
        response.enable_chunked_encoding()
        await response.prepare(request)
        try:
            while True:
                ready = [await queue.get()]
                while not queue.empty():
                    ready.append(queue.get_nowait())
                await response.write(b"".join(ready))
        finally:
            self._watchers.discard(queue)


class Bare(asyncio.Protocol):
    """No less can be done: the length of a request's body is found, *data* committed, and sent."""

    def __init__(self, data: bytes, own: Committed, tasks: asyncio.TaskGroup) -> None:
        self._data, self._own, self._tasks = data, own, tasks
        self._come = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # uvloop's own

    def data_received(self, data: bytes) -> None:
        self._come += data
        head, found, body = self._come.partition(b"\r\n\r\n")
        at = head.find(b"Content-Length:") + 15
        if found and len(body) == int(head[at:].split(b"\r\n", 1)[0]):
            self._come = b""
            self._tasks.create_task(self._answer())

    async def _answer(self) -> None:
        await self._own.add(self._data)
        head = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n" % len(self._data)
        self._transport.write(head + self._data)


async def http(directory: Path) -> None:
    handler = Http(directory, Committed(directory / "http.db"))
    await _serve(directory, web.Server(handler.handle, access_log=None, handler_cancellation=True))


async def bare(directory: Path) -> None:
    data, own = (directory / "value").read_bytes(), Committed(directory / "bare.db")
    async with asyncio.TaskGroup() as tasks:
        await _serve(directory, lambda: Bare(data, own, tasks))


async def _serve(directory: Path, protocols: Callable[[], asyncio.BaseProtocol]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "pki/server.crt", directory / "pki/server.key")
    server = await asyncio.get_running_loop().create_server(
        protocols, "127.0.0.1", 0, ssl=context, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Committed:
    """A store of its own, that bytes are put into under one key after the other."""

    def __init__(self, path: Path) -> None:
        self._store = SqliteStore.open(path)
        self._numbers = itertools.count()

    async def add(self, value: bytes) -> None:
        await self._store.create(_key(next(self._numbers)), value)


async def store(directory: Path) -> None:
    """Create, or replace what was created, ``AT-ONCE`` at a time."""
    own = SqliteStore.open(directory / "floor.db")
    revisions: dict[int, int] = {}
    value = (directory / "value").read_bytes()
    loop = asyncio.get_running_loop()
    print(flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        verb, count, at_once = line.split()[0], *map(int, line.split()[1:])
        begin = len(revisions)

        async def create(number: int) -> None:
            number += begin  # noqa: B023 - it is done before the next turn
            revisions[number] = (await own.create(_key(number), value)).revision

        async def update(number: int) -> None:
            number %= begin  # noqa: B023
            written = await own.update(_key(number), value, revisions[number])
            revisions[number] = written.revision

        verbs = {"create": create, "update": update}
        elapsed, each = await _at_once(verbs[verb], count, at_once)
        print(json.dumps([elapsed, each]), flush=True)
    await own.close()


def _key(number: int) -> str:
    return f"/registry/pods/floor/pod-{number:07}"


async def _at_once(
    write: Callable[[int], Awaitable[None]], count: int, at_once: int
) -> tuple[float, list[float]]:
    numbers = iter(range(count))
    each: list[float] = []

    async def writer() -> None:
        for number in numbers:
            start = time.perf_counter()
            await write(number)
            each.append(time.perf_counter() - start)

    begin = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(at_once):
            tasks.create_task(writer())
    return time.perf_counter() - begin, each


if __name__ == "__main__":
    servers = {"apiserver": apiserver, "http": http, "bare": bare, "store": store}
    sys.exit(run(servers[sys.argv[1]](Path(sys.argv[2]))))

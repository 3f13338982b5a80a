"""The server of ``kubectl proxy``: requests to the API as the user, and files of a directory."""

from __future__ import annotations

import asyncio
import contextlib
import html
import os
import posixpath
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import aiohttp
from aiohttp import hdrs, web
from multidict import CIMultiDict
from yarl import URL

from podium.kit import passing, unsized
from podium.kit.passing import NotReached, Target
from podium.kubectl import sockets
from podium.kubectl.http import Http

#: Headers that are about one connection (RFC 9110, 7.6.1).
_HOP_BY_HOP = frozenset(
    "connection keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding "
    "upgrade proxy-connection".split()
)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which requests may pass."""

    accept_paths: Sequence[re.Pattern[str]]
    reject_paths: Sequence[re.Pattern[str]]
    accept_hosts: Sequence[re.Pattern[str]]
    reject_methods: Sequence[re.Pattern[str]]

    def accepts(self, method: str, path: str, host: str) -> bool:
        if _matches(self.reject_paths, path) or _matches(self.reject_methods, method):
            return False
        return _matches(self.accept_paths, path) and _matches(self.accept_hosts, host)


def _matches(patterns: Sequence[re.Pattern[str]], text: str) -> bool:
    return any(pattern.search(text) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class Site:
    """What is served where: the API below *api_prefix*, files of *www* below *www_prefix*; both
    prefixes end in a slash. Without *www* there are no files, without *filter* all may pass."""

    api_prefix: str
    www: str
    www_prefix: str
    filter: Filter | None
    append_server_path: bool


class Proxy:
    """Answers requests; *session* is a way to the API server."""

    def __init__(self, http: Http, session: aiohttp.ClientSession, site: Site) -> None:
        self._http, self._session, self._site = http, session, site

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, site = request.path, self._site
        cleaned = posixpath.normpath(path).replace("//", "/")
        cleaned += "/" if path.endswith("/") and cleaned != "/" else ""
        prefixes = (site.api_prefix, *([site.www_prefix] if site.www else []))
        if cleaned != path or f"{path}/" in prefixes:
            return _moved(cleaned if cleaned != path else f"{path}/", request.query_string)
        if site.www and path.startswith(site.www_prefix) and (
            len(site.www_prefix) >= len(site.api_prefix) or not path.startswith(site.api_prefix)
        ):  # fmt: skip
            return _file(Path(site.www), path.removeprefix(site.www_prefix))
        if not path.startswith(site.api_prefix):
            return _text(404, "404 page not found")
        raw = request.rel_url.raw_path
        if not site.api_prefix.startswith("/api"):
            length = len(quote(site.api_prefix))
            path, raw = f"/{path[len(site.api_prefix) :]}", f"/{raw[length:]}"
        host = request.host.rpartition(":")[0] if _has_port(request.host) else request.host
        if site.filter is not None and not site.filter.accepts(request.method, path, host):
            return _text(403, "Forbidden")
        return await self._forward(request, raw)

    async def _forward(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        server = self._http.server
        if self._site.append_server_path:
            path = server.path.rstrip("/") + path
        query = request.rel_url.raw_query_string
        path = f"{path}?{query}" if query else path
        if passing.wanted(request):
            return await self._upgrade(request, path)
        headers = _kept(request.headers)
        headers.pop(hdrs.HOST, None)
        url = URL(f"{server.scheme}://{self._http.authority}{path}", encoded=True)
        try:
            async with self._session.request(
                request.method, url, headers=headers, allow_redirects=False,
                data=request.content if request.can_read_body else None,
                timeout=sockets.ENDLESS, server_hostname=self._http.server_name,
                skip_auto_headers=(hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.CONTENT_TYPE),
            ) as answer:  # fmt: skip
                return await _answer(request, answer)
        except aiohttp.ClientError as exc:
            return _text(500, str(exc))

    async def _upgrade(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        server = self._http.server
        tls = self._http.tls() if server.scheme == "https" else None
        target = Target(server.host, server.port, path, tls)
        headers = CIMultiDict(request.headers)
        headers[hdrs.HOST] = target.authority
        for name, value in self._http.identity():
            headers.add(name, value)
        try:
            return await passing.pass_on(request, target, headers)
        except NotReached as exc:
            return _text(500, str(exc))


def _has_port(host: str) -> bool:
    return bool(re.search(r"[^:]:\d+\Z|\]:\d+\Z", host))


def _kept(headers: Mapping[str, str]) -> CIMultiDict[str]:
    return CIMultiDict(
        (name, value) for name, value in headers.items() if name.lower() not in _HOP_BY_HOP
    )


async def _answer(request: web.BaseRequest, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    response = web.StreamResponse(
        status=answer.status, reason=answer.reason, headers=_kept(answer.headers)
    )
    await unsized.begin(request, response)
    try:
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
    except aiohttp.ClientError:
        response.force_close()
        if request.transport is not None:
            request.transport.abort()  # without an end, so that nobody takes this for all
    return response


def _text(status: int, text: str) -> web.Response:
    headers = {"X-Content-Type-Options": "nosniff"}
    return web.Response(status=status, text=f"{text}\n", headers=headers)


def _moved(location: str, query: str) -> web.Response:
    location += f"?{query}" if query else ""
    text = f'<a href="{html.escape(location)}">Temporary Redirect</a>.\n\n'
    headers = {hdrs.LOCATION: location}
    return web.Response(status=307, text=text, content_type="text/html", headers=headers)


# -- files


def _file(base: Path, path: str) -> web.StreamResponse:
    """Answer with a file; *path* has no way up."""
    found = base / path
    if path.endswith("/index.html") or path == "index.html":
        return web.Response(status=301, headers={hdrs.LOCATION: "./"})
    if found.is_dir():
        if path and not path.endswith("/"):
            return web.Response(status=301, headers={hdrs.LOCATION: f"{found.name}/"})
        if not (found / "index.html").is_file():
            return _listing(found)
        found /= "index.html"
    elif path.endswith("/"):
        return _text(404, "404 page not found")
    if not found.is_file():
        return _text(404, "404 page not found")
    if found.suffix:
        return web.FileResponse(found)
    with found.open("rb") as file:
        kind = _sniffed(file.read(512))
    return web.FileResponse(found, headers={hdrs.CONTENT_TYPE: kind})


def _sniffed(beginning: bytes) -> str:
    if any(byte < 9 or 13 < byte < 27 for byte in beginning):
        return "application/octet-stream"
    return "text/plain; charset=utf-8"


def _listing(directory: Path) -> web.Response:
    names = sorted(f"{entry.name}/" if entry.is_dir() else entry.name
                   for entry in os.scandir(directory))  # fmt: skip
    lines = [f'<a href="{html.escape(quote(name))}">{html.escape(name)}</a>' for name in names]
    text = "\n".join(
        ["<!doctype html>", '<meta name="viewport" content="width=device-width">', "<pre>",
         *lines, "</pre>", ""]
    )  # fmt: skip
    return web.Response(text=text, content_type="text/html")


# -- serving


def run_until_interrupted(http: Http, site: Site, listening: socket.socket) -> None:
    """Serve on *listening* until the user ends it."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(http, site, listening))


async def _serve(http: Http, site: Site, listening: socket.socket) -> None:
    async with sockets.client(http, raw=True) as session:
        runner = web.ServerRunner(
            web.Server(Proxy(http, session, site).handle, access_log=None), handle_signals=False
        )
        await runner.setup()
        try:
            await web.SockSite(runner, listening).start()
            await asyncio.get_running_loop().create_future()
        finally:
            await runner.cleanup()

"""One request passed on, and its answer passed back as it comes.

Neither is held in memory: who reads slowly is sent slowly. Follows ``UpgradeAwareHandler``.
"""

from __future__ import annotations

import ssl
import zlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import msgspec
from aiohttp.web import StreamResponse

from podium.api.errors import internal
from podium.apiserver import upgrade
from podium.apiserver.call import Call
from podium.apiserver.proxy import headers
from podium.apiserver.proxy.backends import CONNECT_TIMEOUT, check_port, unreachable, usual_port
from podium.apiserver.proxy.headers import Place
from podium.apiserver.proxy.html import LinkRewriter
from podium.apiserver.proxy.locations import Location
from podium.kit import unsized

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

_AUTO = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


class Backend(msgspec.Struct, frozen=True):
    """Where requests go, and as whom: *tls* says it to those who speak it."""

    location: Location
    session: ClientSession
    tls: ssl.SSLContext | None


async def forward(call: Call, backend: Backend) -> StreamResponse:
    """Answer *call* by what *backend* answers. Raises ApiError (503) where nothing does."""
    where = headers.place(call.info.path, call.info.rest)
    query = call.request.raw_path.partition("?")[2]
    if upgrade.wanted(call.request):
        return await _upgrade(call, backend, where, query)
    if not where.path and call.request.method in ("GET", "HEAD"):
        return _to_root(call, query)
    check_port(backend.location)
    async with call.services.streams.ending():
        upstream = await _ask(call, backend, where, query)
        try:
            return await _answer(call, backend.location, where, upstream)
        finally:
            upstream.close()
    return _cut_off(call, StreamResponse())


async def _upgrade(call: Call, backend: Backend, where: Place, query: str) -> StreamResponse:
    location, request = backend.location, call.request
    check_port(location)
    target = upgrade.Target(
        location.host,
        int(location.port or usual_port(location)),
        (headers.encoded(where.path) or "/") + (f"?{query}" if query else ""),
        backend.tls,
    )
    passed = headers.for_upgrade(request.headers.items(), request.remote or "")
    async with call.services.streams.ending():
        return await upgrade.pass_on(request, target, passed)
    return _cut_off(call, StreamResponse())


def _to_root(call: Call, query: str) -> StreamResponse:
    """Links that the backend has at its root are relative to a path that ends in a slash."""
    target = headers.encoded(call.info.path) + "/" + (f"?{query}" if query else "")
    return StreamResponse(status=301, headers={"Location": target, "Content-Length": "0"})


async def _ask(call: Call, backend: Backend, where: Place, query: str) -> ClientResponse:
    from aiohttp import ClientError, ClientTimeout
    from yarl import URL

    request, location = call.request, backend.location
    url = f"{location.scheme}://{location.authority}{headers.encoded(where.path)}"
    try:
        return await backend.session.request(
            request.method,
            URL(f"{url}?{query}" if query else url, encoded=True),
            headers=headers.for_backend(request.headers.items(), request.remote or "", where),
            skip_auto_headers=_AUTO,
            data=_body(call) if request.body_exists else None,
            allow_redirects=False,
            timeout=ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
            ssl=backend.tls or True,
        )
    except (ClientError, TimeoutError, OSError) as error:
        raise unreachable(location, error) from error


async def _body(call: Call) -> AsyncIterator[bytes]:
    request = call.request
    if request.headers.get("Expect", "").lower() == "100-continue" and request.transport:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    async for piece in request.content.iter_any():
        yield piece


async def _answer(
    call: Call, location: Location, where: Place, upstream: ClientResponse
) -> StreamResponse:
    from aiohttp import ClientError

    passed = headers.for_client(upstream.headers.items())
    asked = call.request.headers.get("Host", "")
    if "Location" in passed:
        try:
            link = headers.rewritten(passed["Location"], where, location.authority, asked)
        except ValueError as error:
            raise internal(f"error trying to parse Location header: {error}") from error
        passed["Location"] = link
    rewriter = _rewriter(call, location, where, upstream, asked)
    if rewriter is not None:
        passed.popall("Content-Length", None)
    passed.setdefault("Cache-Control", "no-cache, private")
    response = StreamResponse(status=upstream.status, reason=upstream.reason, headers=passed)
    await unsized.begin(call.request, response)
    try:
        async for piece in upstream.content.iter_any():
            for part in rewriter.feed(piece) if rewriter else (piece,):
                await response.write(part)
        for part in rewriter.close() if rewriter else ():
            await response.write(part)
    except (ClientError, TimeoutError, zlib.error):
        return _cut_off(call, response)
    return response


def _rewriter(
    call: Call, location: Location, where: Place, upstream: ClientResponse, asked: str
) -> LinkRewriter | None:
    """Return what makes the links of a page lead through us, None where there is no page."""
    if call.request.method == "HEAD" or upstream.content_type != "text/html":
        return None
    encoding = upstream.headers.get("Content-Encoding", "").lower()
    if encoding not in ("", "identity", "gzip", "deflate"):
        return None

    def rewrite(link: str) -> str:
        try:
            return headers.rewritten(link, where, location.authority, asked)
        except ValueError:
            return link

    return LinkRewriter(rewrite, encoding)


def _cut_off(call: Call, response: StreamResponse) -> StreamResponse:
    """The backend went away in mid-answer: closing without an end tells the client."""
    response.force_close()
    if call.request.transport is not None:
        call.request.transport.abort()
    return response

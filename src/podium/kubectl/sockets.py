"""A way to the API server for ``kubectl proxy``, which is a server itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from multidict import CIMultiDict

from podium.kubectl.http import USER_AGENT, Http

#: A watch, and whatever else is followed, may take any time.
ENDLESS = aiohttp.ClientTimeout(total=None)


@asynccontextmanager
async def client(http: Http, *, raw: bool = False) -> AsyncIterator[aiohttp.ClientSession]:
    """Yield a way to *http*'s server, as the same user; *raw*: bodies come as they are sent."""
    tls = http.tls() if http.server.scheme == "https" else False
    headers = CIMultiDict([("User-Agent", USER_AGENT), *http.identity()])
    connector = aiohttp.TCPConnector(ssl=tls, limit=0)
    async with aiohttp.ClientSession(
        connector=connector, headers=headers, proxy=http.proxy, auto_decompress=not raw
    ) as session:
        yield session

"""Streams from the kubelets' HTTPS doors to the clients of the API.

Follows ``k8s.io/kubernetes/pkg/kubelet/client`` (where a node is found) and
``k8s.io/apiserver/pkg/registry/generic/rest`` (how its answers are passed on).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from podium.api.errors import failure, internal
from podium.api.types.core_v1 import Node
from podium.apiserver.tls import FileVersions

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

    from podium.apiserver.options import ApiServerOptions

#: Which of a node's addresses is tried first, as upstream's --kubelet-preferred-address-types.
PREFERRED = ("InternalIP", "ExternalIP", "Hostname", "InternalDNS", "ExternalDNS")
DEFAULT_PORT = 10250
#: Seconds to reach a kubelet; what it then sends may take any time.
CONNECT_TIMEOUT = 10.0


class Door(msgspec.Struct, frozen=True):
    """Where a kubelet listens."""

    host: str
    port: int

    def url(self, path: str) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}:{self.port}{path}"


def door(node: Node) -> Door:
    """Return where *node*'s kubelet listens. Raises ApiError (500) when it has no address."""
    addresses: dict[str, str] = {}
    for address in node.status.addresses:
        addresses.setdefault(address.type, address.address)
    for kind in PREFERRED:
        if kind in addresses:
            endpoints = node.status.daemon_endpoints
            endpoint = endpoints.kubelet_endpoint if endpoints else None
            return Door(addresses[kind], (endpoint.port if endpoint else 0) or DEFAULT_PORT)
    raise internal(f"no preferred addresses found; known addresses: {list(addresses.values())}")


class NodeProxy:
    """Requests to kubelets, with the server's client certificate; one session for all of them."""

    def __init__(self, options: ApiServerOptions) -> None:
        self._options = options
        self._session: ClientSession | None = None
        self._opening = asyncio.Lock()
        self._tls: ssl.SSLContext | None = None
        self._anonymous: ClientSession | None = None
        self._versions: FileVersions | None = None

    @asynccontextmanager
    async def open(
        self, node: Node, path: str, query: Mapping[str, str]
    ) -> AsyncIterator[ClientResponse]:
        """Send a GET to *node* and yield its answer, headers read, body not.

        Raises ApiError (500) when the node cannot be reached.
        """
        from aiohttp import ClientConnectionError, ClientTimeout

        url = door(node).url(path)
        session = await self.session()
        timeout = ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT)
        try:
            response = await session.get(url, params=query, timeout=timeout)
        except (ClientConnectionError, TimeoutError) as error:
            raise failure(500, "InternalError", f'Get "{url}": {error}') from error
        try:
            yield response
        finally:
            response.close()

    async def reach(self, node: Node) -> tuple[str, int, ssl.SSLContext]:
        """Return host, port and TLS of *node*'s kubelet. Raises ApiError (500)."""
        found = door(node)
        await self.session()
        assert self._tls is not None, "a session has a context"
        return found.host, found.port, self._tls

    async def close(self) -> None:
        await self._close_session()
        if self._anonymous is not None:
            await self._anonymous.close()
            self._anonymous = None

    async def _close_session(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def anonymous_session(self) -> ClientSession:
        """The session for all else that is proxied to: it shows nobody who we are."""
        from podium.apiserver.proxy.backends import anonymous_session

        if self._anonymous is None:
            self._anonymous = anonymous_session()
        return self._anonymous

    async def session(self) -> ClientSession:
        """The session, opened anew when the certificates have changed."""
        from aiohttp import ClientSession, TCPConnector

        async with self._opening:  # who comes meanwhile gets the same one
            if self._session is None or (self._versions and self._versions.changed()):
                await self._close_session()
                context = self._tls = await asyncio.to_thread(self._context)
                self._session = ClientSession(
                    connector=TCPConnector(ssl=context, limit=0), auto_decompress=False
                )
            return self._session

    def _context(self) -> ssl.SSLContext:
        options = self._options
        ca_file = options.kubelet_ca_file or options.client_ca_file
        context = ssl.create_default_context(cafile=str(ca_file))
        files = [ca_file]
        if options.kubelet_client_cert_file and options.kubelet_client_key_file:
            pair = (options.kubelet_client_cert_file, options.kubelet_client_key_file)
            context.load_cert_chain(*pair)
            files += pair
        self._versions = FileVersions(files)
        return context

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
from podium.kit.server_tls import FileVersions

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
        session, tls = await self.connections()
        timeout = ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT)
        try:
            response = await session.get(url, params=query, timeout=timeout, ssl=tls)
        except (ClientConnectionError, TimeoutError) as error:
            raise failure(500, "InternalError", f'Get "{url}": {error}') from error
        try:
            yield response
        finally:
            response.close()

    async def aclose(self) -> None:
        for session in (self._session, self._anonymous):
            if session is not None:
                await session.close()
        self._session = self._anonymous = None

    def anonymous_session(self) -> ClientSession:
        """The session for all else that is proxied to: it shows nobody who we are."""
        from podium.apiserver.proxy.backends import anonymous_session

        if self._anonymous is None:
            self._anonymous = anonymous_session()
        return self._anonymous

    async def connections(self) -> tuple[ClientSession, ssl.SSLContext]:
        """Return what requests to kubelets are sent with, as the certificates are now.

        Connections are not shared between certificates; those under way stay when these change.
        Raises ApiError (500) while they cannot be read.
        """
        from aiohttp import ClientSession, TCPConnector

        async with self._opening:  # who comes meanwhile gets the same
            try:
                if self._versions is not None and self._versions.changed():
                    self._tls = None  # for good: the new ones may not be all there yet
                if self._tls is None:
                    self._tls = await asyncio.to_thread(self._context)
            except OSError as error:  # of ssl, too
                raise internal(f"reading the certificates for kubelets: {error}") from error
            if self._session is None:
                self._session = ClientSession(
                    connector=TCPConnector(limit=0), auto_decompress=False
                )
            return self._session, self._tls

    def _context(self) -> ssl.SSLContext:
        options = self._options
        ca_file = options.kubelet_ca_file or options.client_ca_file
        cert, key = options.kubelet_client_cert_file, options.kubelet_client_key_file
        pair = (cert, key) if cert and key else None
        self._versions = FileVersions((ca_file, *(pair or ())))  # before they are read
        context = ssl.create_default_context(cafile=str(ca_file))
        if pair is not None:
            context.load_cert_chain(*pair)
        return context

"""A real API server on loopback, in the test's own event loop, with a store on disk.

async with running_apiserver(tmp_path) as api:
    async with Client(api.client_config()) as client: ...
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import yaml

from podium.apiserver.options import ApiServerOptions
from podium.apiserver.server import serving
from podium.client.config import ClientConfig
from podium.kit.clock import Clock
from podium.registry.registry import Registry
from podium.store.port import Store
from support.http_peer import eventually
from support.pki import Authority, Pair

ADMIN = ("kubernetes-admin", ("system:masters",))


@dataclass
class RunningApiServer:
    """The server, and identities for it; each user's certificate is made once."""

    port: int
    authority: Authority
    registry: Registry
    store: Store
    directory: Path
    options: ApiServerOptions
    #: Set once the default roles are there, for which nothing but the health checks waits.
    settled: asyncio.Event
    _pairs: dict[tuple[str, tuple[str, ...]], Pair] = field(default_factory=dict)

    @property
    def server(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def pair(self, user: str = ADMIN[0], groups: Sequence[str] = ADMIN[1]) -> Pair:
        key = (user, tuple(groups))
        if key not in self._pairs:
            self._pairs[key] = self.authority.client(user, groups)
        return self._pairs[key]

    def client_config(self, user: str = ADMIN[0], groups: Sequence[str] = ADMIN[1]) -> ClientConfig:
        pair = self.pair(user, groups)
        return ClientConfig(
            server=self.server,
            ca_file=str(self.authority.cert_file),
            cert_file=str(pair.cert),
            key_file=str(pair.key),
        )

    def ssl_context(self, pair: Pair | None = None) -> ssl.SSLContext:
        """A client's TLS; without *pair* it shows no certificate."""
        context = ssl.create_default_context(cafile=str(self.authority.cert_file))
        if pair is not None:
            context.load_cert_chain(pair.cert, pair.key)
        return context

    def session(
        self, user: str = ADMIN[0], groups: Sequence[str] = ADMIN[1], *, anonymous: bool = False
    ) -> aiohttp.ClientSession:
        """A plain HTTP client; paths are relative to the server."""
        context = self.ssl_context(None if anonymous else self.pair(user, groups))
        connector = aiohttp.TCPConnector(ssl=context)
        return aiohttp.ClientSession(self.server, connector=connector)

    async def healthy(self) -> None:
        """Wait until all that the server does at first has been done."""

        async def code() -> int:
            async with session.get("/livez") as response:
                return response.status

        async with self.session(anonymous=True) as session:
            await eventually(code, 200)

    def kubeconfig(self, user: str = ADMIN[0], groups: Sequence[str] = ADMIN[1]) -> Path:
        """A kubeconfig file for kubectl."""
        pair = self.pair(user, groups)
        path = self.directory / f"kubeconfig-{len(self._pairs)}-{user.replace(':', '-')}"
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [
                {
                    "name": "test",
                    "cluster": {
                        "server": self.server,
                        "certificate-authority": str(self.authority.cert_file),
                    },
                }
            ],
            "users": [
                {
                    "name": "test",
                    "user": {
                        "client-certificate": str(pair.cert),
                        "client-key": str(pair.key),
                    },
                }
            ],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        }
        path.write_text(yaml.safe_dump(content))
        return path


@asynccontextmanager
async def running_apiserver(
    directory: Path, *, clock: Clock | None = None, token_auth_file: Path | None = None
) -> AsyncIterator[RunningApiServer]:
    """Start a server on a free port; everything it writes is below *directory*.

    Run again on the same directory it continues from what is stored, with a new authority.
    """
    authority = Authority(directory / "pki")
    pair = authority.server(hosts=("127.0.0.1", "localhost"))
    kubelet_client = authority.client("kube-apiserver-kubelet-client")
    options = ApiServerOptions(
        data_dir=directory,
        port=0,
        tls_cert_file=pair.cert,
        tls_key_file=pair.key,
        client_ca_file=authority.cert_file,
        advertise_address="192.0.2.1",
        service_account_key_file=authority.signing_key(),
        kubelet_client_cert_file=kubelet_client.cert,
        kubelet_client_key_file=kubelet_client.key,
        token_auth_file=token_auth_file,
    )
    async with serving(options, clock=clock) as running:
        yield RunningApiServer(
            running.port,
            authority,
            running.registry,
            running.store,
            directory,
            options,
            running.settled,
        )

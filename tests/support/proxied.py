"""A server with a Node, Pods and a Service, and a backend that all of them lead to."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web

from support.apiserver import RunningApiServer, running_apiserver

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
DEFAULT = "/api/v1/namespaces/default"


@dataclass
class World:
    """*answer* is what the backend at *address* and *port* does, also as the kubelet of n1."""

    api: RunningApiServer
    admin: ClientSession
    address: str
    port: int = 0
    tls_port: int = 0
    kubelet_port: int = 0
    answer: Answer = field(default=lambda request: echo(request))
    requests: list[web.BaseRequest] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(request)
        return await self.answer(request)

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self.admin.post(path, json=body) as response:
            assert response.status == 201, await response.text()
            made: dict[str, Any] = await response.json()
            return made

    async def add_pod(self, name: str, address: str, port: int) -> dict[str, Any]:
        container = {"name": "c", "image": "i", "ports": [{"containerPort": port}]}
        spec = {"containers": [container], "automountServiceAccountToken": False}
        pod = await self.post(f"{DEFAULT}/pods", {"metadata": {"name": name}, "spec": spec})
        status = {"status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}}
        headers = {"Content-Type": "application/merge-patch+json"}
        async with self.admin.patch(
            f"{DEFAULT}/pods/{name}/status", data=json.dumps(status), headers=headers
        ) as response:
            assert response.status == 200, await response.text()
        return pod

    async def add_endpoints(self, name: str, *addresses: dict[str, Any]) -> None:
        ports = [{"name": "http", "port": self.port}, {"name": "tls", "port": self.tls_port}]
        subset = {"addresses": list(addresses), "ports": ports}
        body = {"metadata": {"name": name}, "subsets": [subset]}
        await self.post(f"{DEFAULT}/endpoints", body)


async def echo(request: web.BaseRequest) -> web.StreamResponse:
    """Say what was asked."""
    body = await request.read()
    return web.json_response(
        {
            "method": request.method,
            "target": request.raw_path,
            "headers": [list(pair) for pair in request.headers.items()],
            "body": body.decode(),
        }
    )


def pod_address(pod: dict[str, Any], address: str) -> dict[str, Any]:
    meta = pod["metadata"]
    ref = {"kind": "Pod", "namespace": "default", "name": meta["name"], "uid": meta["uid"]}
    return {"ip": address, "targetRef": ref}


@asynccontextmanager
async def proxied(directory: Path, address: str) -> AsyncIterator[World]:
    async with running_apiserver(directory) as api, api.session() as admin:
        it = World(api, admin, address)
        loop = asyncio.get_running_loop()
        protocols = web.Server(it.handle, handler_cancellation=True)
        pair = api.authority.server("system:node:n1")
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=api.authority.cert_file)
        tls.load_cert_chain(pair.cert, pair.key)
        mutual = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=api.authority.cert_file)
        mutual.load_cert_chain(pair.cert, pair.key)
        mutual.verify_mode = ssl.CERT_REQUIRED
        servers = [
            await loop.create_server(protocols, at, 0, ssl=context)
            for at, context in ((address, None), (address, tls), ("127.0.0.1", mutual))
        ]
        it.port, it.tls_port, it.kubelet_port = (
            server.sockets[0].getsockname()[1] for server in servers
        )
        await _objects(it)
        try:
            yield it
        finally:
            for server in servers:
                server.close()
            protocols.pre_shutdown()
            await protocols.shutdown(1)


async def _objects(it: World) -> None:
    status = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": it.kubelet_port}},
    }
    await it.post("/api/v1/nodes", {"metadata": {"name": "n1"}, "status": status})
    await it.post(f"{DEFAULT}/serviceaccounts", {"metadata": {"name": "default"}})
    web_pod = await it.add_pod("web", it.address, it.port)
    ports = [
        {"name": "http", "port": 80, "targetPort": it.port},
        {"name": "tls", "port": 443, "targetPort": it.tls_port},
    ]
    service = {"metadata": {"name": "web"}, "spec": {"ports": ports}}
    await it.post(f"{DEFAULT}/services", service)
    await it.add_endpoints("web", pod_address(web_pod, it.address))

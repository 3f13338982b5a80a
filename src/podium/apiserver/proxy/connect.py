"""Finds what a ``proxy`` subresource's name stands for, and passes the request on to it.

Follows ``pkg/registry/core/{node,pod,service}``.
"""

from __future__ import annotations

import asyncio
import random
import socket

from aiohttp.web import StreamResponse

from podium.api.errors import bad_request
from podium.api.go_text import quote
from podium.api.scheme import ENDPOINTS, NODES, PODS, SERVICES
from podium.api.types.core_v1 import Endpoints
from podium.apiserver.call import Call
from podium.apiserver.node_proxy import door
from podium.apiserver.proxy import locations
from podium.apiserver.proxy.backends import anonymous_tls
from podium.apiserver.proxy.forward import Backend, forward
from podium.apiserver.proxy.locations import Location


async def proxy_node(call: Call) -> StreamResponse:
    """The kubelet's own door, as ourselves; any other port of the node, as nobody."""
    asked = locations.target("node", call.name)
    node = (await call.registry.get(NODES, "", asked.name)).obj
    at, nodes = door(node), call.services.nodes
    if asked.port in ("", str(at.port)):
        kubelet = Location("https", at.host, str(at.port))
        return await forward(call, Backend(kubelet, *await nodes.connections()))
    await _check_host(at.host)
    location = Location(asked.scheme or "http", at.host, asked.port)
    return await forward(call, _anonymous(call, location))


async def proxy_pod(call: Call) -> StreamResponse:
    asked = locations.target("pod", call.name)
    pod = (await call.registry.get(PODS, call.namespace, asked.name)).obj
    return await forward(call, _anonymous(call, locations.of_pod(pod, asked)))


async def proxy_service(call: Call) -> StreamResponse:
    asked = locations.target("service", call.name)
    name = asked.port
    if name.removeprefix("-").isdigit():
        service = (await call.registry.get(SERVICES, call.namespace, asked.name)).obj
        name = locations.port_name(service, asked.port)
    endpoints = (await call.registry.get(ENDPOINTS, call.namespace, asked.name)).obj
    location = await _endpoint(call, endpoints, asked.scheme or "http", name)
    return await forward(call, _anonymous(call, location))


def _anonymous(call: Call, location: Location) -> Backend:
    tls = anonymous_tls() if location.scheme == "https" else None
    return Backend(location, call.services.nodes.anonymous_session(), tls)


async def _endpoint(call: Call, endpoints: Endpoints, scheme: str, port_name: str) -> Location:
    """Return an endpoint, drawn by lot among those that are Pods. Raises ApiError (503)."""
    if not endpoints.subsets:
        name = quote(endpoints.metadata.name)
        raise locations.unavailable(f"no endpoints available for service {name}")
    drawn = random.randrange(1 << 16)
    for address, port in locations.candidates(endpoints, port_name, drawn):
        ref = address.target_ref
        pod = await call.registry.read(PODS, call.namespace, ref.name) if ref else None
        if locations.is_pods_own(address, call.namespace, pod):
            locations.check_address(address.ip)
            return Location(scheme, address.ip, str(port))
    raise locations.unavailable(f"no endpoints available for service {quote(call.name)}")


async def _check_host(host: str) -> None:
    """Raises ApiError (400) for a node that is called by an address of this machine's inside."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise bad_request(f"lookup {host}: {error.strerror}") from error
    for *_, address in found:
        locations.check_address(str(address[0]))

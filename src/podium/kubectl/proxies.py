"""HTTP proxies between here and the API server: which one, and the way through it."""

from __future__ import annotations

import base64
import os
import socket

from podium.kubectl.errors import CommandError, Said
from podium.kubectl.urls import Url
from podium.kubectl.wire import Wire, WireError

_LOCAL = ("localhost", "127.0.0.1", "::1")


def proxy_for(configured: str, server: Url) -> Url | None:
    """Return the proxy for a server: the kubeconfig's, or the environment's; None for none."""
    if configured:
        return _proxy(configured)
    name = f"{server.scheme}_proxy"
    found = os.environ.get(name.upper()) or os.environ.get(name)
    if not found or server.host in _LOCAL or _bypassed(server):
        return None
    return _proxy(found)


def _proxy(text: str) -> Url:
    try:
        proxy = Url(text)
    except ValueError as exc:
        why = f'invalid proxy address "{text}": {exc}'
        raise Said(f"Unable to connect to the server: {why}") from exc
    if proxy.scheme != "http":
        raise CommandError(
            f'proxy "{text}": this kubectl goes through proxies that speak plain HTTP only'
        )
    return proxy


def _bypassed(server: Url) -> bool:
    """Whether NO_PROXY names the server: itself, a domain that it is in, or a network."""
    listed = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    for entry in listed.replace(" ", ",").split(","):
        name, _, port = entry.strip().lower().partition(":")
        if not name or (port.isdigit() and int(port) != server.port):
            continue
        host = server.host.lower()
        if name in ("*", host) or host.endswith(f".{name.removeprefix('.')}"):
            return True
        if "/" in name and _within(host, name):
            return True
    return False


def _within(host: str, network: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def tunnel(proxy: Url, server: Url, timeout: float | None) -> socket.socket:
    """Return a connection to *server* through *proxy*. Raises OSError, WireError."""
    connected = socket.create_connection((proxy.host, proxy.port), timeout)
    headers = [("Host", server.address)]
    if proxy.user:
        pair = base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
        headers.append(("Proxy-Authorization", f"Basic {pair}"))
    try:
        # Not a byte behind the answer's head may be read: what follows is for whoever gets this.
        response = Wire(connected, buffer=0).ask("CONNECT", server.address, headers, None)
        if response.status != 200:
            raise WireError(response.reason)
    except (OSError, WireError):
        connected.close()
        raise
    return connected

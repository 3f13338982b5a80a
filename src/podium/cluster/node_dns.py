"""Where the node itself looks names up, and so do its Pods, as long as the cluster has no DNS."""

from __future__ import annotations

import ipaddress
import logging
import os
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from podium.domain.pods.dns import parse_resolv_conf
from podium.kubelet.file_news import FileNews
from podium.runtime.port import RuntimeFailure

logger = logging.getLogger(__name__)

#: The second is written by systemd-resolved, which listens where only the node itself reaches it
#: and says in the first so; here are the servers that it asks.
DEFAULT = Path("/etc/resolv.conf")
BEHIND_STUB = Path("/run/systemd/resolve/resolv.conf")


def resolver_file(first: Path = DEFAULT, behind: Path = BEHIND_STUB) -> Path:
    """Return the file whose servers Pods can reach too."""
    if behind.exists() and all(address.is_loopback for address in _servers(first)):
        return behind
    return first


def name_server(path: Path) -> str:
    """Return the first server that an IPv4 Pod can use; "" for none."""
    return next((str(address) for address in _servers(path) if address.version == 4), "")


async def follow(path: Path, told: Callable[[str], Awaitable[None]]) -> None:
    """Call *told* whenever another server takes the first place in *path*, until cancelled."""
    known = name_server(path)
    try:
        with FileNews(_directory(path)) as news:
            while True:
                await news.wait()
                found = name_server(path)
                if found != known:
                    known = found
                    await told(found)
    except (OSError, RuntimeFailure) as exc:
        logger.warning("changes of the node's name server go unseen", extra={"error": exc})


def _directory(path: Path) -> Path:
    """Where the file lies that *path* names; whoever changes it puts a new one there."""
    return Path(os.path.realpath(path)).parent


def _servers(path: Path) -> Iterable[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        text = path.read_text()
    except OSError:
        return []
    addresses = []
    for server in parse_resolv_conf(text).servers:
        try:
            addresses.append(ipaddress.ip_address(server.partition("%")[0]))
        except ValueError:
            continue
    return addresses

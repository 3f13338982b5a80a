"""An address of this machine that is not loopback, for backends that a server may be sent to."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def own_address() -> Iterator[str]:
    """Yield the address; its link goes with the body. Needs root."""
    number = os.getpid() % 65000
    link, address = f"t{os.getpid():x}", f"198.18.{number // 250}.{number % 250 + 1}"
    _ip("link", "add", link, "type", "veth", "peer", "name", f"{link}p")
    try:
        _ip("addr", "add", f"{address}/32", "dev", link)
        _ip("link", "set", link, "up")
        yield address
    finally:
        _ip("link", "del", link)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)

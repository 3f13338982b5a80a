"""Ports for what a test starts, and listens only later."""

from __future__ import annotations

import itertools
import os
import socket

#: The kernel gives none of these to whoever asks for any port, nor to those who connect; node
#: ports begin behind them.
_PORTS = range(20_000, 30_000)
_next = itertools.count(os.getpid() * 97)


def free_port() -> int:
    """Return a port, of TCP and of UDP, that no other test of this machine gets meanwhile.

    A name of a socket is the claim, which ends with this process.
    """
    for number in itertools.islice(_next, len(_PORTS)):
        port = _PORTS[number % len(_PORTS)]
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0podium-test-port-{port}")
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(type=kind) as probe:
                    probe.bind(("", port))
        except OSError:
            claim.close()
            continue
        claim.detach()
        return port
    raise AssertionError("no free port")

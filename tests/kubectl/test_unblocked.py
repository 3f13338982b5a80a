"""Bytes of a connection that became something else than HTTP."""

from __future__ import annotations

import contextlib
import socket

from podium.kubectl.http import Http
from podium.kubectl.kubeconfig import Connection
from podium.kubectl.unblocked import Unblocked

_SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


class _Upgrading(Http):
    """A server at the other end of a pair of sockets."""

    def __init__(self, near: socket.socket) -> None:
        super().__init__(Connection("http://there"))
        self._near = near

    def _dial(self) -> socket.socket:
        return self._near


def test_who_takes_what_never_ends_gets_to_do_something_else():
    """As where a command writes all the time: the ^C that ends it has to be sent."""
    near, far = socket.socketpair()
    with far:
        far.sendall(_SWITCHED + b"first")
        with contextlib.closing(Unblocked(_Upgrading(near), "GET", "/", (), ())) as unblocked:
            found = []
            for piece in unblocked.take():
                found.append(piece)
                assert len(found) < 1000
                far.sendall(b"more")  # before the next is looked for
            found += unblocked.take()
            assert b"".join(found) == b"first" + b"more" * (len(found) - 1)
            far.shutdown(socket.SHUT_WR)
            assert list(unblocked.take()) == []
            assert unblocked.ended

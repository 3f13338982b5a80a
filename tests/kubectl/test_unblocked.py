"""Bytes of a connection that became something else than HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator

import pytest

from podium.kubectl.http import Http
from podium.kubectl.kubeconfig import Connection
from podium.kubectl.streams import Ends, Wanted, _Carrier
from podium.kubectl.unblocked import NotTaken, Unblocked

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


def test_who_takes_nothing_any_more_is_heard_to_the_end():
    """As where a command has ended while it was being written to: how it ended has been said."""
    near, far = socket.socketpair()
    far.sendall(_SWITCHED)
    with contextlib.closing(Unblocked(_Upgrading(near), "GET", "/", (), ())) as unblocked:
        far.sendall(b"the end")
        far.close()
        unblocked.put(b"more")
        with pytest.raises(NotTaken):
            unblocked.flush()
        assert b"".join(unblocked.take()) == b"the end"
        assert unblocked.ended


class _Tardy(Unblocked):
    """Messages are whatever comes; who looks finds nothing the first times."""

    looks = 2

    def send(self, *parts: bytes) -> None:
        self.put(b"".join(parts))

    def receive(self) -> Iterator[bytes]:
        if self.looks:
            self.looks -= 1
            return
        yield from self.take()


def test_how_a_command_ended_is_told_though_it_was_written_to():
    near, far = socket.socketpair()
    far.sendall(_SWITCHED)
    reads, writes = os.pipe()
    os.write(writes, b"more")
    status = {"status": "Failure", "reason": "NonZeroExitCode"}
    with (
        os.fdopen(reads),
        os.fdopen(writes, "w"),
        contextlib.closing(_Tardy(_Upgrading(near), "GET", "/", (), ())) as tardy,
    ):
        far.sendall(b"\3" + json.dumps(status).encode())
        far.close()
        assert _Carrier(tardy, Wanted(stdin=True), Ends(reads), -1).run() == status

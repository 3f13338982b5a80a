"""TCP options by which a connection notices that its other end has vanished without a word."""

from __future__ import annotations

import socket

#: Seconds without traffic before the peer is asked whether it is still there, seconds between such
#: questions, and how many may stay unanswered.
_IDLE, _INTERVAL, _PROBES = 15, 5, 3
#: Milliseconds that sent data may stay unacknowledged, and a full peer may go without reading.
_USER_TIMEOUT = 30_000


def notice_dead_peers(sock: socket.socket) -> None:
    """Have *sock* fail about half a minute after its peer has gone.

    Connections accepted from a listening socket inherit the options.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        (socket.TCP_KEEPIDLE, _IDLE),
        (socket.TCP_KEEPINTVL, _INTERVAL),
        (socket.TCP_KEEPCNT, _PROBES),
        (socket.TCP_USER_TIMEOUT, _USER_TIMEOUT),
    ):
        sock.setsockopt(socket.IPPROTO_TCP, option, value)


def wait_for_reader(sock: socket.socket, wait: bool) -> None:
    """Let *sock* wait for ever for a peer that is there and does not read, or no longer."""
    timeout = 0 if wait else _USER_TIMEOUT
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, timeout)

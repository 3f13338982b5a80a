"""Answers of HTTP, as they come over a socket."""

from __future__ import annotations

import socket

import pytest

from podium.kubectl.wire import Wire, WireError

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def ask(*sent: bytes, method: str = "GET", ends: bool = True):
    """Return the answer to a request, the request as it was sent, and what is left to read."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for piece in sent:
            theirs.sendall(piece)
        if ends:
            theirs.shutdown(socket.SHUT_WR)
        response = Wire(ours).ask(method, "/x", [("Host", "h")], b"{}")
        return response, list(response.lines()), theirs.recv(1000)


@pytest.mark.parametrize(
    ("answer", "lines", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na\nbcXX", [b"a\n", b"bc"], True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", [], True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\na", [b"a"], False),
        (b"HTTP/1.1 200 OK\r\n\r\na\nb", [b"a\n", b"b"], False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", [], True),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n", [], True),
        (CHUNKED + b"2;x=y\r\na\n\r\n3\r\nb\nc\r\n0\r\nTrailer: x\r\n\r\n",
         [b"a\n", b"b\n", b"c"], True),
    ],
    ids=["length", "empty", "closes", "to-the-end", "no-content", "greeting", "chunks"],
)  # fmt: skip
def test_bodies(answer, lines, reusable):
    response, found, _ = ask(answer)
    assert (found, response.reusable) == (lines, reusable)


def test_the_request():
    *_, sent = ask(b"HTTP/1.1 204 No\r\n\r\n")
    assert sent == b"GET /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"", "^EOF"),
        (b"SSH-2.0\r\n", "malformed HTTP response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "unexpected EOF"),
        (CHUNKED + b"5\r\nab", "unexpected EOF"),
        (b"HTTP/1.1 200 OK\r\nA: b", "unexpected EOF"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1002 + b"\r\n", "too many headers"),
    ],
)
def test_what_is_no_answer(answer, says):
    with pytest.raises(WireError, match=says):
        ask(answer)


def test_a_header_cannot_smuggle_another():
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(WireError, match="invalid header field value"):
        Wire(ours).ask("GET", "/", [("Authorization", "Bearer a\r\nImpersonate-User: b")], None)

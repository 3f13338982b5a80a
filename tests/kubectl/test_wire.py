"""Answers of HTTP, as they come over a socket."""

from __future__ import annotations

import http.client
import io
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.kubectl.wire import Response, Wire, WireError

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
        (CHUNKED + b"x\r\nab", "invalid byte in chunk length"),
        (CHUNKED + b"-1\r\nab\r\n0\r\n\r\n", "invalid byte in chunk length"),
        (CHUNKED + b"\r\nab", "invalid byte in chunk length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\nab", 'bad Content-Length "1_0"'),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab", 'bad Content-Length "-1"'),
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


# -- beside the standard library's

WORDS = st.text("abXY09-/", min_size=1, max_size=5)


@st.composite
def answers(draw):
    """An answer, whole or cut off somewhere."""
    status = draw(st.sampled_from([200, 201, 204, 304, 404, 500]))
    reason = draw(WORDS | st.just("Not Found"))
    headers = [(f"X-{name}", value) for name, value in draw(st.lists(st.tuples(WORDS, WORDS)))]
    headers += draw(st.sampled_from([[], [("Connection", "close")]]))
    pieces = draw(st.lists(st.binary(min_size=1, max_size=20), max_size=4))
    body = b"".join(pieces)
    framings = ["length", "end"] if status in (204, 304) else ["length", "chunks", "end"]
    match draw(st.sampled_from(framings)):
        case "length":
            headers.append(("content-length", str(len(body))))
        case "chunks":
            headers.append(("Transfer-Encoding", "chunked"))
            sizes = [(f"{len(piece):x}".encode(), piece) for piece in pieces]
            body = b"".join(size + b"\r\n" + piece + b"\r\n" for size, piece in sizes)
            body += b"0\r\n\r\n"
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers)]
    whole = "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body
    kept = draw(st.just(len(whole)) | st.integers(0, len(whole)))
    return whole[:kept], kept == len(whole)


class Came:
    """What the standard library's reader takes for a socket."""

    def __init__(self, data):
        self._data = data

    def makefile(self, _mode):
        return io.BytesIO(self._data)


def read_by_the_standard_library(data, method):
    response = http.client.HTTPResponse(Came(data), method=method)
    response.begin()
    headers = [(name.lower(), value) for name, value in response.headers.items()]
    reusable = not response.will_close
    return response.status, response.reason, headers, response.read(), reusable


@given(answers(), st.sampled_from(["GET", "HEAD"]))
def test_what_is_read_is_what_the_standard_library_reads(answer, method):
    data, whole = answer
    try:
        response = Response(io.BytesIO(data), method)
        body = response.read()
    except WireError:
        assert not whole
        return
    found = response.status, response.reason, response.headers, body, response.reusable
    assert found == read_by_the_standard_library(data, method)

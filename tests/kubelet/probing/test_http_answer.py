"""HTTP answers as they come in, whole or in pieces, and what is none."""

from __future__ import annotations

import pytest

from podium.kubelet.probing.http_answer import MAX_BODY, Answer, BodyFailure, HeadFailure

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
MORE = 1_000_000  # bytes of a body that nobody reads to its end


def read(pieces: list[bytes]) -> Answer:
    """The answer in *pieces*, after which the server says nothing more."""
    answer, coming = Answer(), iter([*pieces, b""])
    while not answer.begun:
        answer.feed(next(coming))
    while not answer.complete():
        answer.feed(next(coming))
    return answer


ANSWERS = [
    pytest.param(OK + b"Content-Length: 5\r\n\r\nhello", 200, b"hello", id="length"),
    pytest.param(OK + b"content-length:5\n\nhello", 200, b"hello", id="bare-line-feeds"),
    pytest.param(OK + b"Content-Length: 5\r\n\r\nhello, world", 200, b"hello", id="more-follows"),
    pytest.param(
        OK + b"A: b\r\n c\r\n\td\r\nContent-Length: 1\r\n\r\na", 200, b"a", id="folded-header"
    ),
    pytest.param(b"HTTP/1.0 404 \r\n\r\nnot here", 404, b"not here", id="until-the-end"),
    pytest.param(b"HTTP/1.1 503\r\n\r\n", 503, b"", id="no-phrase-no-body"),
    pytest.param(OK + b"Content-Length: 0\r\n\r\n", 200, b"", id="empty"),
    pytest.param(
        b"HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n", 204, b"", id="without-a-body"
    ),
    pytest.param(
        b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
        + OK
        + b"Content-Length: 1\r\n\r\na",
        200,
        b"a",
        id="announced-twice",
    ),
    pytest.param(CHUNKED + b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n", 200, b"hello", id="chunks"),
    pytest.param(CHUNKED + b"0\r\nTrailer: a\r\n\r\n", 200, b"", id="no-chunks"),
    pytest.param(
        CHUNKED + b"".join(b"1\r\n%c\r\n" % byte for byte in b"abc" * 3) + b"0\r\n\r\n",
        200,
        b"abc" * 3,
        id="many-chunks",
    ),
]


@pytest.mark.parametrize(("text", "status", "body"), ANSWERS)
def test_an_answer_is_the_same_however_it_is_cut(text: bytes, status: int, body: bytes):
    every_byte = [text[at : at + 1] for at in range(len(text))]
    halves = [[text[:at], text[at:]] for at in range(1, len(text))]
    for pieces in ([text], every_byte, *halves):
        answer = read(pieces)
        assert (answer.status, bytes(answer.body)) == (status, body), pieces


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"\r\n", id="until-the-end"),
        pytest.param(b"Content-Length: %d\r\n\r\n" % MORE, id="length"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % MORE, id="one-chunk"),
    ],
)
def test_of_a_long_body_the_beginning_is_enough(head: bytes):
    answer = Answer()
    answer.feed(OK + head + b"x" * (MAX_BODY - 1))
    assert not answer.complete()
    answer.feed(b"yz")
    assert answer.complete()
    assert answer.text == "x" * (MAX_BODY - 1) + "y"


BROKEN = "net/http: HTTP/1.x transport connection broken: "


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        pytest.param(b"", "EOF", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK", "unexpected EOF", id="half-a-line"),
        pytest.param(OK + b"A: b\r\n", "unexpected EOF", id="half-a-head"),
        pytest.param(
            b"220 mail\r\n", BROKEN + 'malformed HTTP response "220 mail"', id="another-protocol"
        ),
        pytest.param(
            OK + b" hi\r\n", BROKEN + "malformed MIME header line:  hi", id="nothing-to-go-on-with"
        ),
        pytest.param(OK + b"hi\r\n", BROKEN + "malformed MIME header line: hi", id="no-colon"),
        pytest.param(
            OK + b"Content-Length: \xb2\r\n\r\n", BROKEN + 'bad Content-Length "²"', id="no-number"
        ),
        pytest.param(
            OK + b"Content-Length: -1\r\n\r\n", BROKEN + 'bad Content-Length "-1"', id="negative"
        ),
        pytest.param(
            OK + b"A: b\r\n" * 200_000,
            "net/http: server response headers exceeded 1048576 bytes; aborted",
            id="many-headers",
        ),
        pytest.param(
            b"x" * 1_100_000,
            "net/http: server response headers exceeded 1048576 bytes; aborted",
            id="a-long-line",
        ),
        pytest.param(
            b"HTTP/1.1 100 Continue\r\n\r\n" * 50_000,
            "net/http: server response headers exceeded 1048576 bytes; aborted",
            id="announced-for-ever",
        ),
    ],
)
def test_what_is_no_answer(text: bytes, failure: str):
    with pytest.raises(HeadFailure) as caught:
        read([text] if text else [])
    assert str(caught.value) == failure


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        pytest.param(OK + b"Content-Length: 9\r\n\r\nhi", "unexpected EOF", id="length"),
        pytest.param(CHUNKED + b"9\r\nhi", "unexpected EOF", id="in-a-chunk"),
        pytest.param(CHUNKED + b"2\r\nhi\r\n", "unexpected EOF", id="between-chunks"),
        pytest.param(CHUNKED + b"-2\r\nhi\r\n", "invalid byte in chunk length", id="negative"),
        pytest.param(CHUNKED + b"\r\n", "invalid byte in chunk length", id="no-length"),
        pytest.param(CHUNKED + b"1" * 5000, "header line too long", id="endless-length"),
    ],
)
def test_bodies_that_break_off(text: bytes, failure: str):
    with pytest.raises(BodyFailure) as caught:
        read([text])
    assert str(caught.value) == failure


def test_where_a_redirect_leads():
    answer = Answer()
    answer.feed(b"HTTP/1.1 302 Found\r\nLocation:  /a \r\nlocation: /b\r\n")
    assert not answer.begun
    answer.feed(b"\r\n")
    assert (answer.status, answer.location) == (302, "/a")

"""The frames of one answer, however they are cut, and what is owed for them."""

from __future__ import annotations

import pytest
from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from podium.kubelet.probing.grpc_answer import Answer
from podium.kubelet.probing.http2 import BadFrames, Frames

SETTINGS = SettingsFrame(0, {SettingsFrame.MAX_FRAME_SIZE: 1 << 20})
ACKNOWLEDGED = SettingsFrame(0, flags=["ACK"]).serialize()
HEAD = [(":status", "200"), ("content-type", "application/grpc")]
FINE = [("grpc-status", "0")]
BODY = b"\0\0\0\0\2\x08\x01"


def headers(found: list[tuple[str, str]], *flags: str, stream: int = 1) -> Frame:
    return HeadersFrame(stream, Encoder().encode(found), flags=["END_HEADERS", *flags])


def parts(found: list[tuple[str, str]], *flags: str) -> list[Frame]:
    """The same in three frames."""
    block = Encoder().encode(found)
    return [
        HeadersFrame(1, block[:2], flags=flags),
        ContinuationFrame(1, block[2:5]),
        ContinuationFrame(1, block[5:], flags=["END_HEADERS"]),
    ]


TRAILERS = headers(FINE, "END_STREAM")
PADDED = DataFrame(1, BODY, pad_length=7, flags=["PADDED"])
ANSWER = [headers(HEAD), DataFrame(1, BODY), TRAILERS]


def fed(frames: list[Frame], size: int = 1 << 20) -> tuple[Answer, bytes]:
    """What comes of *frames* that arrive *size* bytes at a time, and what is sent back."""
    answer = Answer()
    taker, data = Frames(answer), b"".join(frame.serialize() for frame in frames)
    return answer, b"".join(taker.feed(data[at : at + size]) for at in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 10, 1 << 20])
@pytest.mark.parametrize(
    "frames",
    [
        pytest.param(ANSWER, id="plain"),
        pytest.param([*parts(HEAD), DataFrame(1, BODY), *parts(FINE, "END_STREAM")], id="in-parts"),
        pytest.param([headers(HEAD), PADDED, TRAILERS], id="padded"),
        pytest.param(
            [headers(HEAD), DataFrame(1, BODY[:3]), DataFrame(1, BODY[3:]), TRAILERS], id="pieces"
        ),
        pytest.param([headers([(":status", "103")]), *ANSWER], id="announced"),
        pytest.param(
            [
                WindowUpdateFrame(0, 1000),
                PriorityFrame(5, depends_on=3),
                headers(HEAD, stream=3),
                DataFrame(3, b"not ours"),
                *ANSWER,
            ],
            id="what-is-not-about-it",
        ),
        pytest.param([GoAwayFrame(0, 1), *ANSWER], id="the-last-one-that-is-served"),
        pytest.param([*ANSWER, RstStreamFrame(1, 8)], id="cancelled-when-it-is-over"),
    ],
)
def test_a_service_that_serves(frames: list[Frame], size: int):
    answer, sent = fed([SETTINGS, *frames], size)
    assert (answer.code, answer.body) == (0, BODY)
    assert sent == ACKNOWLEDGED


def test_frames_that_nobody_knows_are_passed_over():
    answer = Answer()
    taker = Frames(answer)
    taker.feed(SETTINGS.serialize() + b"\0\0\2\xbe\0\0\0\0\1??")
    taker.feed(b"".join(frame.serialize() for frame in ANSWER))
    assert answer.code == 0


def test_pings_are_answered():
    _, sent = fed([SETTINGS, PingFrame(0, b"12345678"), PingFrame(0, flags=["ACK"])])
    assert sent == ACKNOWLEDGED + PingFrame(0, b"12345678", flags=["ACK"]).serialize()


@pytest.mark.parametrize(
    ("frames", "code", "message"),
    [
        pytest.param(
            [RstStreamFrame(1, 7)],
            14,
            "stream terminated by RST_STREAM with error code: REFUSED_STREAM",
            id="refused",
        ),
        pytest.param(
            [RstStreamFrame(1, 99)],
            2,
            "stream terminated by RST_STREAM with error code: unknown error code 0x63",
            id="for-an-unknown-reason",
        ),
        pytest.param(
            [GoAwayFrame(0, 0)],
            14,
            "the stream is rejected because server is draining the connection",
            id="on-its-way-out",
        ),
        pytest.param(
            [headers(HEAD), headers(HEAD), TRAILERS],
            13,
            "a HEADERS frame cannot appear in the middle of a stream",
            id="headers-twice",
        ),
    ],
)
def test_calls_that_fail(frames: list[Frame], code: int, message: str):
    answer, _ = fed([SETTINGS, *frames])
    assert (answer.code, answer.message) == (code, message)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(TRAILERS.serialize(), "is not a settings frame", id="no-settings"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", "frame too large", id="http-1"),
        pytest.param(
            SETTINGS.serialize() + PushPromiseFrame(1, 2, b"", flags=["END_HEADERS"]).serialize(),
            "a push that was not allowed",
            id="a-push",
        ),
        pytest.param(
            SETTINGS.serialize() + HeadersFrame(1, b"\xff" * 9, flags=["END_HEADERS"]).serialize(),
            "connection error: COMPRESSION_ERROR",
            id="headers-that-cannot-be-read",
        ),
        pytest.param(
            SETTINGS.serialize() + ContinuationFrame(1, b"\0" * 16000).serialize() * 5,
            "peer header list size exceeded limit",
            id="headers-without-end",
        ),
        pytest.param(
            SETTINGS.serialize() + ACKNOWLEDGED * 1000, "too many frames", id="frames-without-end"
        ),
        pytest.param(
            SETTINGS.serialize() + b"\0\0\1\3\0\0\0\0\1\0",
            "RST_STREAM must have 4 byte body",
            id="a-broken-one",
        ),
    ],
)
def test_what_is_no_http_2(data: bytes, why: str):
    with pytest.raises(BadFrames, match=why):
        Frames(Answer()).feed(data)

"""SPDY/3.1 without I/O: frames, and two ends coupled in memory."""

from __future__ import annotations

import contextlib
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.kit.spdy import connection
from podium.kit.spdy.connection import (
    Closing,
    Connection,
    DataReceived,
    StreamOpened,
    StreamReplied,
    StreamReset,
)
from podium.kit.spdy.dictionary import DICTIONARY
from podium.kit.spdy.frames import (
    Data,
    Decoder,
    Encoder,
    Frame,
    GoAway,
    HeadersFrame,
    Ping,
    ProtocolError,
    RstStream,
    SynReply,
    SynStream,
)

STREAMS = st.integers(1, 2**31 - 1)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
HEADERS = st.dictionaries(
    TEXT.map(str.lower).filter(lambda name: name == name.lower()),
    st.lists(TEXT, min_size=1, max_size=3).map(tuple),
    max_size=4,
)
FRAMES = st.one_of(
    st.builds(SynStream, STREAMS, HEADERS, st.booleans(), st.booleans()),
    st.builds(SynReply, STREAMS, HEADERS, st.booleans()),
    st.builds(HeadersFrame, STREAMS, HEADERS, st.booleans()),
    st.builds(RstStream, STREAMS, st.integers(0, 2**32 - 1)),
    st.builds(Ping, st.integers(0, 2**32 - 1)),
    st.builds(GoAway, STREAMS, st.integers(0, 2)),
    st.builds(Data, STREAMS, st.binary(max_size=40), st.booleans()),
)


def test_the_dictionary_is_the_published_one():
    assert len(DICTIONARY) == 1423
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2  # as every SPDY/3 header block names it


@given(st.lists(FRAMES, max_size=8), st.lists(st.integers(1, 30), min_size=1))
def test_frames_come_out_as_they_went_in_however_they_are_cut(frames, cuts):
    encoder, decoder = Encoder(), Decoder()
    stream = b"".join(map(encoder.encode, frames))
    found = []
    for index in range(len(stream)):
        size = cuts[index % len(cuts)]
        found += decoder.feed(stream[:size])
        stream = stream[size:]
        if not stream:
            break
    assert whole(found) == whole(frames)


def whole(frames: list[Frame]) -> list[Frame]:
    """Frames with data that follows data of the same stream in one: it comes as it is read."""
    joined: list[Frame] = []
    for frame in frames:
        last = joined[-1] if joined else None
        if (
            isinstance(frame, Data)
            and isinstance(last, Data)
            and (last.stream, last.fin) == (frame.stream, False)
        ):
            joined[-1] = Data(frame.stream, last.data + frame.data, frame.fin)
        else:
            joined.append(frame)
    return joined


def test_data_is_not_kept_until_all_of_it_is_there():
    decoder, frame = Decoder(), Encoder().encode(Data(1, bytes(1_000_000), fin=True))
    found = [one for place in range(0, len(frame), 1000)
             for one in decoder.feed(frame[place : place + 1000])]  # fmt: skip
    assert max(len(one.data) for one in found) == 1000
    assert sum(len(one.data) for one in found) == 1_000_000
    assert [one.fin for one in found] == [False] * (len(found) - 1) + [True]


def test_frames_of_no_use_are_passed_over():
    settings = struct.pack(">III", 0x80030004, 4, 0)
    window = struct.pack(">IIII", 0x80030009, 8, 1, 65536)
    assert list(Decoder().feed(settings + window + Encoder().encode(Ping(1)))) == [Ping(1)]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(b"\x80\x02\x00\x06\x00\x00\x00\x04\0\0\0\1", "version 2", id="version"),
        pytest.param(b"\x80\x03\x00\x06\x00\xff\xff\xff", "16777215 bytes", id="too-long"),
        pytest.param(b"\x80\x03\x00\x06\x00\x00\x00\x01\0", "type 6", id="too-short"),
        pytest.param(b"\x80\x03\x00\x02\x00\x00\x00\x06\0\0\0\1ab", "headers", id="not-zlib"),
    ],
)
def test_what_is_not_spdy_is_refused(data, says):
    with pytest.raises(ProtocolError, match=says):
        list(Decoder().feed(data))


def test_headers_that_grow_without_end_are_refused():
    bomb = zlib.compressobj(zdict=DICTIONARY)
    block = bomb.compress(bytes(10_000_000)) + bomb.flush(zlib.Z_SYNC_FLUSH)
    body = struct.pack(">I", 1) + block
    with pytest.raises(ProtocolError, match="more than"):
        list(Decoder().feed(struct.pack(">II", 0x80030002, len(body)) + body))


def control_frame(kind: int, flags: int, body: bytes) -> bytes:
    return struct.pack(">II", 0x80030000 | kind, flags << 24 | len(body)) + body


framed = st.builds(control_frame, st.integers(0, 10), st.integers(0, 255), st.binary(max_size=40))


@given(st.lists(framed | st.binary(max_size=40)).map(b"".join))
def test_noise_is_frames_or_a_protocol_error(noise):
    found: list[Frame] = []
    with contextlib.suppress(ProtocolError):
        found.extend(Decoder().feed(noise))
    assert all(isinstance(frame, Frame) for frame in found)
    assert sum(len(frame.data) for frame in found if isinstance(frame, Data)) <= len(noise)


class Ends:
    """A client and a server, coupled."""

    def __init__(self) -> None:
        self.client, self.server = Connection(server=False), Connection(server=True)

    def to_server(self):
        return self.server.receive(self.client.data_to_send())

    def to_client(self):
        return self.client.receive(self.server.data_to_send())


@pytest.fixture
def ends() -> Ends:
    return Ends()


def test_a_stream_from_its_opening_to_its_end(ends):
    stream = ends.client.open({"streamType": ("stdin",)})
    assert ends.to_server() == [StreamOpened(stream, {"streamtype": ("stdin",)})]
    ends.server.reply(stream)
    assert ends.to_client() == [StreamReplied(stream, {})]

    ends.client.send(stream, b"hello")
    ends.client.finish(stream)
    assert ends.to_server() == [DataReceived(stream, b"hello"), DataReceived(stream, b"", True)]

    ends.server.send(stream, b"bye")  # one direction is over, the other is not
    ends.server.finish(stream)
    assert ends.to_client() == [DataReceived(stream, b"bye"), DataReceived(stream, b"", True)]
    assert ends.client.open_streams == ends.server.open_streams == frozenset()


def test_both_ends_open_streams_of_their_own_numbers(ends):
    assert [ends.client.open({}) for _ in range(3)] == [1, 3, 5]
    assert [ends.server.open({}) for _ in range(3)] == [2, 4, 6]
    assert [event.stream for event in ends.to_server()] == [1, 3, 5]
    assert [event.stream for event in ends.to_client()] == [2, 4, 6]


def test_a_reset_stream_is_forgotten_and_what_still_comes_is_dropped(ends):
    stream = ends.client.open({})
    ends.to_server()
    ends.server.reset(stream)
    ends.client.send(stream, b"crosses the reset")
    assert ends.to_server() == []
    assert ends.to_client() == [StreamReset(stream, 5)]
    ends.client.send(stream, b"late")
    assert ends.client.data_to_send() == b""


def test_data_after_the_end_is_a_protocol_error_of_that_stream_alone(ends):
    stream, other = ends.client.open({}, fin=True), ends.client.open({})
    ends.to_server()
    encoder = Encoder()
    assert ends.server.receive(encoder.encode(Data(stream, b"more"))) == []
    assert ends.to_client() == [StreamReset(stream, 1)]
    assert ends.server.open_streams == {other}


def test_pings_are_answered_and_answers_are_not(ends):
    ends.client.ping()
    assert ends.to_server() == []
    assert ends.to_client() == []
    assert ends.client.data_to_send() == b""


def test_no_more_streams_than_a_connection_may_have(ends, monkeypatch):
    monkeypatch.setattr(connection, "MOST_STREAMS", 2)
    first, second, third = (ends.client.open({}) for _ in range(3))
    assert ends.to_server() == [StreamOpened(first, {}), StreamOpened(second, {})]
    assert ends.to_client() == [StreamReset(third, 3)]
    ends.client.reset(first)
    fourth = ends.client.open({})
    assert ends.to_server()[-1] == StreamOpened(fourth, {})


def test_a_closing_connection_refuses_streams_and_keeps_those_it_has(ends):
    stream = ends.client.open({})
    ends.to_server()
    ends.server.close()
    late = ends.client.open({})
    assert ends.to_server() == []
    assert ends.to_client() == [Closing(stream), StreamReset(late, 3)]
    assert ends.server.open_streams == {stream}


@pytest.mark.parametrize("numbers", [[2], [3, 3], [3, 1]], ids=["ours", "again", "falling"])
def test_streams_with_numbers_that_are_not_the_peers_end_the_connection(numbers):
    encoder = Encoder()
    frames = b"".join(encoder.encode(SynStream(number)) for number in numbers)
    with pytest.raises(ProtocolError, match="cannot be opened"):
        Connection(server=True).receive(frames)


@given(st.binary(max_size=2000), st.integers(1, 100))
def test_data_is_whole(data, size):
    ends = Ends()
    stream = ends.client.open({})
    for begin in range(0, len(data), size):
        ends.client.send(stream, data[begin : begin + size])
    received = [event.data for event in ends.to_server() if isinstance(event, DataReceived)]
    assert b"".join(received) == data

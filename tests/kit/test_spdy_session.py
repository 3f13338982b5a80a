"""Streams of a SPDY connection as tasks see them."""

from __future__ import annotations

import asyncio

import pytest

from podium.kit.spdy import session as sessions
from podium.kit.spdy.frames import Data, Decoder, Encoder, Ping, SynStream
from podium.kit.spdy.session import Session


class Written:
    """The writing side of a connection: frames as they are read there."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[object] = asyncio.Queue()
        self._decoder = Decoder()

    def write(self, data: bytes) -> None:
        for frame in self._decoder.feed(data):
            self.frames.put_nowait(frame)

    async def drain(self) -> None:
        """It takes everything."""

    def close(self) -> None:
        """Nothing to be closed."""


async def test_a_peer_that_is_held_back_hears_of_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing to one that has gone fails; nothing else tells of its end, as nothing is read."""
    monkeypatch.setattr(sessions, "HELD_BACK", 0.01)
    encoder, reader, written = Encoder(), asyncio.StreamReader(), Written()
    reader.feed_data(encoder.encode(SynStream(1, {"streamtype": ["stdin"]})))
    pieces = [bytes([number]) for number in range(200)]
    reader.feed_data(b"".join(encoder.encode(Data(1, piece)) for piece in pieces))
    async with asyncio.timeout(60), Session.running(reader, written) as session:
        stream = await session.next_stream()
        for _ in range(2):
            while not isinstance(await written.frames.get(), Ping):
                pass
        assert [await stream.read() for _ in pieces] == pieces

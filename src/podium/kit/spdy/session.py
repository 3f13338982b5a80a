"""SPDY/3.1 on a connection: streams as tasks see them, for either end.

What the connection holds is :mod:`podium.kit.spdy.connection`; here bytes are read and written. A
stream that nobody reads holds back the whole connection, as with upstream: SPDY's windows are not
in use.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Protocol

from podium.kit.spdy.connection import (
    Closing,
    Connection,
    DataReceived,
    Event,
    StreamOpened,
    StreamReset,
)
from podium.kit.spdy.frames import Headers, ProtocolError

#: Pieces that a stream keeps for its reader before the connection is held back.
_PIECES = 64
_CHUNK = 64 * 1024
#: Seconds between signs of life for a peer of whom nothing is read.
HELD_BACK = 5.0


class PeerGone(Exception):
    """The peer has closed the connection."""


class Reader(Protocol):
    async def read(self, limit: int, /) -> bytes: ...


class Writer(Protocol):
    def write(self, data: bytes, /) -> None: ...

    async def drain(self) -> None: ...

    def close(self) -> None: ...


class Stream:
    """One stream of a session."""

    def __init__(self, session: Session, number: int, headers: Headers) -> None:
        self._session, self.number, self.headers = session, number, headers
        #: What has come and was not read: b"" is the stream's end, None that of the connection.
        self.pieces: asyncio.Queue[bytes | None] = asyncio.Queue(_PIECES)
        self._ended = False

    def header(self, name: str) -> str:
        values = self.headers.get(name.lower(), ())
        return values[0] if values else ""

    async def read(self) -> bytes:
        """Return what comes next, b"" at the end. Raises PeerGone."""
        if self._ended:
            return b""
        data = await self.pieces.get()
        if data is None:
            self.lose()
            raise PeerGone
        self._ended = not data
        return data

    def drop(self) -> None:
        """Make room for what waits for it: nobody reads this any more."""
        while not self.pieces.empty():
            self.pieces.get_nowait()

    def lose(self) -> None:
        """The connection has gone; what its reader has not read yet may be lost."""
        if self.pieces.full():
            self.pieces.get_nowait()
        self.pieces.put_nowait(None)

    async def write(self, data: bytes) -> None:
        """Return when the connection takes more. Raises PeerGone."""
        self._session.connection.send(self.number, data)
        await self._session.flush()

    async def finish(self) -> None:
        """End our direction of it. Raises PeerGone."""
        self._session.connection.finish(self.number)
        await self._session.flush()

    async def reset(self) -> None:
        """Break it off. Raises PeerGone."""
        self._session.connection.reset(self.number)
        await self._session.flush()


class Session:
    """The streams of one connection, while :meth:`running`."""

    def __init__(self, reader: Reader, writer: Writer, *, server: bool = True) -> None:
        self.connection = Connection(server=server)
        self._opened: asyncio.Queue[Stream | None] = asyncio.Queue()
        self._reader, self._writer = reader, writer
        self._streams: dict[int, Stream] = {}
        self.gone = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def running(
        cls, reader: Reader, writer: Writer, *, server: bool = True
    ) -> AsyncIterator[Session]:
        """Read from the connection while the body runs."""
        session = cls(reader, writer, server=server)
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(session._run(), name="spdy")
            try:
                yield session
            finally:
                reading.cancel()

    async def open_stream(self, headers: Headers) -> Stream:
        """Open a stream; what the peer says on it can be read at once. Raises PeerGone."""
        if self.gone.is_set():
            raise PeerGone
        number = self.connection.open(headers)
        stream = self._streams[number] = Stream(self, number, headers)
        await self.flush()
        return stream

    async def next_stream(self) -> Stream:
        """Return the next stream that the peer opens. Raises PeerGone."""
        stream = await self._opened.get()
        if stream is None:
            raise PeerGone
        return stream

    def forget(self, *streams: Stream) -> None:
        """Let streams go that are over: a connection may see many. What still comes is dropped."""
        for stream in streams:
            self._streams.pop(stream.number, None)
            stream.drop()

    async def flush(self) -> None:
        """Write what is due; return when the connection takes more. Raises PeerGone."""
        if data := self.connection.data_to_send():
            self._writer.write(data)
        try:
            await self._writer.drain()
        except OSError as exc:
            raise PeerGone from exc

    async def _run(self) -> None:
        try:
            while data := await self._reader.read(_CHUNK):
                for event in self.connection.receive(data):
                    await self._take(event)
                await self.flush()
        except (OSError, ProtocolError, PeerGone):
            self._writer.close()  # nothing more can be said on this connection
        for stream in self._streams.values():
            stream.lose()
        self._opened.put_nowait(None)
        self.gone.set()

    async def _take(self, event: Event) -> None:
        if isinstance(event, StreamOpened):
            stream = self._streams[event.stream] = Stream(self, event.stream, event.headers)
            self.connection.reply(event.stream)
            self._opened.put_nowait(stream)
            if event.fin:
                stream.pieces.put_nowait(b"")
            return
        if isinstance(event, Closing) or event.stream not in self._streams:
            return
        stream = self._streams[event.stream]
        if isinstance(event, DataReceived) and event.data:
            await self._keep(stream, event.data)
        if isinstance(event, StreamReset) or event.fin:
            await self._keep(stream, b"")

    async def _keep(self, stream: Stream, piece: bytes) -> None:
        """Hand *piece* on; a peer that is held back by that is told something now and then.

        Its end would not be seen otherwise: nothing is read, but writing to who has gone fails.
        """
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(HELD_BACK) if stream.pieces.full() else nullcontext():
                    await stream.pieces.put(piece)
                    return
            self.connection.ping()
            await self.flush()

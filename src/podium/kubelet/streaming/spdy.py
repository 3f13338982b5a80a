"""SPDY/3.1 on a connection that was taken over: streams as tasks see them.

What the connection holds is :mod:`podium.kit.spdy`; here bytes are read and written. A stream that
nobody reads holds back the whole connection, as with upstream: SPDY's windows are not in use.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from podium.kit.spdy.connection import Connection, DataReceived, Event, StreamOpened, StreamReset
from podium.kit.spdy.frames import Headers, ProtocolError
from podium.kubelet.streaming import protocol
from podium.kubelet.streaming.command import PeerGone
from podium.kubelet.streaming.protocol import Channel, Size
from podium.runtime.stream_port import StreamOptions

#: Pieces that a stream keeps for its reader before the connection is held back.
_PIECES = 64
_CHUNK = 64 * 1024
#: Seconds for a client to open the streams that it asked for.
CREATION_TIMEOUT = 30.0


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

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self.connection = Connection(server=True)
        self._opened: asyncio.Queue[Stream | None] = asyncio.Queue()
        self._reader, self._writer = reader, writer
        self._streams: dict[int, Stream] = {}
        self.gone = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def running(cls, reader: Reader, writer: Writer) -> AsyncIterator[Session]:
        """Read from the connection while the body runs."""
        session = cls(reader, writer)
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(session._run(), name="spdy")
            try:
                yield session
            finally:
                reading.cancel()

    async def next_stream(self) -> Stream:
        """Return the next stream that the peer opens. Raises PeerGone."""
        stream = await self._opened.get()
        if stream is None:
            raise PeerGone
        return stream

    def forget(self, *streams: Stream) -> None:
        """Let streams go that are over: a connection may see many."""
        for stream in streams:
            self._streams.pop(stream.number, None)

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
        elif isinstance(event, DataReceived) and event.stream in self._streams:
            pieces = self._streams[event.stream].pieces
            if event.data:
                await pieces.put(event.data)
            if event.fin:
                await pieces.put(b"")
        elif isinstance(event, StreamReset) and event.stream in self._streams:
            await self._streams[event.stream].pieces.put(b"")


class SpdyPeer:
    """``Peer`` over the streams that ``kubectl exec`` opens: one for each channel."""

    def __init__(self, session: Session, streams: dict[str, Stream], version: int) -> None:
        self._session, self._streams, self._version = session, streams, version

    @classmethod
    async def accept(cls, session: Session, options: StreamOptions, chosen: str) -> SpdyPeer:
        """Wait for the streams that *options* name. Raises PeerGone, TimeoutError."""
        version = int(chosen[1]) if chosen.startswith("v") else 1
        wanted = {"error"}
        for name, asked in (
            ("stdin", options.stdin),
            ("stdout", options.stdout),
            ("stderr", options.stderr),
            ("resize", options.tty and version >= 3),
        ):
            wanted |= {name} if asked else set()
        streams: dict[str, Stream] = {}
        async with asyncio.timeout(CREATION_TIMEOUT):
            while set(streams) != wanted:
                stream = await session.next_stream()
                name = stream.header("streamType")
                if name in wanted:
                    streams[name] = stream
                else:
                    await stream.reset()
        return cls(session, streams, version)

    async def gone(self) -> None:
        await self._session.gone.wait()

    async def read_stdin(self) -> bytes:
        return await self._streams["stdin"].read()

    async def read_size(self) -> Size:
        if "resize" in self._streams:
            while data := await self._streams["resize"].read():
                if size := protocol.read_size(data):
                    return size
        await asyncio.get_running_loop().create_future()  # no more sizes: until cancelled
        raise AssertionError

    async def write(self, channel: Channel, data: bytes) -> None:
        await self._streams[channel.name.lower()].write(data)

    async def finish(self, status: bytes) -> None:
        said = status if self._version >= 4 else protocol.plain(status)
        if said:
            await self._streams["error"].write(said)
        for stream in self._streams.values():
            await stream.finish()
        self._session.connection.close()
        await self._session.flush()

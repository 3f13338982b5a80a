"""A command's channels over SPDY/3.1: one stream for each."""

from __future__ import annotations

import asyncio

from podium.kit.spdy.session import Session, Stream
from podium.kubelet.streaming import protocol
from podium.kubelet.streaming.protocol import Channel, Size
from podium.runtime.stream_port import StreamOptions

#: Seconds for a client to open the streams that it asked for.
CREATION_TIMEOUT = 30.0


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

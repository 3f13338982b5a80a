"""WebSocket: channels in messages, each begun with a byte (or, in base64, a digit) for its channel.

Since v5 a client may end its input: a message of 255 and the channel's number.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress

from aiohttp import WSMsgType, web

from podium.kit.spdy.session import HELD_BACK, PeerGone
from podium.kubelet.streaming import protocol
from podium.kubelet.streaming.protocol import CLOSE, Channel, Size
from podium.runtime.stream_port import StreamOptions

#: Messages of a channel that are kept for its reader; each may be as long as is taken.
_PIECES = 2
#: A message longer than this ends the connection; clients send a few ten thousand bytes at once.
MESSAGE_LIMIT = 64 << 20
#: What is sent in one message: as much as upstream; some clients take no more than the double.
_PIECE = 32 * 1024


class Channels:
    """The channels of one connection, while :meth:`open`; numbers are the caller's to know."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self.protocol = socket.ws_protocol or ""
        self._base64 = "base64" in self.protocol
        self._incoming: dict[int, asyncio.Queue[bytes | None]] = {}
        self.gone = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, request: web.Request, protocols: tuple[str, ...], reads: tuple[int, ...]
    ) -> AsyncIterator[Channels]:
        """Answer the handshake; channels of *reads* can be read, others' messages are dropped.

        Raises HTTPForbidden for a client that speaks other protocols alone.
        """
        offered = [
            name.strip()
            for text in request.headers.getall("Sec-WebSocket-Protocol", [])
            for name in text.split(",")
        ]
        if offered and not set(offered) & set(protocols):
            named, known = " ".join(offered), " ".join(protocols)
            raise web.HTTPForbidden(
                text=f"requested protocol(s) are not supported: [{named}]; supports [{known}]"
            )
        socket = web.WebSocketResponse(
            protocols=protocols, max_msg_size=MESSAGE_LIMIT, compress=False
        )
        await socket.prepare(request)
        channels = cls(socket)
        channels._incoming = {number: asyncio.Queue(_PIECES) for number in reads}
        async with asyncio.TaskGroup() as tasks:
            sorting = tasks.create_task(channels._sort(), name="websocket")
            try:
                yield channels
                await socket.close()
            finally:
                sorting.cancel()

    async def greet(self, options: StreamOptions) -> None:
        """Tell the client that the connection is there: an empty message on what it listens to."""
        outward = Channel.STDOUT if options.stdout else Channel.STDERR
        if not options.stdout and not options.stderr:
            outward = Channel.ERROR
        await self.write(outward, b"")

    async def read(self, number: int) -> bytes:
        """Return the next message of a channel, b"" at its end. Raises PeerGone."""
        queue = self._incoming[number]
        data = await queue.get()
        if data is None:
            _lose(queue)
            raise PeerGone
        if not data:
            queue.put_nowait(b"")
        return data

    async def write(self, number: int, data: bytes) -> None:
        """Return when the connection takes more. Raises PeerGone."""
        try:
            for start in range(0, len(data) or 1, _PIECE):
                await self._send(number, data[start : start + _PIECE])
        except OSError as exc:
            raise PeerGone from exc

    async def _send(self, number: int, data: bytes) -> None:
        if self._base64:
            await self.socket.send_str(f"{number}{base64.b64encode(data).decode()}")
        else:
            await self.socket.send_bytes(bytes((number,)) + data)

    async def _sort(self) -> None:
        async for message in self.socket:
            number, data = self._parse(message.type, message.data)
            queue = self._incoming.get(number)
            if number == CLOSE and data and self.protocol.startswith("v5."):
                ended = self._incoming.get(data[0])
                if ended is not None:
                    await self._keep(ended, b"")
            elif queue is not None and data:
                await self._keep(queue, data)
        for queue in self._incoming.values():
            _lose(queue)
        self.gone.set()

    async def _keep(self, queue: asyncio.Queue[bytes | None], piece: bytes) -> None:
        """As with SPDY: who is held back is told something, which fails where it has gone.

        An answer to a ping that is not read yet: kubectl takes who is silent for a minute for dead.
        """
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(HELD_BACK) if queue.full() else nullcontext():
                    await queue.put(piece)
                    return
            with suppress(OSError):
                await self.socket.pong()

    def _parse(self, kind: WSMsgType, data: bytes | str) -> tuple[int, bytes]:
        """The channel of a message (-1 for what is none), and what it says."""
        if kind is WSMsgType.TEXT and isinstance(data, str):
            if not self._base64:
                data = data.encode()
            elif not data[:1].isdecimal():
                return -1, b""
            else:
                try:
                    return int(data[0]), base64.b64decode(data[1:], validate=True)
                except ValueError:  # no base64, or no ASCII
                    return -1, b""
        if isinstance(data, str) or not data:
            return -1, b""
        return data[0], data[1:]


def _lose(queue: asyncio.Queue[bytes | None]) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(None)


class WebSocketPeer:
    """``Peer`` over the channels of one connection."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def gone(self) -> None:
        await self._channels.gone.wait()

    async def read_stdin(self) -> bytes:
        return await self._channels.read(Channel.STDIN)

    async def read_size(self) -> Size:
        while True:
            size = protocol.read_size(await self._channels.read(Channel.RESIZE))
            if size is not None:
                return size

    async def write(self, channel: Channel, data: bytes) -> None:
        await self._channels.write(channel, data)

    async def finish(self, status: bytes) -> None:
        spoken = self._channels.protocol
        said = status if spoken.startswith(("v4.", "v5.")) else protocol.plain(status)
        if said:
            await self._channels.write(Channel.ERROR, said)

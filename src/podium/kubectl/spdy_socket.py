"""SPDY/3.1 to servers that know no WebSocket for a purpose, as upstream's kubectl falls back to it.

A command's streams come in the form of a WebSocket's messages, each begun with its channel.
"""

from __future__ import annotations

from collections.abc import Iterator

from podium.kit.spdy.connection import Connection, DataReceived, Event, StreamReset
from podium.kit.spdy.frames import ProtocolError
from podium.kubectl.errors import CommandError
from podium.kubectl.http import Http, Query
from podium.kubectl.unblocked import Unblocked

_PROTOCOL = "x-stream-protocol-version"
_COMMANDS = "v4.channel.k8s.io"
_ERROR = 3
#: The streams of a command in the order in which they are opened, with their channels.
_STREAMS = (("error", _ERROR), ("stdin", 0), ("stdout", 1), ("stderr", 2), ("resize", 4))
_CLOSE = 255


class Bare(Unblocked):
    """A connection that speaks SPDY: the bytes as they are."""

    def __init__(self, http: Http, path: str, query: Query, protocol: str) -> None:
        """Raises Refused, CommandError."""
        headers = [("Upgrade", "SPDY/3.1"), (_PROTOCOL, protocol)]
        super().__init__(http, "POST", path, query, headers)
        chosen = self.response.header(_PROTOCOL)
        if chosen != protocol:
            self.close()
            raise CommandError(f"unable to upgrade connection: {protocol} is not served")

    def send(self, data: bytes) -> None:
        self.put(data)

    def receive(self) -> Iterator[bytes]:
        return self.take()


class SpdySocket(Bare):
    """The streams of a command that are asked for in *query*."""

    def __init__(self, http: Http, path: str, query: Query) -> None:
        """Raises Refused, CommandError."""
        super().__init__(http, path, query, _COMMANDS)
        asked = {name for name, value in query if value == "true"} | {"error"}
        asked |= {"resize"} if "tty" in asked else set()
        self._connection = Connection(server=False)
        self._streams = {
            channel: self._connection.open({"streamtype": (name,)})
            for name, channel in _STREAMS
            if name in asked
        }
        self._channels = {stream: channel for channel, stream in self._streams.items()}
        self._status = b""
        self._say()

    def send(self, *parts: bytes) -> None:
        """Take a message on; it goes with :meth:`flush`."""
        message = b"".join(parts)
        if message[0] == _CLOSE:
            self._connection.finish(self._streams[message[1]])
        else:
            self._connection.send(self._streams[message[0]], message[1:])
        self._say()

    def _say(self) -> None:
        if data := self._connection.data_to_send():
            self.put(data)

    def receive(self) -> Iterator[bytes]:
        """Yield messages that have come. Raises Unreachable, CommandError."""
        for data in self.take():
            try:
                events = self._connection.receive(data)
            except ProtocolError as exc:
                raise CommandError(f"error reading from the server: {exc}") from exc
            self._say()
            for event in events:
                yield from self._message(event)

    def _message(self, event: Event) -> Iterator[bytes]:
        if not isinstance(event, DataReceived | StreamReset):
            return
        channel = self._channels.get(event.stream, -1)
        if isinstance(event, StreamReset):
            self._ended = self._ended or channel == _ERROR
        elif channel == _ERROR:
            self._status += event.data
            if event.fin:  # nothing said is success
                yield bytes((_ERROR,)) + (self._status or b'{"status":"Success"}')
        elif channel >= 0 and event.data:
            yield bytes((channel,)) + event.data

"""exec and attach: a WebSocket to a process in a container, and this process's own streams."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from dataclasses import dataclass
from typing import Any

import aiohttp

from podium.kubectl import sockets
from podium.kubectl.errors import CommandError, Exited, Failed, Lost
from podium.kubectl.http import Http, Query
from podium.kubectl.terminal import DetachKeys, raw_terminal

_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDIN, _STDOUT, _STDERR, _ERROR, _RESIZE = range(5)
_CLOSE = 255
_CHUNK = 32 * 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which streams; with *tty* this side's terminal becomes the process's.

    *redraws*: the terminal says a wrong size first, so that what runs there draws all of it anew.
    """

    stdin: bool
    tty: bool = False
    stderr: bool = True
    detach: DetachKeys | None = None
    redraws: bool = False

    def query(self) -> list[tuple[str, str]]:
        query = [("stdout", "true")]
        query += [("stdin", "true")] if self.stdin else []
        query += [("tty", "true")] if self.tty else [("stderr", "true")] * self.stderr
        return query


@dataclass(frozen=True, slots=True)
class Ends:
    """Descriptors of this side."""

    stdin: int = 0
    stdout: int = 1
    stderr: int = 2


def connect(http: Http, path: str, query: Query, wanted: Wanted, ends: Ends | None = None) -> None:
    """Carry the streams until the process has ended, or the user has detached from it.

    Raises Exited, StatusError and CommandError in upstream's words.
    """
    carrier = _Carrier(wanted, ends or Ends())
    try:
        with raw_terminal(wanted.tty):
            asyncio.run(carrier.run(http, path, [*query, *wanted.query()]))
    except asyncio.CancelledError:
        raise Failed(128 + carrier.killed_by) from None


class _Carrier:
    def __init__(self, wanted: Wanted, ends: Ends) -> None:
        self._wanted, self._ends = wanted, ends
        self.killed_by = 0

    async def run(self, http: Http, path: str, query: Query) -> None:
        async with (
            sockets.client(http) as session,
            sockets.websocket(session, http, path, query, _PROTOCOLS) as socket,
        ):
            if self._wanted.tty:
                await self._mind_terminal(socket)
            feeder = _Feeder(socket, self._ends.stdin, self._wanted.detach)
            if self._wanted.stdin:
                feeder.start()
            await self._carry(socket, feeder)

    async def _mind_terminal(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Tell of its size, now and whenever it changes; signals shall not leave it raw."""
        loop, this = asyncio.get_running_loop(), asyncio.current_task()

        def killed(number: int) -> None:
            self.killed_by = number
            if this is not None:
                this.cancel()

        if self._wanted.redraws:
            await _send_size(socket, 1)
        await _send_size(socket)
        loop.add_signal_handler(
            signal.SIGWINCH, lambda: asyncio.run_coroutine_threadsafe(_send_size(socket), loop)
        )
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, killed, number)

    async def _carry(self, socket: aiohttp.ClientWebSocketResponse, feeder: _Feeder) -> None:
        outward = {_STDOUT: self._ends.stdout, _STDERR: self._ends.stderr}
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
                continue
            channel = message.data[0]
            if channel in outward:
                _write(outward[channel], memoryview(message.data)[1:])
            elif channel == _ERROR:
                _judge(json.loads(message.data[1:]))
                return
        if not feeder.detached:
            raise Lost("the connection was lost before the command had ended")


class _Feeder:
    """Reads the input in a thread, for a terminal or a file cannot be waited for alike.

    The thread is a daemon: it is left in the midst of its last read when the command has ended.
    """

    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse, source: int, keys: DetachKeys | None
    ) -> None:
        self._socket, self._source, self._keys = socket, source, keys
        self._loop = asyncio.get_running_loop()
        self.detached = False

    def start(self) -> None:
        threading.Thread(target=self._run, name="stdin", daemon=True).start()

    def _run(self) -> None:
        while data := self._read():
            if self._keys is not None:
                data, self.detached = self._keys.feed(data)
            if data and not self._send(bytes((_STDIN,)) + data):
                return
            if self.detached:
                asyncio.run_coroutine_threadsafe(self._close(), self._loop)
                return
        self._send(bytes((_CLOSE, _STDIN)))

    def _read(self) -> bytes:
        try:
            return os.read(self._source, _CHUNK)
        except OSError:
            return b""  # the terminal has gone

    def _send(self, message: bytes) -> bool:
        """Send, and wait until the connection takes more; tell whether it still does."""
        if message[0] == _CLOSE and not str(self._socket.protocol).startswith("v5."):
            return False
        sending = self._socket.send_bytes(message)
        try:
            asyncio.run_coroutine_threadsafe(_done(sending), self._loop).result()
        except (OSError, RuntimeError, aiohttp.ClientError, asyncio.CancelledError):
            return False
        return True

    async def _close(self) -> None:
        await self._socket.close()


async def _done(sending: Any) -> None:
    await sending


def _write(descriptor: int, rest: memoryview) -> None:
    while rest:
        rest = rest[os.write(descriptor, rest) :]


async def _send_size(socket: aiohttp.ClientWebSocketResponse, more: int = 0) -> None:
    size = os.get_terminal_size(0)
    if size.columns and size.lines:
        text = json.dumps({"Width": size.columns + more, "Height": size.lines + more})
        await socket.send_bytes(bytes((_RESIZE,)) + text.encode())


def _judge(status: dict[str, Any]) -> None:
    """Raise what the last word about a process asks for."""
    if status.get("status") == "Success":
        return
    if status.get("reason") == "NonZeroExitCode":
        for cause in (status.get("details") or {}).get("causes") or ():
            if cause.get("reason") == "ExitCode":
                raise Exited(int(cause["message"]))
    raise CommandError(str(status.get("message", "")))

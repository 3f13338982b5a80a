"""exec and attach: a WebSocket to a process in a container, and this process's own streams.

The only part of this kubectl with an event loop; it is imported where streams are wanted.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import termios
import threading
import tty
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from podium.kubectl.errors import CommandError, Failed, StatusError
from podium.kubectl.http import Http, Query

_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDIN, _STDOUT, _STDERR, _ERROR, _RESIZE = range(5)
_CLOSE = 255
_CHUNK = 32 * 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which streams; with *tty* this side's terminal becomes the process's."""

    stdin: bool
    tty: bool
    stderr: bool = True

    def query(self) -> list[tuple[str, str]]:
        query = [("stdout", "true")]
        query += [("stdin", "true")] if self.stdin else []
        query += [("tty", "true")] if self.tty else [("stderr", "true")] * self.stderr
        return query


def connect(http: Http, path: str, query: Query, wanted: Wanted) -> int:
    """Carry the streams until the process has ended; return the exit code of the command.

    Raises StatusError and CommandError in upstream's words.
    """
    with _raw_terminal(wanted.tty):
        return asyncio.run(_connect(http, path, [*query, *wanted.query()], wanted))


async def _connect(http: Http, path: str, query: Query, wanted: Wanted) -> int:
    target = http.address(path, query)
    headers = dict(http.identity())
    connector = aiohttp.TCPConnector(ssl=http.tls() if target.startswith("https") else False)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        try:
            socket = await session.ws_connect(
                target, protocols=_PROTOCOLS, max_msg_size=0, compress=0
            )
        except aiohttp.WSServerHandshakeError:
            raise await _refusal(session, target) from None
        except aiohttp.ClientConnectorError as exc:
            raise CommandError(f"unable to connect to the server: {exc}") from exc
        async with socket:
            return await _carry(socket, wanted)


async def _refusal(session: aiohttp.ClientSession, target: str) -> CommandError:
    """Ask once more, for the text: a failed handshake keeps it to itself."""
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Protocol": ",".join(_PROTOCOLS),
    }
    async with session.get(target, headers=headers) as response:
        text = await response.text()
    with contextlib.suppress(ValueError):
        status = json.loads(text)
        if isinstance(status, dict) and status.get("kind") == "Status":
            return StatusError(status)
    return CommandError(f"unable to upgrade connection: {text.strip()}")


async def _carry(socket: aiohttp.ClientWebSocketResponse, wanted: Wanted) -> int:
    loop = asyncio.get_running_loop()
    if wanted.tty:
        await _send_size(socket)
        tasks = set[asyncio.Task[None]]()

        def resized() -> None:
            task = loop.create_task(_send_size(socket))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        loop.add_signal_handler(signal.SIGWINCH, resized)
    if wanted.stdin:
        _Feeder(socket, loop).start()
    async for message in socket:
        if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
            continue
        channel, data = message.data[0], message.data[1:]
        if channel in (_STDOUT, _STDERR):
            _write(1 if channel == _STDOUT else 2, data)
        elif channel == _ERROR:
            return _exit_code(json.loads(data))
    raise CommandError("the connection was lost before the command had ended")


class _Feeder:
    """Reads standard input in a thread, for a terminal or a file cannot be waited for alike.

    The thread is a daemon: it is left in the midst of its last read when the command has ended.
    """

    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._socket, self._loop = socket, loop

    def start(self) -> None:
        threading.Thread(target=self._run, name="stdin", daemon=True).start()

    def _run(self) -> None:
        while True:
            data = os.read(0, _CHUNK)
            if not self._send(bytes((_STDIN,)) + data if data else bytes((_CLOSE, _STDIN))):
                return
            if not data:
                return

    def _send(self, message: bytes) -> bool:
        """Send, and wait until the connection takes more; tell whether it still does."""
        if message[0] == _CLOSE and not str(self._socket.protocol).startswith("v5."):
            return False
        try:
            sending = self._socket.send_bytes(message)
            asyncio.run_coroutine_threadsafe(sending, self._loop).result()
        except (OSError, RuntimeError, asyncio.CancelledError):
            return False
        return True


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


async def _send_size(socket: aiohttp.ClientWebSocketResponse) -> None:
    size = os.get_terminal_size(0)
    if size.columns and size.lines:
        text = json.dumps({"Width": size.columns, "Height": size.lines})
        await socket.send_bytes(bytes((_RESIZE,)) + text.encode())


def _exit_code(status: dict[str, Any]) -> int:
    if status.get("status") == "Success":
        return 0
    if status.get("reason") == "NonZeroExitCode":
        for cause in (status.get("details") or {}).get("causes") or ():
            if cause.get("reason") == "ExitCode":
                sys.stdout.flush()
                print(f"command terminated with exit code {cause['message']}", file=sys.stderr)
                raise Failed(int(cause["message"]))
    raise CommandError(str(status.get("message", "")))


@contextlib.contextmanager
def _raw_terminal(wanted: bool) -> Iterator[None]:
    """Hand every key on as it is typed, and the terminal back as it was."""
    if not wanted:
        yield
        return
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def settle(stdin: bool, terminal: bool) -> Wanted:
    """Return the streams for ``-i`` and ``-t``; a terminal needs one on this side."""
    if terminal and not stdin:
        terminal = False
    if terminal and not os.isatty(0):
        print("Unable to use a TTY - input is not a terminal or the right kind of file",
              file=sys.stderr)  # fmt: skip
        terminal = False
    return Wanted(stdin, terminal)


__all__: Sequence[str] = ("Wanted", "connect", "settle")

"""exec and attach: a connection to a process in a container, and this process's own streams."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal

from podium.kubectl.errors import CommandError, Exited, Failed, Lost
from podium.kubectl.terminal import raw_terminal
from podium.kubectl.unblocked import NotTaken, Refused
from podium.kubectl.web_socket import WebSocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import Any

    from podium.kubectl.http import Http, Query
    from podium.kubectl.spdy_socket import SpdySocket
    from podium.kubectl.terminal import DetachKeys

#: The only one over WebSocket in which the input has an end of its own.
_PROTOCOLS = ("v5.channel.k8s.io",)
_STDIN, _STDOUT, _STDERR, _ERROR, _RESIZE = range(5)
_CLOSE = 255
_LOST = "the connection was lost before the command had ended"
_CHUNK = 128 * 1024
#: Bytes that may wait for the connection before more of the input is read.
_AHEAD = 4 * _CHUNK
_PIPE_SIZE = 1 << 20


class Wanted:
    """Which streams; with *tty* this side's terminal becomes the process's.

    *redraws*: the terminal says a wrong size first, so that what runs there draws all of it anew.
    """

    __slots__ = ("detach", "redraws", "stderr", "stdin", "tty")

    def __init__(
        self,
        stdin: bool,
        tty: bool = False,
        *,
        stderr: bool = True,
        detach: DetachKeys | None = None,
        redraws: bool = False,
    ) -> None:
        self.stdin, self.tty, self.stderr = stdin, tty, stderr
        self.detach, self.redraws = detach, redraws

    def query(self) -> list[tuple[str, str]]:
        query = [("stdout", "true")]
        query += [("stdin", "true")] if self.stdin else []
        query += [("tty", "true")] if self.tty else [("stderr", "true")] * self.stderr
        return query


class Ends:
    """Descriptors of this side."""

    __slots__ = ("stderr", "stdin", "stdout")

    def __init__(self, stdin: int = 0, stdout: int = 1, stderr: int = 2) -> None:
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr


class _Killed(Exception):
    """This process got a signal that ends it, at a time when its terminal is not its own."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def connect(http: Http, path: str, query: Query, wanted: Wanted, ends: Ends | None = None) -> None:
    """Carry the streams until the process has ended, or the user has detached from it.

    Raises Exited, StatusError and CommandError in upstream's words.
    """
    socket = _opened(http, path, [*query, *wanted.query()])
    with contextlib.closing(socket), raw_terminal(wanted.tty), _signals(wanted.tty) as woken:
        status = _Carrier(socket, wanted, ends or Ends(), woken).run()
    if status is not None:
        _judge(status)


def output(http: Http, path: str, query: Query, err: int = 2) -> Iterator[memoryview]:
    """Yield what a process writes, piece by piece; its errors go to the descriptor *err*.

    Raises as :func:`connect` does.
    """
    socket = _opened(http, path, [*query, *Wanted(stdin=False).query()])
    with contextlib.closing(socket):
        while not socket.ended:
            for message in socket.receive():
                channel = message[0] if message else -1
                if channel == _STDOUT:
                    yield memoryview(message)[1:]
                elif channel == _STDERR:
                    _write(err, memoryview(message)[1:])
                elif channel == _ERROR:
                    _judge(json.loads(message[1:]))
                    return
            if not socket.ended:
                _flush(socket)
                select.select([socket], [socket] if socket.unsent else [], [])
    raise Lost(_LOST)


def _opened(http: Http, path: str, query: Query) -> WebSocket | SpdySocket:
    """Raises CommandError."""
    with contextlib.suppress(Refused):  # an older server, or one that lets us only ``create``
        if os.environ.get("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "").lower() != "false":
            return WebSocket(http, path, query, _PROTOCOLS)
    from podium.kubectl.spdy_socket import SpdySocket

    return SpdySocket(http, path, query)


class _Carrier:
    """One turn after the other: wait for either end, read what there is, write what goes."""

    def __init__(
        self, socket: WebSocket | SpdySocket, wanted: Wanted, ends: Ends, woken: int
    ) -> None:
        self._socket, self._wanted, self._ends, self._woken = socket, wanted, ends, woken
        self._reads = wanted.stdin
        self._detached = False
        with contextlib.suppress(OSError):  # no pipe
            fcntl.fcntl(self._ends.stdin, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)

    def run(self) -> dict[str, Any] | None:
        """Return the last word about the process, None where the user has detached."""
        if self._wanted.tty:
            if self._wanted.redraws:
                self._send_size(1)
            self._send_size()
        status = self._receive()  # what came with the answer is not waited for
        while status is None and not self._socket.ended:
            _flush(self._socket)
            readable, _, _ = select.select(*self._awaited())
            if self._woken in readable:
                os.read(self._woken, _CHUNK)
                self._send_size()
            if self._ends.stdin in readable and self._reads:
                self._read()
                if self._detached:
                    return None
            if self._socket.fileno() in readable:
                status = self._receive()
        if status is None:
            raise Lost(_LOST)
        return status

    def _awaited(self) -> tuple[list[int], list[int], list[int]]:
        incoming = [self._socket.fileno()] + [self._woken] * (self._woken >= 0)
        if self._reads and self._socket.unsent < _AHEAD:
            incoming.append(self._ends.stdin)
        outgoing = [self._socket.fileno()] if self._socket.unsent else []
        return incoming, outgoing, []

    def _read(self) -> None:
        try:
            data = os.read(self._ends.stdin, _CHUNK)
        except OSError:
            data = b""  # the terminal has gone
        if not data:
            self._reads = False
            self._socket.send(bytes((_CLOSE, _STDIN)))
            return
        if self._wanted.detach is not None:
            data, self._detached = self._wanted.detach.feed(data)
        if data:
            self._socket.send(bytes((_STDIN,)), data)

    def _receive(self) -> dict[str, Any] | None:
        outward = {_STDOUT: self._ends.stdout, _STDERR: self._ends.stderr}
        for message in self._socket.receive():
            channel = message[0] if message else -1
            if channel in outward:
                _write(outward[channel], memoryview(message)[1:])
            elif channel == _ERROR:
                status: dict[str, Any] = json.loads(message[1:])
                return status
        return None

    def _send_size(self, more: int = 0) -> None:
        size = os.get_terminal_size(0)
        if size.columns and size.lines:
            text = json.dumps({"Width": size.columns + more, "Height": size.lines + more})
            self._socket.send(bytes((_RESIZE,)) + text.encode())


def _flush(socket: WebSocket | SpdySocket) -> None:
    """Send what there is, where somebody takes it: who has left may have said how it ended."""
    with contextlib.suppress(NotTaken):
        socket.flush()


def _write(descriptor: int, rest: memoryview) -> None:
    while rest:
        rest = rest[os.write(descriptor, rest) :]


@contextlib.contextmanager
def _signals(wanted: bool) -> Iterator[int]:
    """Yield a descriptor that can be read when the terminal has got another size, -1 where there is
    none. Raises Failed for a signal that ends this process, when its terminal is its own again."""
    if not wanted:
        yield -1
        return
    woken, wakes = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def killed(number: int, _frame: FrameType | None) -> None:
        raise _Killed(number)

    former = {number: signal.signal(number, killed) for number in (signal.SIGTERM, signal.SIGHUP)}
    former[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, lambda *_: None)
    former_descriptor = signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    try:
        yield woken
    except _Killed as exc:
        raise Failed(128 + exc.number) from None
    finally:
        signal.set_wakeup_fd(former_descriptor)
        for number, handler in former.items():
            signal.signal(number, handler)
        os.close(woken)
        os.close(wakes)


def _judge(status: dict[str, Any]) -> None:
    """Raise what the last word about a process asks for."""
    if status.get("status") == "Success":
        return
    if status.get("reason") == "NonZeroExitCode":
        for cause in (status.get("details") or {}).get("causes") or ():
            if cause.get("reason") == "ExitCode":
                raise Exited(int(cause["message"]))
    raise CommandError(str(status.get("message", "")))

"""Answers that go on for long, and break off."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from podium.kubectl import log_following, wire
from podium.kubectl.errors import CommandError, FellSilent, Unreachable
from podium.kubectl.http import Http
from podium.kubectl.kubeconfig import Connection
from podium.kubectl.log_following import LogRequest

_LINE = "2025-01-13T07:30:0{0}.000000Z {0}\n"


class _Logging(Http):
    """A server that says a line more each time it is asked, and then nothing."""

    def __init__(self, ends: ExitStack) -> None:
        super().__init__(Connection("http://there"))
        self._ends, self._asked = ends, 0

    def another(self) -> Http:
        return self

    def _dial(self) -> socket.socket:
        near, far = socket.socketpair()
        self._ends.enter_context(far)
        self._asked += 1
        lines = "".join(map(_LINE.format, range(self._asked)))
        far.sendall(f"HTTP/1.1 200 OK\r\n\r\n{lines}".encode())
        far.shutdown(socket.SHUT_WR)
        return near


@pytest.fixture
def server() -> Iterator[_Logging]:
    with ExitStack() as ends:
        yield _Logging(ends)


def _breaking(monkeypatch: pytest.MonkeyPatch, *failures: Exception) -> None:
    """Let the answers end by *failures*, one after the other."""
    left, read = list(failures), wire._some

    def some(file: object) -> bytes:
        data = read(file)  # type: ignore[arg-type]
        if not data and left:
            raise left.pop(0)
        return data

    monkeypatch.setattr(wire, "_some", some)


def _vanished() -> TimeoutError:
    """What the kernel says of a server that no longer answers it."""
    return TimeoutError(errno.ETIMEDOUT, "Connection timed out")


def test_a_server_that_has_vanished_is_not_one_that_is_given_no_more_time(
    server: _Logging, monkeypatch: pytest.MonkeyPatch
):
    _breaking(monkeypatch, _vanished(), TimeoutError("timed out"))
    with pytest.raises(Unreachable) as vanished:
        list(server.stream("/x"))
    assert not isinstance(vanished.value, FellSilent)
    with pytest.raises(FellSilent):
        list(server.stream("/x"))


def test_a_log_goes_on_when_its_server_had_vanished(
    server: _Logging, monkeypatch: pytest.MonkeyPatch, capfdbinary
):
    monkeypatch.setattr(log_following, "_PAUSE", 0)
    request = LogRequest("/log", [("follow", "true"), ("container", "web")])
    _breaking(monkeypatch, _vanished(), ConnectionResetError(errno.ECONNRESET, "reset"))
    log_following.show(server, request)
    assert capfdbinary.readouterr().out == b"0\n1\n2\n"
    _breaking(monkeypatch, TimeoutError("timed out"))
    with pytest.raises(CommandError, match="timed out"):
        log_following.show(server, request)


@pytest.mark.parametrize("ignore_errors", [False, True])
def test_nobody_waits_for_a_log_whose_reading_has_broken(
    server: _Logging, monkeypatch: pytest.MonkeyPatch, capfdbinary, *, ignore_errors: bool
):
    told: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: told.append(args.exc_type))
    _breaking(monkeypatch, ZeroDivisionError())
    requests = [LogRequest("/log", [("container", "web")])]
    wrong = "a log was not read: a bug of this kubectl's"
    if ignore_errors:
        log_following.follow(server, requests, ignore_errors=True)
        assert capfdbinary.readouterr().out == f"{_LINE.format(0)}error: {wrong}\n".encode()
    else:
        with pytest.raises(CommandError, match=wrong):
            log_following.follow(server, requests, ignore_errors=False)
    for thread in threading.enumerate():
        if thread.name == "log":
            thread.join(60)
    assert told == [ZeroDivisionError]

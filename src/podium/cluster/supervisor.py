"""Runs a cluster's processes: forks them, tells when they are ready, restarts what dies.

The supervisor has one thread and no event loop, so it may fork at any time: what it has imported
is shared with its children, who therefore start fast and in little memory. A child never outlives
it (the kernel sends SIGINT: SIGTERM may mean that the whole node goes), and containers never die
with either.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence

import msgspec
from setproctitle import setproctitle

from podium.cluster.aside import end_with

logger = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
#: A child that dies is started again at once, and ever later while it keeps dying.
_RESTART_DELAYS = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
#: A child that has lived this long (seconds) is forgiven its former deaths.
_FORGIVEN_AFTER = 60.0


class Component(msgspec.Struct, frozen=True):
    """One process: ``run`` gets a function to call when it is ready, and returns an exit code."""

    name: str
    run: Callable[[Callable[[], None]], int]
    on_ready: Callable[[], None] = lambda: None
    #: Seconds it may take to end after a signal before it is killed.
    stop_timeout: float = 10.0


class _Child(msgspec.Struct):
    component: Component
    pid: int = 0
    ready_fd: int = -1
    started: float = 0.0
    deaths: int = 0
    start_at: float = 0.0


class Supervisor:
    """Keep *components* running until SIGTERM or SIGINT; stop them by that, in reverse order.

    *housekeeping* is called every *housekeeping_interval* seconds.
    """

    def __init__(
        self,
        components: Sequence[Component],
        *,
        housekeeping: Callable[[], None] = lambda: None,
        housekeeping_interval: float = 3600.0,
    ) -> None:
        self._children = [_Child(component) for component in components]
        self._housekeeping = housekeeping
        self._interval = housekeeping_interval
        self._stopping = False
        self._signal = int(signal.SIGTERM)
        self._wakeup: tuple[int, int] = (-1, -1)

    def run(self) -> int:
        """Return the exit code: 0 after a signal."""
        self._catch_signals()
        gc.freeze()  # what is shared with the children stays shared: the collector never touches it
        next_housekeeping = time.monotonic() + self._interval
        while not self._stopping:
            now = time.monotonic()
            for child in self._children:
                if child.pid == 0 and child.start_at <= now:
                    self._start(child)
            self._wait(self._next_wakeup(next_housekeeping))
            if not self._stopping and time.monotonic() >= next_housekeeping:
                next_housekeeping += self._interval
                self._housekeeping()
        self._stop_all()
        return 0

    def _catch_signals(self) -> None:
        read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._wakeup = (read, write)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, self._on_stop)

    def _on_stop(self, number: int, _frame: object) -> None:
        self._stopping, self._signal = True, number

    def _start(self, child: _Child) -> None:
        read, write = os.pipe2(os.O_CLOEXEC)
        supervisor = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            end_with(lambda: self._become(child.component, write, supervisor))
        os.close(write)
        child.pid, child.ready_fd, child.started = pid, read, time.monotonic()

    def _become(self, component: Component, ready_fd: int, supervisor: int) -> int:
        """Be *component*, in a process that has just been forked; return its exit code."""
        os.setsid()  # Ctrl-C on the terminal is the supervisor's to handle
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != supervisor:  # it died before the line above
            return 1
        for fd in self._wakeup:
            os.close(fd)
        for other in self._children:
            if other.ready_fd >= 0:
                os.close(other.ready_fd)
        setproctitle(f"podium {component.name}")
        return component.run(lambda: _tell_ready(ready_fd))

    def _next_wakeup(self, next_housekeeping: float) -> float:
        starts = [child.start_at for child in self._children if child.pid == 0]
        return max(0.0, min([next_housekeeping, *starts]) - time.monotonic())

    def _wait(self, timeout: float) -> None:
        """Sleep until a signal, a child's word or *timeout*; take note of what happened."""
        ready = {child.ready_fd: child for child in self._children if child.ready_fd >= 0}
        readable, _, _ = select.select([self._wakeup[0], *ready], [], [], timeout)
        for fd in readable:
            if fd == self._wakeup[0]:
                os.read(fd, 4096)
            else:
                self._hear(ready[fd])
        self._reap()

    def _hear(self, child: _Child) -> None:
        said = os.read(child.ready_fd, 16)
        os.close(child.ready_fd)
        child.ready_fd = -1
        if said:
            child.component.on_ready()

    def _reap(self) -> None:
        for child in self._children:
            if child.pid == 0:
                continue
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                self._note_death(child, os.waitstatus_to_exitcode(status))

    def _note_death(self, child: _Child, code: int) -> None:
        now = time.monotonic()
        if now - child.started >= _FORGIVEN_AFTER:
            child.deaths = 0
        delay = _RESTART_DELAYS[min(child.deaths, len(_RESTART_DELAYS) - 1)]
        child.deaths += 1
        child.pid, child.start_at = 0, now + delay
        if child.ready_fd >= 0:
            os.close(child.ready_fd)
            child.ready_fd = -1
        if not self._stopping:
            cause = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            logger.error(
                "process ended unexpectedly; starting it again",
                extra={"child": child.component.name, "cause": cause, "in_seconds": delay},
            )

    def _stop_all(self) -> None:
        """End the children, last first: the node says goodbye while there is an API to tell."""
        for child in reversed(self._children):
            if child.pid == 0:
                continue
            os.kill(child.pid, self._signal)
            deadline = time.monotonic() + child.component.stop_timeout
            while child.pid and time.monotonic() < deadline:
                self._wait(max(0.0, deadline - time.monotonic()))
            if child.pid:
                name = child.component.name
                logger.warning("process does not end; killing it", extra={"child": name})
                os.kill(child.pid, signal.SIGKILL)
                os.waitpid(child.pid, 0)
                child.pid = 0


def _tell_ready(fd: int) -> None:
    os.write(fd, b"ready")
    os.close(fd)

"""Exec: a command in a running container, its streams in the caller's hands.

As with ExecSync the low-level runtime is the command's parent. Without a terminal the command has
pipes; with one, the low-level runtime gets a terminal of ours and carries bytes between it and the
container's own, and hands a new size on when it is told that there is one.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import struct
import termios
import tty
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from podium.kit import descriptors
from podium.kit.process import ended, kill_children, reap_later, soon
from podium.runtime.oci import lending
from podium.runtime.oci.conmon import last_error, read_pid
from podium.runtime.oci.container_stop import kill_process
from podium.runtime.oci.engine import Engine
from podium.runtime.oci.exec_sync import ExecFiles, impossible, not_started, running
from podium.runtime.port import RuntimeFailure
from podium.runtime.stream_port import StreamOptions

#: Bytes of its last words that are kept of a command that could not be started.
_LAST_WORDS = 4096
_PAUSE = 0.001  # seconds


@asynccontextmanager
async def exec_stream(
    engine: Engine, container_id: str, cmd: Sequence[str], options: StreamOptions
) -> AsyncIterator[ExecProcess]:
    """Start *cmd*; leaving kills it where it still runs."""
    record = running(engine, container_id, cmd).record
    exec_id = secrets.token_hex(32)
    directory = engine.container_paths(container_id).bundle / f"exec-{exec_id[:16]}"
    files = ExecFiles(directory)
    files.directory.mkdir()
    runtime = engine.options
    try:
        flags, given = await _lend(engine, container_id, record.pid, cmd)
        argv = [
            *(runtime.program(record.handler), "--root", str(runtime.runc_root)),
            *("--log", str(files.log), "--log-format", "json"),
            *("exec", "--pid-file", str(files.pid), *["--tty"] * options.tty, *flags),
            *(container_id, *cmd),
        ]
        try:
            process = ExecProcess(argv, options, files, exec_id, given)
        except OSError as exc:
            raise impossible(exec_id, exc) from None
        try:
            yield process
        finally:
            kill_process(read_pid(files.pid), container_id)
            await process.close()
    finally:
        shutil.rmtree(files.directory, ignore_errors=True)


async def _lend(
    engine: Engine, container_id: str, pid: int, cmd: Sequence[str]
) -> tuple[list[str], list[int]]:
    """Return flags and a descriptor by which *cmd* finds a program of the node's, if it has to."""
    if not lending.wanted(cmd):
        return [], []
    try:
        path = await lending.search_path(engine.container_paths(container_id), pid, cmd[0])
    except OSError:  # the container has just ended: the command will not run either
        return [], []
    lent = lending.programs() if path else None
    if lent is None:
        return [], []
    return ["--preserve-fds", "1", "--env", f"PATH={path}"], [lent]


class ExecProcess:
    """``AttachedProcess`` over pipes, or over our side of a terminal."""

    def __init__(
        self,
        argv: Sequence[str],
        options: StreamOptions,
        files: ExecFiles,
        exec_id: str,
        given: Sequence[int] = (),
    ) -> None:
        """Raises OSError for a command that the kernel does not take."""
        self._files, self._exec_id = files, exec_id
        self._stdin = self._stdout = self._stderr = -1
        self._terminal = options.tty
        self._started, self._last_words = False, b""
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as unless_started:
            unless_started.callback(self._let_go)

            def passed(descriptor: int) -> int:
                theirs.callback(os.close, descriptor)
                return descriptor

            if options.tty:
                ours, slave = os.openpty()
                # So does the low-level runtime, too late for what is typed before.
                tty.setraw(slave)
                stdin = stdout = stderr = passed(slave)
                self._stdin = self._stdout = descriptors.prepare(ours)
                os.set_inheritable(ours, False)
            else:
                stdin = passed(self._input(options.stdin))
                stdout, self._stdout = self._output(options.stdout)
                passed(stdout)
                stderr, self._stderr = self._output(options.stderr)
                passed(stderr)
            self._child = _Child(argv, (stdin, stdout, stderr, *given))
            unless_started.pop_all()

    def _input(self, wanted: bool) -> int:
        if not wanted:
            return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        theirs, ours = os.pipe2(os.O_CLOEXEC)
        self._stdin = descriptors.prepare(ours)
        return theirs

    def _output(self, wanted: bool) -> tuple[int, int]:
        if not wanted:
            return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), -1
        ours, theirs = os.pipe2(os.O_CLOEXEC)
        return theirs, descriptors.prepare(ours)

    async def read_stdout(self) -> bytes:
        return await self._read(self._stdout)

    async def read_stderr(self) -> bytes:
        return await self._read(self._stderr)

    async def _read(self, descriptor: int) -> bytes:
        if descriptor < 0:
            return b""
        data = await descriptors.read(descriptor)
        if self._started or not data or await self._has_started():
            return data
        self._last_words += data[: _LAST_WORDS - len(self._last_words)]
        return b""

    async def _has_started(self) -> bool:
        """Whether what is heard is the command: until it runs it is the low-level runtime.

        The command may speak before its parent gets to write its pid down: that is a moment.
        """
        while not self._files.pid.exists():
            if self._child.over():
                return self._files.pid.exists()
            await asyncio.sleep(_PAUSE)
        self._started = True
        return True

    async def write_stdin(self, data: bytes) -> None:
        if self._stdin < 0:
            raise BrokenPipeError
        await descriptors.write(self._stdin, data)

    def close_stdin(self) -> None:
        """A terminal stays open: its end of input is a character that the user types."""
        if self._stdin >= 0 and not self._terminal:
            os.close(self._stdin)
            self._stdin = -1

    def resize(self, width: int, height: int) -> None:
        if not self._terminal or self._stdin < 0:
            return
        fcntl.ioctl(self._stdin, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self._child.signal(signal.SIGWINCH)

    async def wait(self) -> int:
        code = await self._child.wait()
        if code != 0 and not self._files.pid.exists():
            said = self._last_words.decode(errors="replace").strip()
            raise RuntimeFailure(not_started(self._exec_id, last_error(self._files.log) or said))
        return code if code >= 0 else 128 - code

    async def close(self) -> None:
        """End what is left of the low-level runtime and let the streams go."""
        try:
            await self._child.end()
        finally:
            self._let_go()

    def _let_go(self) -> None:
        for descriptor in {self._stdin, self._stdout, self._stderr} - {-1}:
            os.close(descriptor)
        self._stdin = self._stdout = self._stderr = -1


class _Child:
    """The low-level runtime; its descriptors are *given*, from 0 on."""

    def __init__(self, argv: Sequence[str], given: Sequence[int]) -> None:
        moves = [(os.POSIX_SPAWN_DUP2, ours, theirs) for theirs, ours in enumerate(given)]
        self.pid = os.posix_spawn(argv[0], list(argv), os.environ, file_actions=moves, setsid=True)
        self._code: int | None = None

    async def wait(self) -> int:
        """Return the exit code; below 0 the signal."""
        if self._reap(os.WNOHANG) is None:
            await ended(self.pid)
        return self._reap(0) or 0

    def over(self) -> bool:
        return self._reap(os.WNOHANG) is not None

    def signal(self, number: int) -> None:
        if not self.over():
            os.kill(self.pid, number)

    async def end(self) -> None:
        """End it and its command, also where it has not yet written down which that is."""
        gone = False
        try:
            if not self.over():
                await kill_children(self.pid)
        finally:
            self.signal(signal.SIGKILL)
            try:
                gone = await soon(self.over)
            finally:
                if not gone:
                    reap_later(self.over)

    def _reap(self, flags: int) -> int | None:
        """Return the exit code, None while the child runs and *flags* say not to wait for it."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, flags)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code

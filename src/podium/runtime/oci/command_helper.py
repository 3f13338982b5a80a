"""Commands that are executed again and again, as probes are, without a low-level runtime for each.

What costs when a command is executed in a container is the way in: namespaces, cgroup, user,
capabilities, filters, each time. Here that way is gone once, by the low-level runtime itself, for
a shell: the node's static busybox, lent as for ``kubectl cp``. What the shell then executes is what
it is itself: in the same namespaces and cgroup, as the same user, with the same capabilities,
limits, filters and environment. It has no more rights than any command in that container, ends with
it, and ends when its input does.

Nothing that comes from it is trusted: who could meddle with it could as well be the command.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import resource
import secrets
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

import msgspec

from podium.kit.process import soon
from podium.runtime.oci import foster_parent, lending
from podium.runtime.oci.command_output import Output
from podium.runtime.oci.conmon import read_pid
from podium.runtime.oci.container_stop import kill_process
from podium.runtime.oci.engine import Engine, Helper, LiveContainer
from podium.runtime.oci.layout import ContainerPaths
from podium.runtime.port import ExecSyncResponse

#: Shells that one container has at most; who finds all of them busy goes the long way.
MOST = 3
#: Different commands of one container that are remembered, and how long one may be, in characters.
REMEMBERED, LONGEST = 8, 16 * 1024
#: Seconds in which a new shell has to answer, and how often one may fail to.
PATIENCE, ATTEMPTS = 5.0, 3
KILLED = 137
#: Bytes kept of each stream; more is read, so that the command does not block, and dropped.
_KEPT = 16 * 1024
_LONGEST_LINE = 64

_PLACE = f"{lending.DIRECTORY}/ash"
#: The shell must leave no trace in a command's environment, and must not lose any of it.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_OWN_NAMES = frozenset(("OLDPWD", "PWD", "SHLVL"))
#: What the shell itself has to say ("Killed") is nobody's business; commands speak through 5.
#: A shell that cannot give commands another name is of no use.
_BEGIN = f"exec 5>&2 2>/dev/null; unset {' '.join(sorted(_OWN_NAMES))}; ( exec -a true {_PLACE} )"


class _Deaf(Exception):
    """The shell cannot be told anything: it has ended, or does not read."""


def is_plain(cmd: Sequence[str]) -> bool:
    """Whether a shell can be told to execute *cmd* in so many words."""
    plain = bool(cmd) and cmd[0][:1] not in ("", "-")
    return plain and sum(len(_quoted(word)) for word in cmd) <= LONGEST


def keeps_environment(paths: ContainerPaths) -> bool:
    """Whether the container's variables go through a shell unharmed. Raises OSError."""
    names = [entry.partition("=")[0] for entry in lending.environment(paths)]
    unharmed = all(_NAME.match(name) and name not in _OWN_NAMES for name in names)
    return unharmed and len(set(names)) == len(names)


def remember(live: LiveContainer, cmd: Sequence[str]) -> None:
    """*cmd* has been executed the long way: it can be."""
    if len(live.commands) < REMEMBERED and is_plain(cmd):
        live.commands.add(tuple(cmd))


async def take(engine: Engine, live: LiveContainer, cmd: Sequence[str]) -> Helper | None:
    """Return a shell that is free to execute *cmd*; None where that has to go the long way.

    Where it cannot be had a few times it is not tried again.
    """
    if tuple(cmd) not in live.commands or live.helpers_failed >= ATTEMPTS:
        return None
    live.helpers = [helper for helper in live.helpers if not helper.closed]
    idle = next((helper for helper in live.helpers if not helper.busy), None)
    if idle is not None or len(live.helpers) >= MOST or not _room(engine):
        return idle
    live.helpers_failed += 1
    helper = await _start(engine, live)
    if helper is not None:
        live.helpers_failed = 0
        live.helpers.append(helper)
    return helper


def _room(engine: Engine) -> bool:
    """Whether another shell leaves this process enough descriptors: it takes four."""
    shells = sum(len(live.helpers) for live in engine.containers.values())
    return shells < resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 16


async def _start(engine: Engine, live: LiveContainer) -> CommandHelper | None:
    """Start a shell in the container; None where none can be had."""
    paths, lent = engine.container_paths(live.record.id), lending.programs()
    try:
        if lent is None or live.record.handler not in ("", "runc") or not keeps_environment(paths):
            return None
    except (OSError, msgspec.MsgspecError):
        return None
    directory = paths.bundle / f"exec-{secrets.token_hex(8)}"
    try:
        directory.mkdir()
        return await _started(engine, live, lent, directory)
    except OSError:  # the container is being removed
        return None
    finally:
        shutil.rmtree(directory, ignore_errors=True)


async def _started(
    engine: Engine, live: LiveContainer, lent: int, directory: Path
) -> CommandHelper | None:
    options, container_id, pid_file = engine.options, live.record.id, directory / "pid"
    argv = [
        *(options.program(live.record.handler), "--root", str(options.runc_root)),
        *("--log", str(directory / "log"), "exec", "--detach", "--pid-file", str(pid_file)),
        *("--preserve-fds", "1", container_id, _PLACE, "-s"),
    ]
    path = lending.own_path(engine.container_paths(container_id))
    with contextlib.ExitStack() as theirs:
        ours, stdin = (end.detach() for end in socket.socketpair())
        (read_out, stdout), (read_err, stderr) = (os.pipe2(os.O_CLOEXEC) for _ in range(2))
        for descriptor in (stdin, stdout, stderr):
            theirs.callback(os.close, descriptor)
        helper = CommandHelper(container_id, path, ours, read_out, read_err)
        try:  # the low-level runtime hands on what lies at 3
            fostered = foster_parent.start(argv, (stdin, stdout, stderr), lent)
        except OSError:
            helper.close()
            raise
    ready = False
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                # It may answer before its pid is written down: that is a moment.
                ready = await helper.answers() and await soon(pid_file.exists)
    finally:
        helper.pid = read_pid(pid_file)
        if not ready:
            helper.end()
            await fostered.kill()
    return helper if ready else None


class CommandHelper:
    """One shell, and our ends of what it reads and writes. *path* is the container's PATH.

    It is told what to do, and tells how that ended, through the socket *control*.
    """

    def __init__(
        self, container_id: str, path: str, control: int, stdout: int, stderr: int
    ) -> None:
        os.set_blocking(control, False)
        self._container_id, self._path, self._control = container_id, path, control
        self._news = asyncio.Event()  # on the socket, or that it is closed
        self._streams = (Output(stdout, _KEPT), Output(stderr, _KEPT))
        self.pid = 0
        self.killed: list[int] = []
        self.busy = self.closed = False

    async def answers(self) -> bool:
        """Whether the shell is there, and ready for commands."""
        try:
            return await self._tell(_BEGIN) == 0
        except _Deaf:
            return False

    async def run(self, cmd: Sequence[str]) -> ExecSyncResponse | None:
        """Execute *cmd*; None where the shell could not.

        A command whose call is cancelled is killed, and the shell with it.
        """
        stdout, stderr = self._streams
        with contextlib.ExitStack() as unless_answered:
            unless_answered.callback(self.end)
            try:
                self.busy = True
                words = await self._words(cmd)
                if not words:
                    self.busy = False
                    unless_answered.pop_all()
                    return None
                for stream in self._streams:
                    await stream.begin()
                code = await self._tell(f"( exec {words} </dev/null 2>&5 3<&- 5>&- )")
                for stream in self._streams:
                    await stream.end()
            except _Deaf:  # somebody has killed it while it had nothing to do
                return None
            if code is None:  # somebody has killed the shell, as one kills a command
                return ExecSyncResponse(stdout.received, stderr.received, KILLED)
            unless_answered.pop_all()
        self.busy = False
        if code in (126, 127) and stderr.received.startswith(f"{_PLACE}: ".encode()):
            return None
        return ExecSyncResponse(stdout.received, stderr.received, code)

    async def _words(self, cmd: Sequence[str]) -> str:
        """Say *cmd* for the shell; "" where its program is not found. Raises _Deaf.

        A name alone would be a program of the shell's own, whatever the image has by that name.
        """
        name, *arguments = cmd
        if "/" in name:
            return " ".join(map(_quoted, cmd))
        try:
            program = await lending.located(self._path, self.pid, name)
        except OSError as exc:
            raise _Deaf from exc
        return " ".join(("-a", *map(_quoted, (name, program, *arguments)))) if program else ""

    async def _tell(self, script: str) -> int | None:
        """Have *script* run; return its exit code, None where the shell ends. Raises _Deaf."""
        line = f"{script}; echo $? >&0\n".encode(errors="surrogateescape")
        if self.closed:
            raise _Deaf
        try:
            written = os.write(self._control, line)
        except OSError as exc:
            raise _Deaf from exc
        if written < len(line):
            raise _Deaf
        text = (await self._line()).strip()
        return int(text) if text.isdigit() and len(text) <= 3 else None

    async def _line(self) -> bytes:
        """Return the next line that the shell says, or what there is of one when it ends, or this
        is closed. Raises _Deaf where it ends without having read all that it was told."""
        loop, said = asyncio.get_running_loop(), b""
        loop.add_reader(self._control, self._news.set)
        try:
            while not self.closed and b"\n" not in said and len(said) < _LONGEST_LINE:
                try:
                    chunk = os.read(self._control, _LONGEST_LINE)
                except BlockingIOError:
                    self._news.clear()
                    await self._news.wait()
                    continue
                except ConnectionResetError as exc:
                    raise _Deaf from exc
                if not chunk:
                    return said
                said += chunk
            return said
        finally:
            if not self.closed:  # else the descriptor is another's, perhaps
                loop.remove_reader(self._control)

    def end(self) -> None:
        """Kill what the shell executes, and itself."""
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
            self.killed = [int(child) for child in children.split()]
            for child in self.killed:
                kill_process(child, self._container_id)
        kill_process(self.pid, self._container_id)
        self.close()

    def close(self) -> None:
        """Let the shell end, once it has nothing to do."""
        if self.closed:
            return
        self.closed = True
        with contextlib.suppress(RuntimeError):  # the loop may be gone, and its readers with it
            self._news.set()
            asyncio.get_running_loop().remove_reader(self._control)
        os.close(self._control)
        for stream in self._streams:
            stream.close()


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"

"""Running a program to its end without blocking the event loop.

Its output goes to anonymous memory, not to pipes: nothing has to be read while it runs, and a
daemon that inherits the descriptors cannot keep the caller waiting. The end is seen through a
pidfd, so no signal handler and no thread is involved.

A killed program gets a moment to end. One that hangs in the kernel, on a dead file system say, does
not: nobody waits for it, and it is reaped when another program is started. Nor does it stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import msgspec

_DYING = 1.0  # seconds
_LOOK = 0.001
#: Killed programs that had not ended when nobody would wait for them any longer: whether they have.
_undead: list[Callable[[], bool]] = []


class Completed(msgspec.Struct, frozen=True):
    """How a program ended; a negative return code is the signal that killed it."""

    argv: Sequence[str]
    returncode: int
    stdout: bytes
    stderr: bytes


class ProcessFailed(Exception):
    """A program ended with another code than 0."""

    def __init__(self, completed: Completed) -> None:
        self.completed = completed
        said = (completed.stderr or completed.stdout).decode(errors="replace").strip()
        super().__init__(f"{completed.argv[0]}: exit status {completed.returncode}: {said}")


async def run(
    *argv: str,
    input: bytes | None = None,  # noqa: A002 - subprocess.run's word for it
    timeout: float | None = None,
    check: bool = True,
    pass_fds: Sequence[int] = (),
    env: Mapping[str, str] | None = None,
) -> Completed:
    """Run *argv* to its end and return what it said.

    Raises ProcessFailed when it fails and *check* is set, TimeoutError after *timeout* seconds,
    FileNotFoundError when there is no such program. Cancelling kills the program first.
    """
    async with spawned(*argv, input=input, pass_fds=pass_fds, env=env) as wait:
        async with asyncio.timeout(timeout):
            completed = await wait()
    if check and completed.returncode != 0:
        raise ProcessFailed(completed)
    return completed


@contextlib.asynccontextmanager
async def spawned(
    *argv: str,
    input: bytes | None = None,  # noqa: A002
    pass_fds: Sequence[int] = (),
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    stdin: int | None = None,
    output: tuple[int, int] | None = None,
    children: bool = False,
) -> AsyncIterator[Callable[[], Awaitable[Completed]]]:
    """Start *argv*; yield what waits for its end. Leaving before its end kills it.

    With *children*, what it has started is killed with it.
    Its stdin comes from the descriptor *stdin*, its stdout and stderr go to the descriptors
    *output* where given; they stay the caller's, and what is completed has neither.
    """
    _undead[:] = [over for over in _undead if not over()]
    with contextlib.ExitStack() as descriptors:

        def opened(descriptor: int) -> int:
            descriptors.callback(os.close, descriptor)
            return descriptor

        if stdin is None:
            source = os.open(os.devnull, os.O_RDONLY) if input is None else _memory("stdin", input)
            stdin = opened(source)
        stdout, stderr = output or (opened(_memory("stdout")), opened(_memory("stderr")))
        process = subprocess.Popen(  # noqa: ASYNC220 - vfork and exec, under a millisecond
            argv, stdin=stdin, stdout=stdout, stderr=stderr, pass_fds=pass_fds, env=env, cwd=cwd
        )

        async def wait() -> Completed:
            if process.returncode is None:
                await ended(process.pid)
            code = process.wait()
            if output is not None:
                return Completed(argv, code, b"", b"")
            return Completed(argv, code, _content(stdout), _content(stderr))

        try:
            yield wait
        finally:
            if process.returncode is None:
                try:
                    if children:
                        await kill_children(process.pid)
                        await _let_wait(process.pid)
                finally:
                    process.kill()
                    await _bury(process)


async def _bury(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    try:
        async with asyncio.timeout(_DYING):
            await ended(process.pid)
    except TimeoutError:
        pass  # it hangs in the kernel
    finally:
        if process.poll() is None:
            reap_later(lambda: process.poll() is not None)


def reap_later(over: Callable[[], bool]) -> None:
    """Have *over* asked now and then, which reaps a program that has ended, until it says so."""
    _undead.append(over)


async def soon(over: Callable[[], bool]) -> bool:
    """Wait until *over* says so, as it does after a signal to a program; tell whether it does.

    False for a program that hangs in the kernel, after a second.
    """
    deadline = time.monotonic() + _DYING
    while not over():
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(_LOOK)
    return True


async def ended(pid: int) -> None:
    """Return when the process *pid*, a child that nobody else waits for, has ended."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    descriptor = os.pidfd_open(pid)
    try:
        loop.add_reader(descriptor, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(descriptor)
    finally:
        os.close(descriptor)


async def kill_children(pid: int) -> None:
    """SIGKILL to the children of *pid*, a child that nobody has waited for; it is left stopped.

    Stopped, it starts no more of them, and waits for none: their pids stay theirs. The same holds
    where it hangs in the kernel and does not stop. Whoever is cancelled here kills those there are.
    """
    os.kill(pid, signal.SIGSTOP)
    try:
        await soon(lambda: _rests(pid) is not False)
    finally:
        _kill_present_children(pid)


async def _let_wait(pid: int) -> None:
    """Let the child *pid* notice that its children have ended, and end: what nobody waits for may
    hold up others, as the end of a container."""
    if _rests(pid) is not None:
        os.kill(pid, signal.SIGCONT)
        await soon(lambda: _has_ended(pid))


def _has_ended(pid: int) -> bool:
    try:
        how = os.WEXITED | os.WNOWAIT | os.WNOHANG
        return os.waitid(os.P_PID, pid, how) is not None
    except ChildProcessError:
        return True


def _rests(pid: int) -> bool | None:
    """Whether the child *pid* has stopped or ended; None where somebody has waited for it."""
    how = os.WSTOPPED | os.WEXITED | os.WNOWAIT | os.WNOHANG
    try:
        return os.waitid(os.P_PID, pid, how) is not None
    except ChildProcessError:
        return None


def _kill_present_children(pid: int) -> None:
    if _rests(pid) is None:
        return  # the pid may be another's by now
    killed: set[int] = set()
    # A child may be about to start a sibling of its own; once killed it is not.
    while young := _children(pid) - killed:
        for child in young:
            with contextlib.suppress(ProcessLookupError):  # it ended, and was waited for, just now
                os.kill(child, signal.SIGKILL)
        killed |= young


def _children(pid: int) -> set[int]:
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(child) for listed in lists for child in listed.read_text().split()}


def _memory(name: str, content: bytes = b"") -> int:
    descriptor = os.memfd_create(name, os.MFD_CLOEXEC)
    if content:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _content(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with open(descriptor, "rb", closefd=False) as file:
        return file.read()

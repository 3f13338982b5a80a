"""Streams of processes in containers, as a port: CRI's Exec and Attach without a server between."""

from __future__ import annotations

from typing import Protocol

import msgspec


class StreamOptions(msgspec.Struct, frozen=True):
    """Which streams are wanted; with ``tty`` there is no stderr apart from stdout."""

    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    tty: bool = False


class AttachedProcess(Protocol):
    """The streams of a process in a container. One that was not asked for is at its end.

    Nothing is read ahead: who reads slowly holds the process back.
    """

    async def read_stdout(self) -> bytes:
        """Return what comes next, b"" at the end."""
        ...

    async def read_stderr(self) -> bytes: ...

    async def write_stdin(self, data: bytes) -> None:
        """Return when all is taken. Raises BrokenPipeError when nobody will."""
        ...

    def close_stdin(self) -> None:
        """Let the process see the end of its input. Repeatable."""
        ...

    def resize(self, width: int, height: int) -> None:
        """Set the size of the terminal, in characters; without a terminal nothing happens."""
        ...

    async def wait(self) -> int:
        """Return the exit code once the process has ended: 128 and the signal for a killed one.

        Raises RuntimeFailure when it could not be started.
        """
        ...

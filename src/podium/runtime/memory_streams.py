"""The streams of the fake runtime's processes and commands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from podium.runtime.memory_script import Command
from podium.runtime.stream_port import StreamOptions

#: Returns what a command ended with, once it has.
Ending = Callable[[], Awaitable[int]]


class MemoryProcess:
    """``AttachedProcess`` of a command that writes and ends; ``cat`` writes what it is told."""

    def __init__(self, options: StreamOptions, command: Command, ending: Ending) -> None:
        self._options, self._ending = options, ending
        self._stdout = _Stream(command.stdout.encode() if options.stdout else b"")
        self._stderr = _Stream(command.stderr.encode() if options.stderr else b"")
        self._echoes = command.echoes and options.stdin
        self.sizes: list[tuple[int, int]] = []
        self._code: int | None = None
        self._over = asyncio.Event()
        if not options.stdin:
            self.close_stdin()
        if command.missing:
            self._stdout.end()
            self._stderr.end()

    async def read_stdout(self) -> bytes:
        return await self._stdout.read()

    async def read_stderr(self) -> bytes:
        return await self._stderr.read()

    async def write_stdin(self, data: bytes) -> None:
        if not self._options.stdin or self._over.is_set():
            raise BrokenPipeError
        if self._echoes:
            await self._stdout.write(data)

    def close_stdin(self) -> None:
        self._over.set()

    def resize(self, width: int, height: int) -> None:
        if self._options.tty:
            self.sizes.append((width, height))

    async def wait(self) -> int:
        if self._echoes:
            await self._over.wait()
        code = await self._ending()
        self._stdout.end()
        self._stderr.end()
        return code


class _Stream:
    """Bytes from one task to another; a writer waits until they are taken."""

    def __init__(self, first: bytes) -> None:
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue(2)
        self._ended = asyncio.Event()
        if first:
            self._pieces.put_nowait(first)

    async def read(self) -> bytes:
        if not self._pieces.empty():
            return self._pieces.get_nowait()
        reading = asyncio.ensure_future(self._pieces.get())
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait({reading, ended}, return_when=asyncio.FIRST_COMPLETED)
            return reading.result() if reading.done() else b""
        finally:
            reading.cancel()
            ended.cancel()

    async def write(self, data: bytes) -> None:
        if data:
            await self._pieces.put(data)

    def end(self) -> None:
        self._ended.set()

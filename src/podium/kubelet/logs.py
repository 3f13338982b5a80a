"""Reading container logs from disk: the whole, the end, and what is still to come."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from podium.kubelet.file_news import FileNews
from podium.kubelet.log_lines import LogFilter, LogRenderer, tail_start

_BLOCK = 64 * 1024
#: Lines longer than this are cut (the runtime splits what containers write far below it).
_LONGEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class LogOptions:
    """``PodLogOptions``, as far as a node minds them."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    since: datetime | None = None


async def read_log(
    path: Path, options: LogOptions, ended: Callable[[], bool], news: FileNews | None
) -> AsyncGenerator[bytes, None]:
    """Yield what the client asked for, in pieces.

    With ``follow``, go on until *ended* says that the container writes no more; *news* wakes the
    reader when the file grows, is rotated, or when the container may have ended. Raises
    FileNotFoundError.
    """
    renderer = LogRenderer(LogFilter(options.since, options.timestamps, options.limit_bytes))
    file: BinaryIO = path.open("rb")
    try:
        if options.tail_lines is not None:
            file.seek(tail_start(_blocks_from_end(file), options.tail_lines))
        lines = _Lines(file)
        while True:
            over = ended()  # before reading: what is written until now belongs to the log
            for batch in lines.batches():
                text = b"".join(renderer.render(batch))
                if text:
                    yield text
                if renderer.exhausted:
                    return
                await asyncio.sleep(0)
            if not options.follow or news is None:
                return
            successor = _successor(path, file)
            if successor is not None:
                file.close()
                file = successor
                lines = _Lines(file)
            elif over:
                return
            else:
                await news.wait()
    finally:
        file.close()


class _Lines:
    """Complete lines of a file that grows."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._rest = file, b""

    def batches(self) -> Iterator[list[bytes]]:
        while block := self._file.read(_BLOCK):
            *lines, self._rest = (self._rest + block).split(b"\n")
            if lines:
                yield [line + b"\n" for line in lines]
            elif len(self._rest) > _LONGEST:
                yield [self._rest[:_LONGEST] + b"\n"]
                self._rest = b""


def _blocks_from_end(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    offset = file.seek(0, os.SEEK_END)
    while offset > 0:
        size = min(_BLOCK, offset)
        offset -= size
        file.seek(offset)
        yield offset, file.read(size)


def _successor(path: Path, file: BinaryIO) -> BinaryIO | None:
    """The file that took the name after a rotation, or None."""
    try:
        if os.path.samestat(path.stat(), os.fstat(file.fileno())):
            return None
        return path.open("rb")
    except FileNotFoundError:
        return None

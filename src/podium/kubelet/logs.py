"""Reading container logs from disk: the whole, the end, and what is still to come."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import nullcontext, suppress
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import IO, TypeVar

import msgspec

from podium.kit.threads import run_in_thread
from podium.kubelet.file_news import FileNews
from podium.kubelet.log_files import GZ, first_bytes, open_log, rotated, rotated_until
from podium.kubelet.log_lines import LogFilter, LogRenderer, count_lines, tail_start

T = TypeVar("T")

_BLOCK = 64 * 1024
#: Lines longer than this are cut (the runtime splits what containers write far below it).
_LONGEST = 1024 * 1024


class LogOptions(msgspec.Struct, frozen=True):
    """``PodLogOptions``, as far as a node minds them."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    since: datetime | None = None
    stream: str = ""


async def read_log(
    path: Path, options: LogOptions, ended: Callable[[], bool], news: FileNews | None
) -> AsyncGenerator[bytes, None]:
    """Yield what the client asked for, in pieces, rotated files included.

    With ``follow``, go on until *ended* says that the container writes no more; *news* wakes the
    reader when the file grows, is rotated, or when the container may have ended. Raises
    FileNotFoundError.
    """
    renderer = LogRenderer(
        LogFilter(options.since, options.timestamps, options.limit_bytes, options.stream)
    )
    with _Chain(path, options) as chain:
        await _apart(chain.open, path)
        while True:
            over = ended()  # before reading: what is written until now belongs to the log
            for batch in chain.batches():
                text = renderer.render_block(batch)
                if text:
                    yield text
                if renderer.exhausted:
                    return
                await asyncio.sleep(0)
            if chain.newest and not options.follow:
                return
            if await chain.advance():
                continue
            if over or not options.follow or news is None:
                return
            await news.wait()


async def _apart(work: Callable[[], T], path: Path) -> T:
    """Do *work*, beside the event loop where a rotated file may have to be decompressed for it."""
    if any(file.suffix == GZ for file in rotated(path)):
        return await run_in_thread(work)
    return work()


class _Chain:
    """A log's files one after the other, from where the client's wishes begin to the newest.

    A file is left only once its successor is there, and was read to its end after that: whoever
    writes has let go of it by then. Files are renamed, compressed and removed at any moment.
    """

    def __init__(self, path: Path, options: LogOptions) -> None:
        self._path, self._options = path, options
        self._file: IO[bytes] = BytesIO()
        self._lines = _Lines(self._file)
        self.newest = False  #: whether the file that is read was the one written to when opened
        self._rotated = False
        #: Names, as rotated, of files that were left, and of the one that is read.
        self._done: set[str] = set()

    def open(self) -> None:
        """Open the file to begin with. Raises FileNotFoundError."""
        self._file, older = _files(self._path)
        first, offset = _start(older, self._file, self._options)
        while first < len(older) and not self._rotated:
            try:
                earlier = open_log(older[first])
            except FileNotFoundError:  # removed just now
                first, offset = first + 1, 0
            else:
                self._file.close()
                self._file, self._rotated = earlier, True
        self.newest = not self._rotated
        self._done.update(_key(file) for file in older[: first + 1])
        self._lines = _Lines(self._file)
        self._file.seek(offset)

    def __enter__(self) -> _Chain:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def batches(self) -> Iterator[bytes]:
        return self._lines.batches()

    async def advance(self) -> bool:
        """Go on where the file was rotated; tell whether there is more to read at once.

        To be called at the end of what there is. The first call after a rotation has the rest of
        the old file read, the next one opens the new file.
        """
        if not self._rotated:
            self._rotated = self._was_rotated()
            return self._rotated
        return await _apart(self._open_next, self._path)

    def _was_rotated(self) -> bool:
        try:
            return not os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            return False  # between two names: the new file is not there yet

    def _open_next(self) -> bool:
        missing: set[Path] = set()
        while True:
            later = [file for file in rotated(self._path) if _key(file) not in self._done]
            later = [file for file in later if file not in missing]
            if later and self._is_this(later[0]):
                self._done.add(_key(later.pop(0)))
            wanted = later[0] if later else self._path
            try:
                successor = open_log(wanted)
                break
            except FileNotFoundError:  # removed, or renamed, just now
                if wanted in missing:
                    return False  # the new file is not there yet
                missing.add(wanted)
        if later:
            self._done.add(_key(later[0]))
        self._file.close()
        self._file, self._rotated, self.newest = successor, bool(later), not later
        self._lines = _Lines(successor)
        return True

    def _is_this(self, file: Path) -> bool:
        """Whether a rotated file, compressed by now perhaps, is the one that is being read."""
        try:
            begin = first_bytes(file, _BLOCK)
        except FileNotFoundError:
            return False
        here = self._file.tell()
        self._file.seek(0)
        same = self._file.read(len(begin)) == begin
        self._file.seek(here)
        return same


def _files(path: Path) -> tuple[IO[bytes], list[Path]]:
    """The file that is written to, opened, and those before it. Raises FileNotFoundError."""
    while True:
        current = path.open("rb")
        older = rotated(path)
        with suppress(FileNotFoundError):
            if os.path.samestat(path.stat(), os.fstat(current.fileno())):
                return current, older
        current.close()  # it was rotated meanwhile, and may be one of the others


def _key(file: Path) -> str:
    return file.name.removesuffix(GZ)


def _start(older: Sequence[Path], current: IO[bytes], options: LogOptions) -> tuple[int, int]:
    """Return the file and the offset in it where reading begins: its place in *older*, or their
    number for *current*, which is open already."""
    last = len(older)
    if options.tail_lines is None:
        first = 0
        if options.since is not None:
            while first < last and rotated_until(older[first]) <= options.since:
                first += 1
        return first, 0
    missing, place, file = options.tail_lines, last, current
    while True:
        with file if place != last else nullcontext(file) as opened:
            found = count_lines(_blocks_from_end(opened), missing)
            if found >= missing or place == 0:
                return place, tail_start(_blocks_from_end(opened), missing)
        missing -= found
        try:
            file = open_log(older[place - 1])
        except FileNotFoundError:  # removed just now
            return place, 0
        place -= 1


class _Lines:
    """Complete lines of a file that grows."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._rest = file, b""

    def batches(self) -> Iterator[bytes]:
        while block := self._file.read(_BLOCK):
            end = block.rfind(b"\n") + 1
            if end:
                yield self._rest + block[:end]
                self._rest = block[end:]
            else:
                self._rest += block
                if len(self._rest) > _LONGEST:
                    yield self._rest[:_LONGEST] + b"\n"
                    self._rest = b""


def _blocks_from_end(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    offset = file.seek(0, os.SEEK_END)
    while offset > 0:
        size = min(_BLOCK, offset)
        offset -= size
        file.seek(offset)
        yield offset, file.read(size)

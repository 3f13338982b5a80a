"""Waiting for a file to change, by inotify(7).

All who wait share one instance of it: a machine's user has 128 of them, for all programs together.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self
from weakref import WeakKeyDictionary

_MODIFY = 0x2
_CLOSE_WRITE = 0x8
_MOVED_FROM = 0x40
_MOVED_TO = 0x80
_CREATE = 0x100
_DELETE = 0x200
#: What to be told of: files that grow, or files that come, go and have been written.
GROWTH = _MODIFY | _MOVED_TO | _CREATE
ENTRIES = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _DELETE
_OVERFLOW, _MASK_ADD = 0x4000, 0x2000_0000
_NONBLOCK = os.O_NONBLOCK | os.O_CLOEXEC
_EVENT = struct.Struct("iIII")
_BUFFER = 64 * 1024

_libc = ctypes.CDLL(None, use_errno=True)


class FileNews:
    """Wakes :meth:`wait` when something happens to the files in *directory* that *kinds* names.

    :meth:`poke` wakes it for other reasons; :attr:`changed` is set meanwhile. Use as a context
    manager; one waiter.
    """

    def __init__(self, directory: Path, kinds: int = GROWTH) -> None:
        self._directory, self.kinds = directory, kinds
        self.changed = asyncio.Event()
        self._watch = -1

    def __enter__(self) -> Self:
        self._watch = _Instance.shared().add(self, self._directory)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _Instance.shared().remove(self, self._watch)

    def poke(self) -> None:
        self.changed.set()

    async def wait(self) -> None:
        """Return when there is news since the last return."""
        await self.changed.wait()
        self.changed.clear()


class _Instance:
    """An inotify instance of an event loop's, open while anybody waits."""

    _of_loops: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, _Instance]] = (
        WeakKeyDictionary()
    )

    def __init__(self) -> None:
        self._descriptor = -1
        self._waiting: dict[int, set[FileNews]] = {}  #: by watch

    @classmethod
    def shared(cls) -> _Instance:
        return cls._of_loops.setdefault(asyncio.get_running_loop(), cls())

    def add(self, news: FileNews, directory: Path) -> int:
        """Return the watch of *directory*; those of the same directory are one. Raises OSError."""
        if self._descriptor < 0:
            self._open()
        path, kinds = os.fsencode(directory), news.kinds | _MASK_ADD
        watch: int = _libc.inotify_add_watch(self._descriptor, path, kinds)
        if watch < 0:
            code = ctypes.get_errno()
            self._close_unused()
            raise OSError(code, os.strerror(code), str(directory))
        self._waiting.setdefault(watch, set()).add(news)
        return watch

    def remove(self, news: FileNews, watch: int) -> None:
        waiting = self._waiting.get(watch, set())
        waiting.discard(news)
        if not waiting and self._waiting.pop(watch, None) is not None:
            _libc.inotify_rm_watch(self._descriptor, watch)
        self._close_unused()

    def _open(self) -> None:
        self._descriptor = _libc.inotify_init1(_NONBLOCK)
        if self._descriptor < 0:
            code = ctypes.get_errno()
            raise OSError(code, f"inotify_init1: {os.strerror(code)}")
        asyncio.get_running_loop().add_reader(self._descriptor, self._readable)

    def _close_unused(self) -> None:
        if not self._waiting and self._descriptor >= 0:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _readable(self) -> None:
        try:
            events = os.read(self._descriptor, _BUFFER)
        except BlockingIOError:
            return
        place = 0
        while place < len(events):
            watch, kinds, _, length = _EVENT.unpack_from(events, place)
            place += _EVENT.size + length
            if kinds & _OVERFLOW:  # what happened was too much to be told
                for news in [one for waiting in self._waiting.values() for one in waiting]:
                    news.poke()
            for news in self._waiting.get(watch, ()):
                if news.kinds & kinds:
                    news.poke()

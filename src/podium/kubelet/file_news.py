"""Waiting for a file to change, by inotify(7)."""

from __future__ import annotations

import asyncio
import ctypes
import os
from pathlib import Path
from types import TracebackType
from typing import Self

_MODIFY = 0x2
_CLOSE_WRITE = 0x8
_MOVED_FROM = 0x40
_MOVED_TO = 0x80
_CREATE = 0x100
_DELETE = 0x200
#: What to be told of: files that grow, or files that come, go and have been written.
GROWTH = _MODIFY | _MOVED_TO | _CREATE
ENTRIES = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _DELETE
_NONBLOCK = os.O_NONBLOCK | os.O_CLOEXEC

_libc = ctypes.CDLL(None, use_errno=True)


class FileNews:
    """Wakes :meth:`wait` when something happens to the files in *directory* that *kinds* names.

    :meth:`poke` wakes it for other reasons; :attr:`changed` is set meanwhile. Use as a context
    manager; one waiter.
    """

    def __init__(self, directory: Path, kinds: int = GROWTH) -> None:
        self._directory, self._kinds = directory, kinds
        self.changed = asyncio.Event()
        self._descriptor = -1

    def __enter__(self) -> Self:
        self._descriptor = _libc.inotify_init1(_NONBLOCK)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1 failed")
        path = os.fsencode(self._directory)
        if _libc.inotify_add_watch(self._descriptor, path, self._kinds) < 0:
            code = ctypes.get_errno()
            os.close(self._descriptor)
            raise OSError(code, os.strerror(code), str(self._directory))
        asyncio.get_running_loop().add_reader(self._descriptor, self._readable)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)

    def poke(self) -> None:
        self.changed.set()

    async def wait(self) -> None:
        """Return when there is news since the last return."""
        await self.changed.wait()
        self.changed.clear()

    def _readable(self) -> None:
        try:
            os.read(self._descriptor, 64 * 1024)
        except BlockingIOError:
            return
        self.changed.set()

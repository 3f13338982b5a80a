"""One ``podium up`` per data directory: a lock that the kernel takes back when its holder dies.

Forked children share the lock, so it is free only when the last of them is gone too: whoever gets
it finds ports and files free.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Locked(Exception):
    """Somebody else holds the lock; ``pid`` is who, 0 where it has not said so yet."""

    def __init__(self, path: Path, pid: int) -> None:
        super().__init__(f"{path} is held by process {pid}")
        self.pid = pid

    @property
    def orphaned(self) -> bool:
        """Whether the holder is gone and only its children, on their way out, keep the lock."""
        return not Path(f"/proc/{self.pid}").exists()


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock file *path*, with this process's pid in it. Raises Locked."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Locked(path, _pid(fd)) from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        yield
        os.ftruncate(fd, 0)
    finally:
        os.close(fd)


def holder(path: Path) -> int:
    """Return the pid of the process that holds *path*, 0 when nobody does."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return _pid(fd)
    else:
        return 0
    finally:
        os.close(fd)


def has_open(pid: int, path: Path) -> bool:
    """Whether the process *pid* has *path* open: one that has not is none that locked it, but got
    the number of one that is gone while its children hold the lock."""
    wanted = os.stat(path)
    try:
        numbers = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return False
    for number in numbers:
        with contextlib.suppress(OSError):
            if os.path.samestat(os.stat(f"/proc/{pid}/fd/{number}"), wanted):
                return True
    return False


def _pid(fd: int) -> int:
    text = os.pread(fd, 32, 0).strip()
    return int(text) if text.isdigit() else 0

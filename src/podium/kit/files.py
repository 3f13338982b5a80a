"""Files that are either whole or not there, and files that somebody else may have made."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path


def write_atomic(
    path: Path | str, data: bytes | str, mode: int = 0o600, *, sync: bool = True
) -> None:
    """Replace *path* by a file holding *data*; a reader sees old content or new, never half.

    With *sync* content and name are on disk when this returns. Raises OSError; the
    temporary file is gone then.
    """
    content = data.encode() if isinstance(data, str) else data
    temporary = f"{path}.tmp"  # one writer a file: the last one wins, and a leftover is overwritten
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        try:
            _write_all(descriptor, content)
            os.fchmod(descriptor, mode)
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    if sync:
        sync_directory(os.path.dirname(path) or ".")


def read_plain(descriptor: int, most: int) -> bytes | None:
    """Return the first *most* bytes of a plain file, None for anything else; close *descriptor*.

    Where it may be a pipe, it is to be opened with ``O_NONBLOCK``. Raises OSError.
    """
    try:  # open() would refuse a directory, and leave its descriptor open
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(descriptor)


def sync_directory(path: Path | str) -> None:
    """Make the names in directory *path* durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]

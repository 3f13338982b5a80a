"""Directories whose content somebody else controls: entered and removed without being led astray.

Symbolic links and mounts below such a directory may point anywhere; nothing here follows the former
out of it, and removal does not enter the latter. openat2 (Linux 5.6) makes that free of races.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import secrets
import stat
from pathlib import Path

_SYS_OPENAT2 = 437  # the same on every architecture
_RESOLVE_NO_XDEV, _RESOLVE_NO_SYMLINKS, _RESOLVE_BENEATH = 0x01, 0x04, 0x08

_libc = ctypes.CDLL(None, use_errno=True)


class _OpenHow(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


def open_beneath(root: int, path: str, flags: int = os.O_PATH) -> int:
    """Open *path* below the directory *root*, a descriptor.

    Links that stay below are followed; OSError with EXDEV where one, or ``..``, leads out.
    """
    return _openat2(root, path, flags, _RESOLVE_BENEATH)


def make_beneath(root: int, path: str, mode: int) -> int:
    """Make the directory *path* below *root*, and those above it; return a descriptor of it.

    Those made get *mode*, whatever the umask; those that are there stay as they are.
    """
    current = os.dup(root)
    try:
        done = ""
        for name in filter(None, path.split("/")):
            done = f"{done}/{name}" if done else name
            try:
                following = open_beneath(root, done, os.O_PATH | os.O_DIRECTORY)
            except FileNotFoundError:
                following = _make(current, name, mode)
            os.close(current)
            current = following
    except BaseException:
        os.close(current)
        raise
    return current


def _make(parent: int, name: str, mode: int) -> int:
    try:
        os.mkdir(name, 0o700, dir_fd=parent)
    except FileExistsError:
        return os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    made = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    try:
        inherited = os.fstat(made).st_mode & stat.S_ISGID
        os.fchmod(made, mode | inherited)
    except OSError:
        os.close(made)
        raise
    return made


def remove_tree(path: Path) -> None:
    """Remove the directory *path* and all below it, where it is there at all.

    Raises OSError with EXDEV or EBUSY when something is mounted below: what is mounted stays
    untouched. Directories are brought up beside each other as they are emptied, so that neither
    depth nor length of names can exhaust anything.
    """
    try:
        parent = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    except FileNotFoundError:
        return
    try:
        top = _directory(parent, path.name)
    except FileNotFoundError:
        return
    except NotADirectoryError:
        os.unlink(path.name, dir_fd=parent)
        return
    else:
        try:
            _empty(top)
        finally:
            os.close(top)
        os.rmdir(path.name, dir_fd=parent)
    finally:
        os.close(parent)


def _empty(top: int) -> None:
    prefix = f".{secrets.token_hex(8)}"
    numbers = itertools.count()
    waiting = _take_off(top)
    while waiting:
        name = waiting.pop()
        directory = _directory(top, name)
        try:
            for inner in _take_off(directory):
                os.close(_directory(directory, inner))  # EXDEV for a mount point
                raised = f"{prefix}-{next(numbers)}"
                os.rename(inner, raised, src_dir_fd=directory, dst_dir_fd=top)
                waiting.append(raised)
        finally:
            os.close(directory)
        os.rmdir(name, dir_fd=top)


def _take_off(directory: int) -> list[str]:
    """Unlink all but directories; return the names of those."""
    directories = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                directories.append(entry.name)
            else:
                os.unlink(entry.name, dir_fd=directory)
    return directories


def _directory(parent: int, name: str) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY
    return _openat2(parent, name, flags, _RESOLVE_NO_XDEV | _RESOLVE_NO_SYMLINKS | _RESOLVE_BENEATH)


def _openat2(root: int, path: str, flags: int, resolve: int) -> int:
    how = _OpenHow(flags | os.O_CLOEXEC, 0, resolve)
    descriptor = _libc.syscall(
        ctypes.c_long(_SYS_OPENAT2),
        ctypes.c_int(root),
        ctypes.c_char_p(os.fsencode(path)),
        ctypes.byref(how),
        ctypes.c_size_t(ctypes.sizeof(how)),
    )
    if descriptor == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), path)
    return int(descriptor)

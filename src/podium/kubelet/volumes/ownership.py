"""Giving a volume and all that is in it to a group, whatever a container does there meanwhile."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from podium.domain.pods.volume_ownership import group_mode, root_matches


def give(path: Path, group: int, *, on_mismatch_only: bool = False) -> None:
    """Make *path* and all below it *group*'s; *on_mismatch_only*: unless its root is already.

    The root comes last, so that one that is right vouches for the rest. Links are given, not
    followed. Raises OSError.
    """
    found = path.stat()
    mode = stat.S_IMODE(found.st_mode)
    if on_mismatch_only and path.is_dir() and root_matches(mode, found.st_gid, group):
        return
    try:
        for descriptor in _below(path):
            _give(descriptor, group)
    except RecursionError as exc:  # thousands of directories in each other
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), str(path)) from exc
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        _give(descriptor, group)
    finally:
        os.close(descriptor)


def _below(path: Path) -> Iterator[int]:
    """Yield a descriptor of everything below *path*, in turn; it is closed afterwards."""
    if not path.is_dir():
        return
    for _, directories, files, parent in os.fwalk(path, topdown=False):
        for name in (*files, *directories):
            try:
                flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
                descriptor = os.open(name, flags, dir_fd=parent)
            except FileNotFoundError:
                continue  # removed meanwhile, by who may
            try:
                yield descriptor
            finally:
                os.close(descriptor)


def _give(descriptor: int, group: int) -> None:
    found = os.fstat(descriptor)
    if found.st_gid != group:
        os.chown(f"/proc/self/fd/{descriptor}", -1, group)  # a link's own, too
    if stat.S_ISLNK(found.st_mode):
        return
    mode = stat.S_IMODE(found.st_mode)
    wanted = group_mode(mode, directory=stat.S_ISDIR(found.st_mode))
    # chown takes setuid and setgid bits away, so the mode is set after it, also where it was right.
    if wanted != stat.S_IMODE(os.fstat(descriptor).st_mode):
        os.chmod(f"/proc/self/fd/{descriptor}", wanted)

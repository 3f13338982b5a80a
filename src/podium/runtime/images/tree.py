"""A layer's directory as a root of its own: names are looked up in it and never outside it.

Symbolic links are resolved here, one component at a time on open directories, and never by the
kernel: an absolute target starts at the layer's root again, ``..`` at the root stays there. What
the layer does not have is looked up in the layers below it, so that a directory that an archive
leaves out keeps the owner and mode it has there, and a link there leads where it leads in the
container.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterable, Sequence

from podium.runtime.images.spec import InvalidImage

OPAQUE = "trusted.overlay.opaque"
_MAX_LINKS = 40  # as the kernel
_MAX_DEPTH = 512  # deeper trees cannot be removed by recursion
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class LayerTree:
    """The tree below *root*; *parents* are the layers below it, the uppermost first.

    Close it, for it holds descriptors.
    """

    def __init__(self, root: str, parents: Sequence[str]) -> None:
        self._root = os.open(root, _DIRECTORY)
        self._parents = parents
        self._last: tuple[tuple[str, ...], int] | None = None

    def close(self) -> None:
        self.forget()
        os.close(self._root)

    @property
    def root(self) -> int:
        return self._root

    @property
    def has_parents(self) -> bool:
        return bool(self._parents)

    def directory(self, path: Sequence[str]) -> int:
        """Return a descriptor of the directory *path*, made where it is missing.

        It stays open until the next call. Raises InvalidImage where a file is in the way.
        """
        key = tuple(path)
        if self._last is not None and self._last[0] == key:
            return self._last[1]
        descriptor, _ = self._walk(key)
        self.forget()
        self._last = (key, descriptor)
        return descriptor

    def forget(self) -> None:
        """Look everything up anew: something was removed."""
        if self._last is not None:
            os.close(self._last[1])
            self._last = None

    def open_directory(self, path: Sequence[str]) -> int:
        """As :meth:`directory`, but the descriptor is the caller's to close."""
        return self._walk(tuple(path))[0]

    def hides(self, path: Sequence[str]) -> bool:
        """Tell whether something below shows through at *path* unless it is whited out."""
        descriptor, here = self._walk(tuple(path[:-1]))
        os.close(descriptor)
        current = os.dup(self._root)
        try:
            for name in here:
                current = _replace(current, os.open(name, _DIRECTORY, dir_fd=current))
                if is_opaque(current):
                    return False
        finally:
            os.close(current)
        return self._below([*here, path[-1]]) is not None

    def _walk(self, path: tuple[str, ...]) -> tuple[int, list[str]]:
        """Open (or make) the directory *path*; return it and its real place in this layer."""
        pending, links = deque(path), 0
        here: list[str] = []  # real directories, no links among them
        current = os.dup(self._root)
        try:
            while pending:
                name = pending.popleft()
                if name in ("", "."):
                    continue
                if name == "..":
                    here = here[:-1]
                    current = _replace(current, self._reopen(here))
                    continue
                target = self._link_target(here, current, name)
                if target is not None:
                    links += 1
                    if links > _MAX_LINKS:
                        raise InvalidImage(f"too many symbolic links in {'/'.join(path)!r}")
                    pending.extendleft(reversed(target.split("/")))
                    if target.startswith("/"):
                        here = []
                        current = _replace(current, os.dup(self._root))
                    continue
                here.append(name)
                if len(here) > _MAX_DEPTH:
                    raise InvalidImage(f"more than {_MAX_DEPTH} directories in one another")
                current = _replace(current, self._enter(here, current))
        except BaseException:
            os.close(current)
            raise
        return current, here

    def _reopen(self, here: Sequence[str]) -> int:
        current = os.dup(self._root)
        for name in here:
            current = _replace(current, os.open(name, _DIRECTORY, dir_fd=current))
        return current

    def _link_target(self, here: Sequence[str], current: int, name: str) -> str | None:
        """Return where the symbolic link *name* points, None where it is not one."""
        own = lookup(current, name)
        if own is not None:
            return os.readlink(name, dir_fd=current) if stat.S_ISLNK(own.st_mode) else None
        below = self._below([*here, name])
        if below is not None and stat.S_ISLNK(below[1].st_mode):
            return os.readlink(below[0])
        return None

    def _enter(self, here: Sequence[str], current: int) -> int:
        """Return the directory ``here[-1]`` in *current*; make it as it is below, or plain."""
        name = here[-1]
        own = lookup(current, name)
        if own is not None and stat.S_ISDIR(own.st_mode):
            return os.open(name, _DIRECTORY, dir_fd=current)
        if own is not None and not is_whiteout(own):
            raise InvalidImage(f"{'/'.join(here)!r} is not a directory")
        if own is not None:
            os.unlink(name, dir_fd=current)
        os.mkdir(name, 0o755, dir_fd=current)
        descriptor = os.open(name, _DIRECTORY, dir_fd=current)
        os.fchmod(descriptor, 0o755)  # whatever the umask
        if own is not None:
            os.setxattr(descriptor, OPAQUE, b"y")
            return descriptor
        below = self._below(here)
        if below is not None and stat.S_ISDIR(below[1].st_mode):
            copy_directory(below[0], below[1], descriptor)
        return descriptor

    def _below(self, path: Sequence[str]) -> tuple[str, os.stat_result] | None:
        """Find *path* in the layers below as a container sees it: its real path and its status.

        All of *path* but its last part are directories in that view.
        """
        for parent in self._parents:
            real, opaque = parent, False
            for name in path[:-1]:
                real = f"{real}/{name}"
                found = _lstat(real)
                if found is None:
                    break
                if not stat.S_ISDIR(found.st_mode):
                    return None
                opaque = opaque or is_opaque(real)
            else:
                real = f"{real}/{path[-1]}"
                found = _lstat(real)
                if found is not None:
                    return None if is_whiteout(found) else (real, found)
            if opaque:
                return None
        return None


def lookup(directory: int, name: str) -> os.stat_result | None:
    """Return the status of *name* itself in *directory*, None where it is not there."""
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None


def is_whiteout(status: os.stat_result) -> bool:
    """Whether overlayfs takes it for "removed in this layer": a character device 0:0."""
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def is_opaque(directory: str | int) -> bool:
    """Whether overlayfs shows nothing from below in *directory*, which is no link."""
    try:
        return os.getxattr(directory, OPAQUE) == b"y"
    except OSError:
        return False


def copy_directory(source: str, status: os.stat_result, descriptor: int) -> None:
    """Give the directory open as *descriptor* the owner, mode and attributes of *source*."""
    os.fchown(descriptor, status.st_uid, status.st_gid)
    for name in visible_attributes(os.listxattr(source, follow_symlinks=False)):
        os.setxattr(descriptor, name, os.getxattr(source, name, follow_symlinks=False))
    os.fchmod(descriptor, stat.S_IMODE(status.st_mode))


def visible_attributes(names: Iterable[str]) -> list[str]:
    """Return the extended attributes that an image may carry: capabilities and the users' own.

    ``trusted.*`` and ``user.overlay.*`` would be orders to overlayfs.
    """
    return [
        name
        for name in names
        if name == "security.capability"
        or (name.startswith("user.") and not name.startswith("user.overlay."))
    ]


def _lstat(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _replace(old: int, new: int) -> int:
    os.close(old)
    return new

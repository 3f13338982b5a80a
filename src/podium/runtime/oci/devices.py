"""The node's devices, which a privileged container gets all of."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Any

import msgspec

#: What is in /dev without being a device of the node, and what a container has of its own.
_LEFT_OUT = frozenset(("pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev", "console"))


class Device(msgspec.Struct, frozen=True):
    path: str
    kind: str  #: ``c`` or ``b``
    major: int
    minor: int
    mode: int
    uid: int
    gid: int

    def spec(self) -> dict[str, Any]:
        """An entry of the runtime specification's ``linux.devices``."""
        return {
            "path": self.path,
            "type": self.kind,
            "major": self.major,
            "minor": self.minor,
            "fileMode": self.mode,
            "uid": self.uid,
            "gid": self.gid,
        }


def node_devices(directory: str = "/dev") -> Iterator[Device]:
    """Yield every device node below *directory*."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name in _LEFT_OUT:
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:  # gone meanwhile
                continue
            if stat.S_ISDIR(status.st_mode):
                yield from node_devices(entry.path)
            elif stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
                yield _device(entry.path, status)


def _device(path: str, status: os.stat_result) -> Device:
    return Device(
        path,
        "c" if stat.S_ISCHR(status.st_mode) else "b",
        os.major(status.st_rdev),
        os.minor(status.st_rdev),
        stat.S_IMODE(status.st_mode),
        status.st_uid,
        status.st_gid,
    )

"""What is mounted on this machine, as ``/proc/self/mountinfo`` has it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from podium.runtime import linux

_ESCAPED = re.compile(r"\\([0-7]{3})")


class MountPoint(msgspec.Struct, frozen=True):
    """``shared`` and ``slave`` say how news of mounts below travels: to its peers, or from them."""

    path: str
    shared: bool
    slave: bool


def mount_points() -> Iterator[MountPoint]:
    """Yield every mount of this process's namespace, in the order they were made."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            yield parse(line)


def parse(line: str) -> MountPoint:
    """Read a line of mountinfo (proc_pid_mountinfo(5))."""
    fields, _, _ = line.partition(" - ")
    words = fields.split(" ")
    tags = {tag.partition(":")[0] for tag in words[6:]}
    path = _ESCAPED.sub(lambda match: chr(int(match[1], 8)), words[4])
    return MountPoint(path, "shared" in tags, "master" in tags)


def mount_of(path: str) -> MountPoint:
    """Return the mount that *path* lies on. Raises OSError where there is no such path."""
    path = os.path.realpath(path, strict=True)
    found = None
    for mount in mount_points():
        covers = path == mount.path or path.startswith(mount.path.rstrip("/") + "/")
        if covers and (found is None or len(mount.path) >= len(found.path)):
            found = mount
    assert found is not None, "the root is mounted"
    return found


def unmount_below(directory: Path) -> None:
    """Unmount what is mounted below *directory*, the last first."""
    prefix = f"{os.path.realpath(directory)}/"
    for mount in reversed([m for m in mount_points() if m.path.startswith(prefix)]):
        linux.umount(mount.path)

"""``emptyDir``: a directory on the node's disk, or a file system in memory."""

from __future__ import annotations

import os
from pathlib import Path

from podium.kubelet.volumes import ownership
from podium.runtime import linux

_FLAGS = linux.MS_NOSUID | linux.MS_NODEV


def on_disk(path: Path, group: int | None) -> None:
    """Make the volume, whole from the moment that it is there; one that is there stays as it is."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}")
    unfinished.mkdir(exist_ok=True)
    unfinished.chmod(0o777)
    if group is not None:
        ownership.give(unfinished, group)
    unfinished.rename(path)


def in_memory(path: Path, size: int, group: int | None) -> None:
    """Mount the volume, unless it is; *size* is in bytes, 0 for the kernel's choice."""
    path.mkdir(parents=True, exist_ok=True)
    if not is_mounted(path):
        options = f"mode=1777,size={size}" if size else "mode=1777"
        linux.mount("tmpfs", str(path), "tmpfs", _FLAGS, options)
    if group is not None:
        ownership.give(path, group, on_mismatch_only=True)


def is_mounted(path: Path) -> bool:
    """Whether a file system of its own lies at *path*."""
    return os.stat(path).st_dev != os.stat(path.parent).st_dev

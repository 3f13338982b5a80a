"""Mounts that show files with the owners that a user namespace maps theirs to.

Below ``RUN/idmaps``, one directory a sandbox (image layers) or container (its mounts). They are
taken away by unmounting and removing empty directories only: what they show is somebody's data.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from podium.runtime import linux
from podium.runtime.port import RuntimeFailure


def layers(directory: Path, paths: Sequence[str], user_namespace: str) -> list[str]:
    """Return image layers, which all lie in one directory, as the user namespace sees them."""
    parent = os.path.dirname(paths[0])
    target = directory / hashlib.sha256(parent.encode()).hexdigest()[:16]
    if not os.path.ismount(target):
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        _mount(parent, target, user_namespace)
    return [str(target / os.path.relpath(path, parent)) for path in paths]


def mounts(
    directory: Path, wanted: Sequence[Mapping[str, Any]], user_namespace: str
) -> list[dict[str, Any]]:
    """Return the entries of ``config.json``'s ``mounts`` with sources that the user namespace
    owns.

    What is read-only is made so here: the low-level runtime could not, as it would take away
    restrictions (``nosuid``) that only the node's root may take away.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    return [
        _owned(directory / str(number), mount, user_namespace)
        for number, mount in enumerate(wanted)
    ]


def _owned(target: Path, mount: Mapping[str, Any], user_namespace: str) -> dict[str, Any]:
    if mount["type"] != "bind":
        return dict(mount)
    source, options = os.path.realpath(mount["source"]), list(mount["options"])
    if os.path.isdir(source):
        target.mkdir(mode=0o700)
    else:
        target.touch(mode=0o600)
    _mount(source, target, user_namespace)
    for option, recursive in (("ro", False), ("rro", True)):
        if option in options:
            linux.make_read_only(str(target), recursive=recursive)
            options[options.index(option)] = "rw"
    return {**mount, "source": str(target), "options": options}


def release(directory: Path) -> None:
    """Unmount and remove what is in *directory*, and it. Repeatable; raises OSError if something
    stays mounted."""
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(directory):
            target = directory / name
            while linux.umount(str(target)):
                pass
            if target.is_dir():
                target.rmdir()
            else:
                target.unlink()
        directory.rmdir()


def _mount(source: str, target: Path, user_namespace: str) -> None:
    try:
        linux.mount_idmapped(source, str(target), user_namespace)
    except OSError as exc:
        hint = " (maybe the filesystem used doesn't support idmap mounts on this kernel?)"
        raise RuntimeFailure(
            "failed to create containerd container: failed to set MOUNT_ATTR_IDMAP on "
            f"{source}: {(exc.strerror or '').lower()}{hint}"
        ) from exc

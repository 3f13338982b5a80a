"""A container's root file system: an overlay of its image's layers and a layer of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from podium.runtime import linux
from podium.runtime.oci.layout import ContainerPaths

#: Bytes that are read of a file of accounts.
_LONGEST_FILE = 4 << 20


def mount_rootfs(paths: ContainerPaths, layers: Sequence[str]) -> None:
    """Mount the container's root. *layers* are directories, the uppermost first; in a user
    namespace, with the owners that they have there.

    The own layer's directory is the container's ``/``, so it takes mode and owner of the image's.
    Raises OSError.
    """
    for directory in (paths.upper, paths.work, paths.rootfs):
        directory.mkdir(parents=True, exist_ok=True)
    top = os.stat(layers[0])
    os.chown(paths.upper, top.st_uid, top.st_gid)
    os.chmod(paths.upper, top.st_mode & 0o7777)
    own = f"upperdir={_escaped(paths.upper)},workdir={_escaped(paths.work)}"
    _mount_overlay(paths.rootfs, layers, own)
    _check_dev(paths.rootfs)


def _check_dev(rootfs: Path) -> None:
    """Refuse a link called ``/dev``: runc follows it out of the root, and makes and removes files
    where it leads on the node."""
    if (rootfs / "dev").is_symlink():
        text = 'filesystem "tmpfs" must be mounted on ordinary directory'
        raise OSError(f'error mounting "tmpfs" to rootfs at "/dev": {text}')


def mount_read_only(target: Path, layers: Sequence[str]) -> None:
    """Mount *layers* on *target*, which is made, without a layer to write to. Raises OSError."""
    target.mkdir(parents=True)
    # An overlay of one layer needs a second: nothing is in it.
    empty = [str(target)] if len(layers) == 1 else []
    _mount_overlay(target, [*layers, *empty], "")


def _mount_overlay(target: Path, layers: Sequence[str], own: str) -> None:
    parent = os.path.dirname(layers[0])
    lower = ":".join(os.path.relpath(layer, parent) for layer in layers)
    data = f"lowerdir={lower},{own}".rstrip(",")

    def mount() -> None:
        # mount(2) takes one page of options: names relative to the layers' directory keep an image
        # of many layers within it. The working directory is this thread's alone.
        linux.unshare(linux.CLONE_FS)
        os.chdir(parent)
        linux.mount("overlay", str(target), "overlay", 0, data)

    linux.in_own_thread(mount)


def read_in_root(root: str, path: str) -> str:
    """Read a text file as the container would see it; empty when there is none.

    What the image's author put there is followed at no time out of *root*.
    """
    descriptor = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        file = linux.open_in_root(descriptor, path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return ""
    finally:
        os.close(descriptor)
    try:
        return os.read(file, _LONGEST_FILE).decode(errors="replace")
    except OSError:  # a directory or a device by that name holds no accounts
        return ""
    finally:
        os.close(file)


def _escaped(path: object) -> str:
    """Escape what overlayfs takes for a separator."""
    return str(path).replace("\\", "\\\\").replace(",", "\\,").replace(":", "\\:")

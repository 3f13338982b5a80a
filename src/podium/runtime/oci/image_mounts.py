"""Images mounted as volumes: read-only stacks of layers, one for each such mount of a container.

    DATA/containers/ID/images/N    says that mount N holds an image (an empty directory)
    RUN/containers/ID/images/N     where it is mounted

The mark is made before the image is held, so that who cleans up after a crash finds all holds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from podium.kit.trees import open_beneath
from podium.runtime import linux
from podium.runtime.oci.engine import Engine
from podium.runtime.oci.layout import ContainerPaths
from podium.runtime.oci.rootfs_mount import mount_read_only
from podium.runtime.port import Mount, RuntimeFailure

_DIRECTORY = "images"


def mount_images(
    engine: Engine, container_id: str, mounts: Sequence[Mount], *, own_users: bool
) -> list[Mount]:
    """Return *mounts* with a path for each image. Raises RuntimeFailure and OSError."""
    paths = engine.container_paths(container_id)
    if own_users and any(mount.image for mount in mounts):
        raise RuntimeFailure("images cannot be mounted in a user namespace of the Pod's own")
    return [
        replace(mount, host_path=_mount(engine, paths, container_id, number, mount))
        if mount.image
        else mount
        for number, mount in enumerate(mounts)
    ]


def _mount(
    engine: Engine, paths: ContainerPaths, container_id: str, number: int, mount: Mount
) -> str:
    (paths.directory / _DIRECTORY / str(number)).mkdir(parents=True)
    engine.images.hold(mount.image, holder(container_id, str(number)))
    target = paths.bundle / _DIRECTORY / str(number)
    mount_read_only(target, engine.images.layers(mount.image))
    if not mount.image_sub_path:
        return str(target)
    root = os.open(target, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        found = open_beneath(root, mount.image_sub_path)
        try:
            return os.readlink(f"/proc/self/fd/{found}")  # nobody can move what is read-only
        finally:
            os.close(found)
    except OSError as exc:
        raise RuntimeFailure(
            f'failed to generate container spec: image sub path "{mount.image_sub_path}": '
            f"{(exc.strerror or str(exc)).lower()}"
        ) from exc
    finally:
        os.close(root)


def holder(container_id: str, number: str) -> str:
    return f"{container_id}.{number}"


def holders(directory: Path, container_id: str) -> Iterator[str]:
    """Yield the names under which the container, whose data is in *directory*, holds images."""
    for number in _names(directory):
        yield holder(container_id, number)


def unmount_images(engine: Engine, container_id: str) -> None:
    """Undo :func:`mount_images`. Repeatable, also after a crash at any point."""
    paths = engine.container_paths(container_id)
    for number in _names(paths.directory):
        linux.umount(str(paths.bundle / _DIRECTORY / number))
        engine.images.release(holder(container_id, number))


def _names(directory: Path) -> list[str]:
    try:
        return os.listdir(directory / _DIRECTORY)
    except FileNotFoundError:
        return []

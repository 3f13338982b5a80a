"""RemoveContainer: what ran, what was mounted, what was written."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from functools import partial
from pathlib import Path

from podium.kit.threads import run_in_thread
from podium.runtime import linux
from podium.runtime.oci import idmaps, image_mounts, low_level
from podium.runtime.oci.container_stop import stop_container
from podium.runtime.oci.engine import Engine
from podium.runtime.port import ContainerEventType


async def remove_container(engine: Engine, container_id: str) -> None:
    """Kill the container where it runs, and remove it with its log. Repeatable."""
    live = engine.containers.get(container_id)
    if live is None:
        return
    async with live.busy:
        if container_id not in engine.containers:
            return
        await stop_container(engine, container_id, 0)
        record = live.record
        if record.log_path:
            _remove_log(Path(record.log_path))
        await destroy(engine, container_id)
        engine.publish(ContainerEventType.DELETED, container_id, record.sandbox_id)


def _remove_log(path: Path) -> None:
    """Remove a log, and what it was rotated into."""
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink(missing_ok=True)


async def destroy(engine: Engine, container_id: str) -> None:
    """Remove whatever there is of a container. Repeatable, also after a crash at any point.

    The record goes last: while it is there, the next process knows that something is.
    """
    paths = engine.container_paths(container_id)
    await low_level.delete(engine, container_id)
    live = engine.containers.get(container_id)
    if live is not None:
        live.close()
        await engine.cgroups.remove(live.record.cgroup_path)
    await run_in_thread(partial(_unmount, engine, container_id))
    await asyncio.to_thread(_remove_files, paths.bundle, paths.directory, paths.record)
    engine.containers.pop(container_id, None)


def _unmount(engine: Engine, container_id: str) -> None:
    """Not in the event loop: the kernel may take tens of milliseconds to be done with a mount."""
    linux.umount(str(engine.container_paths(container_id).rootfs))
    image_mounts.unmount_images(engine, container_id)
    idmaps.release(engine.options.idmaps(container_id))
    engine.images.release(container_id)


def _remove_files(
    bundle: os.PathLike[str], directory: os.PathLike[str], record: str | os.PathLike[str]
) -> None:
    shutil.rmtree(bundle, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError), os.scandir(directory) as entries:
        for entry in entries:
            if entry.path == os.fspath(record):
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)
    shutil.rmtree(directory, ignore_errors=True)

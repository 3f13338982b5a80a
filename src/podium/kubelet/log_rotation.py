"""Rotation of container logs: none grows beyond its size, and no line is lost.

A log that has grown too long is renamed and conmon opens a new one in its place: what it writes in
between goes to the renamed file. Follows ``k8s.io/kubernetes/pkg/kubelet/logs``.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from podium.kit.clock import Clock
from podium.kubelet import log_files
from podium.kubelet.config import KubeletConfiguration
from podium.runtime.port import (
    ContainerState,
    NotFound,
    RuntimeFailure,
    RuntimeService,
)

logger = logging.getLogger(__name__)


class LogRotator:
    """Looks at the logs of running containers from time to time; sizes are bytes."""

    def __init__(self, runtime: RuntimeService, config: KubeletConfiguration, clock: Clock) -> None:
        self._runtime, self._clock = runtime, clock
        self._interval = config.container_log_monitor_interval
        self._max_size = config.container_log_max_size
        self._max_files = config.container_log_max_files

    async def run(self) -> None:
        """Rotate what has to be, until cancelled."""
        while True:
            await self._clock.sleep(self._interval)
            try:
                await self.rotate_all()
            except RuntimeFailure as exc:
                logger.warning("logs could not be looked at", extra={"error": exc})

    async def rotate_all(self) -> None:
        """Look at each running container once. Raises RuntimeFailure where they are not told."""
        for container in await self._runtime.list_containers():
            if container.state is not ContainerState.RUNNING:
                continue
            try:
                await self._look_at(container.id)
            except (RuntimeFailure, OSError) as exc:
                logger.warning(
                    "log could not be rotated", extra={"container": container.id, "error": exc}
                )

    async def _look_at(self, container_id: str) -> None:
        try:
            log_path = (await self._runtime.container_status(container_id)).log_path
        except NotFound:
            return  # it has gone meanwhile
        if not log_path:
            return
        path = Path(log_path)
        size = _size(path)
        if size is None:  # who had renamed it ended before a new one was opened
            await self._runtime.reopen_container_log(container_id)
        elif size > self._max_size:
            await asyncio.to_thread(_make_room, path, self._max_files)
            await self._rotate(path, container_id)

    async def _rotate(self, path: Path, container_id: str) -> None:
        target = log_files.rotated_name(path, self._clock.now())
        if not _renamed(path, target):
            return  # twice in a second: the next look is soon enough
        try:
            await self._runtime.reopen_container_log(container_id)
        except RuntimeFailure:
            _renamed(target, path)  # it is still written to
            raise


def _size(path: Path) -> int | None:
    """The size of a log; None where there is no file of that name."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _make_room(path: Path, max_files: int) -> None:
    """Remove what is too much with the file that is about to come; compress all but it."""
    older = log_files.rotated(path)
    excess = max(len(older) - (max_files - 2), 0)
    for file in older[:excess]:
        file.unlink(missing_ok=True)
    for file in older[excess:]:
        if file.suffix != log_files.GZ:
            log_files.compress(file)


def _renamed(path: Path, target: Path) -> bool:
    """Rename, unless there is a file of the new name, compressed or not."""
    if any(file.exists() for file in (target, target.with_name(target.name + log_files.GZ))):
        return False
    path.rename(target)
    return True

"""What of the node is left, signal by signal: a handful of small reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from podium.domain.pods import eviction
from podium.domain.pods.eviction import Observation, Observations
from podium.kubelet.node import machine
from podium.kubelet.stats.disks import file_system


class Signals:
    """*root_dir* lies on the disk that Pods share, *images* tells where images lie.

    *pods_memory* is what Pods together have left, None where they may have all.
    """

    def __init__(
        self,
        root_dir: Path,
        images: str = "",
        pods_memory: Callable[[], Observation | None] = lambda: None,
    ) -> None:
        self._root_dir, self._images, self._pods_memory = root_dir, images, pods_memory

    def __call__(self) -> Observations:
        """Raises OSError."""
        memory, used = machine.total_memory(), machine.read_usage().memory_working_set_bytes
        node = file_system(self._root_dir)
        images = file_system(self._images) if self._images else node
        most, running = machine.process_ids()
        of_pods = self._pods_memory()
        return {
            **({eviction.PODS_MEMORY: of_pods} if of_pods is not None else {}),
            eviction.MEMORY: Observation(max(memory - used, 0), memory),
            eviction.NODE_DISK: Observation(node.available, node.capacity),
            eviction.NODE_INODES: Observation(node.inodes_free, node.inodes),
            eviction.IMAGE_DISK: Observation(images.available, images.capacity),
            eviction.IMAGE_INODES: Observation(images.inodes_free, images.inodes),
            eviction.PIDS: Observation(max(most - running, 0), most),
        }

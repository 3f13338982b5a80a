"""Ends Pods whose ``emptyDir`` volumes have grown beyond their ``sizeLimit``.

Upstream's eviction manager does so as well; volumes in memory cannot grow beyond it. What a volume
takes is asked of du, which no tree of directories can lead astray or exhaust.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

from podium.api.types.core_v1 import Pod
from podium.domain.pods.empty_dirs import MEMORY, exceeded, size_limits
from podium.domain.pods.identity import pod_key
from podium.kit import process
from podium.kit.clock import Clock
from podium.kubelet.options import KubeletOptions
from podium.kubelet.volumes.manager import disk_path

logger = logging.getLogger(__name__)

#: Seconds between two looks, and how long one volume's may take.
INTERVAL, PATIENCE = 10.0, 60.0


class EmptyDirLimits:
    """*evict* is called with the uid of a Pod and the message that tells why."""

    def __init__(
        self,
        options: KubeletOptions,
        pods: Callable[[], Iterable[Pod]],
        evict: Callable[[str, str], None],
        clock: Clock,
    ) -> None:
        self._options, self._clock = options, clock
        self._pods, self._evict = pods, evict

    async def run(self) -> None:
        while True:
            await self._clock.sleep(INTERVAL)
            for pod in [pod for pod in self._pods() if size_limits(pod)]:
                message = exceeded(pod, await self._used(pod))
                if message:
                    self._evict(pod.metadata.uid, message)

    async def _used(self, pod: Pod) -> Mapping[str, int]:
        """Bytes that limited volumes take on disk, by name; those that cannot be told are left
        out."""
        used = {}
        for volume in pod.spec.volumes:
            source = volume.empty_dir
            if source is None or volume.name not in size_limits(pod) or source.medium == MEMORY:
                continue
            path = disk_path(self._options.pod_dir(pod.metadata.uid), volume.name)
            try:
                done = await process.run(
                    "du", "-sx", "--block-size=1", str(path), timeout=PATIENCE, check=False
                )
                # It complains about what vanishes under it, and has counted the rest.
                used[volume.name] = int(done.stdout.split(b"\t")[0])
            except (TimeoutError, ValueError, FileNotFoundError) as exc:
                logger.debug("volume not measured", extra={"pod": pod_key(pod), "error": exc})
        return used

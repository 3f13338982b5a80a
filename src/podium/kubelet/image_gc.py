"""Removes images that nobody uses: when the disk fills up, and when they are too old.

What may go is decided in ``podium.domain.image_garbage``.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence

from podium.api.types.core_v1 import Node, Pod
from podium.client.events import EventRecorder
from podium.domain.image_garbage import Disk, KnownImage, noted, removable, too_old
from podium.kit.clock import Clock
from podium.kubelet.config import KubeletConfiguration
from podium.kubelet.stats.disks import file_system
from podium.runtime.image_port import ImageService
from podium.runtime.port import RuntimeFailure, RuntimeService

logger = logging.getLogger(__name__)

#: Seconds between two looks.
INTERVAL = 300.0


class GarbageLeft(RuntimeFailure):
    """The images could not be collected as they ought to be; the text says why."""


class ImageCollector:
    """*pods* are those on the node; *disk* measures where the images are."""

    def __init__(
        self,
        images: ImageService,
        runtime: RuntimeService,
        pods: Callable[[], Iterable[Pod]],
        config: KubeletConfiguration,
        events: EventRecorder,
        node: Callable[[], Node],
        clock: Clock,
        disk: Callable[[str], Disk] | None = None,
    ) -> None:
        self._images, self._runtime, self._pods, self._config = images, runtime, pods, config
        self._events, self._node, self._clock = events, node, clock
        self._disk = disk or _measure
        self._known: dict[str, KnownImage] = {}
        self._began = clock.monotonic()
        self._failed = False

    async def run(self) -> None:
        """Look now and then, until cancelled."""
        # How long those have been here that were before us is not known: long enough.
        await self._turn(lambda: self._note(float("-inf")))
        while True:
            await self._clock.sleep(INTERVAL)
            await self._turn(self.collect)

    async def free_unused(self) -> int:
        """Remove all that nobody uses and that is old enough; return how many bytes that frees."""
        return await self._remove(await self._removable(), None)

    async def _turn(self, work: Callable[[], Awaitable[object]]) -> None:
        try:
            await work()
            self._failed = False
        except (RuntimeFailure, OSError) as exc:
            logger.warning("images could not be collected", extra={"error": exc})
            if self._failed:  # once may be because it is early
                self._tell("ImageGCFailed", str(exc))
            self._failed = True

    async def collect(self) -> None:
        """Remove what is too old, and then what the disk has no room for.

        Both may be switched off; then this only takes note of what is used. Raises GarbageLeft,
        RuntimeFailure, OSError.
        """
        config = self._config
        candidates = await self._removable()
        oldest, now = config.image_maximum_gc_age, self._clock.monotonic()
        if oldest and now - self._began >= oldest:
            await self._remove(too_old(candidates, now, oldest), None)
            candidates = [image for image in candidates if image.id in self._known]
        if config.image_gc_high_threshold_percent == 100:
            return
        disk = self._disk((await self._images.image_fs_info()).mountpoint)
        if not disk.capacity:
            text = f"invalid capacity 0 on image filesystem at mount point {disk.mountpoint}"
            self._tell("InvalidDiskCapacity", text)
            raise GarbageLeft(text)
        if disk.used_percent < config.image_gc_high_threshold_percent:
            return
        wanted = disk.to_free(config.image_gc_low_threshold_percent)
        freed = await self._remove(candidates, wanted)
        if freed < wanted:
            text = (
                "Failed to garbage collect required amount of images. "
                f"Attempted to free {wanted} bytes, but only found {freed} bytes eligible to free."
            )
            self._tell("FreeDiskSpaceFailed", text)
            raise GarbageLeft(text)

    async def _removable(self) -> list[KnownImage]:
        now = await self._note()
        return removable(self._known.values(), now, self._config.image_minimum_gc_age)

    async def _note(self, first_seen: float | None = None) -> float:
        """Take note of what there is and what is used; return the moment that this counts for."""
        now, present = self._clock.monotonic(), await self._images.list_images()
        containers = await self._runtime.list_containers()
        names = {container.image_ref for container in containers}
        used = {
            image.id
            for image in present
            if names & {image.id, *image.repo_digests, *image.repo_tags}
        }
        for pod in self._pods():
            for volume in pod.spec.volumes:
                if volume.image is not None:
                    mounted = await self._images.image_status(volume.image.reference)
                    used |= {mounted.id} if mounted else set()
        listed = [(image.id, image.size, image.pinned) for image in present]
        self._known = noted(
            self._known, listed, used, now, now if first_seen is None else first_seen
        )
        return now

    async def _remove(self, images: Sequence[KnownImage], wanted: int | None) -> int:
        """Remove *images* until *wanted* bytes are free, all where that is None. Raises
        GarbageLeft."""
        freed, problems = 0, []
        for image in images:
            if wanted is not None and freed >= wanted:
                break
            logger.info("removing image", extra={"image": image.id, "bytes": image.size})
            try:
                await self._images.remove_image(image.id)
            except (RuntimeFailure, OSError) as exc:
                problems.append(str(exc))
                continue
            self._known.pop(image.id, None)
            freed += image.size
        if problems:
            listed = f"[{', '.join(problems)}]"
            asked = "all" if wanted is None else wanted
            raise GarbageLeft(
                f"wanted to free {asked} bytes, but freed {freed} bytes space with errors in image "
                f"deletion: {listed}"
            )
        return freed

    def _tell(self, reason: str, text: str) -> None:
        self._events.event(self._node(), "Warning", reason, text)


def _measure(mountpoint: str) -> Disk:
    found = file_system(mountpoint)
    return Disk(mountpoint, found.capacity, found.available)

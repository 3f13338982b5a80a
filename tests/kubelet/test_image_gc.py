"""Images go when the disk fills up, and when they are too old; what somebody uses stays."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from podium.api.types.core_v1 import Node, Pod
from podium.domain.image_garbage import Disk
from podium.kit.clock import VirtualClock
from podium.kubelet.config import KubeletConfiguration
from podium.kubelet.image_gc import GarbageLeft, ImageCollector
from podium.runtime.memory import MemoryRuntime
from podium.runtime.memory_images import MemoryImages
from podium.runtime.port import (
    ContainerConfig,
    ContainerMetadata,
    PodSandboxConfig,
    PodSandboxMetadata,
)
from support.pods import make_pod

SIZE = 12272126  # of each image


class Told:
    """Takes what is said by events."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def event(self, _about: Any, _type: str, reason: str, message: str) -> None:
        self.events.append((reason, message))


class RestlessClock(VirtualClock):
    """Time goes on between any two looks at it."""

    looks = 0

    def monotonic(self) -> float:
        self.looks += 1
        return super().monotonic() + self.looks * 1e-6


class Rig:
    def __init__(self, *images: str, pods: list[Pod] | None = None, **config: Any) -> None:
        self.clock, self.told = RestlessClock(), Told()
        self.images = MemoryImages(self.clock, present=images)
        self.runtime = MemoryRuntime(self.clock, self.images)
        self.free = 50 * SIZE
        self.collector = ImageCollector(
            self.images,
            self.runtime,
            lambda: pods or [],
            KubeletConfiguration(**config),
            self.told,  # type: ignore[arg-type]
            Node,
            self.clock,
            lambda where: Disk(where, 100 * SIZE, self.free),
        )

    async def names(self) -> set[str]:
        return {image.repo_tags[0] for image in await self.images.list_images()}

    async def use(self, name: str) -> None:
        sandbox = PodSandboxConfig(PodSandboxMetadata("p", "uid", "default"))
        sandbox_id = await self.runtime.run_pod_sandbox(sandbox)
        image = await self.images.image_status(name)
        assert image is not None
        config = ContainerConfig(ContainerMetadata("c"), image.id)
        await self.runtime.create_container(sandbox_id, config, sandbox)


async def test_a_full_disk_costs_what_nobody_uses():
    rig = Rig("a:1", "b:1", "c:1")
    async with rig.runtime:
        await rig.use("b:1")
        await rig.collector.collect()
        assert await rig.names() == {"a:1", "b:1", "c:1"}, "there is room"

        rig.free = 14 * SIZE
        await rig.clock.advance(121)
        with pytest.raises(GarbageLeft, match="Attempted to free"):
            await rig.collector.collect()
        assert await rig.names() == {"b:1"}
        text = (
            "Failed to garbage collect required amount of images. "
            f"Attempted to free {6 * SIZE} bytes, but only found {2 * SIZE} bytes eligible to free."
        )
        assert rig.told.events == [("FreeDiskSpaceFailed", text)]


async def test_no_more_goes_than_has_to_and_nothing_young():
    rig = Rig(*(f"i{number}:1" for number in range(9)))
    async with rig.runtime:
        rig.free = 15 * SIZE
        with pytest.raises(GarbageLeft):
            await rig.collector.collect()
        assert len(await rig.names()) == 9
        await rig.clock.advance(121)
        await rig.collector.collect()
        assert len(await rig.names()) == 4


async def test_what_a_pod_mounts_is_used():
    volumes = [{"name": "v", "image": {"reference": "a:1"}}]
    rig = Rig("a:1", "b:1", pods=[make_pod("c", volumes=volumes)])
    async with rig.runtime:
        await rig.collector.collect()
        await rig.clock.advance(121)
        assert await rig.collector.free_unused() == SIZE
        assert await rig.names() == {"a:1"}


async def test_old_images_go_although_there_is_room():
    rig = Rig("a:1", "b:1", image_gc_high_threshold_percent=100, image_maximum_gc_age=3600.0)
    async with rig.runtime:
        await rig.use("a:1")
        await rig.collector.collect()
        await rig.clock.advance(3599)
        await rig.collector.collect()
        assert await rig.names() == {"a:1", "b:1"}
        await rig.clock.advance(1)
        await rig.collector.collect()
        assert await rig.names() == {"a:1"}


async def test_it_is_told_when_it_goes_wrong_again():
    rig = Rig("a:1")
    rig.free = 0
    async with rig.runtime, asyncio.TaskGroup() as group:
        await rig.use("a:1")
        running = group.create_task(rig.collector.run())
        await rig.clock.advance(300)
        assert [reason for reason, _ in rig.told.events] == ["FreeDiskSpaceFailed"]
        await rig.clock.advance(300)
        assert [reason for reason, _ in rig.told.events][1:] == [
            "FreeDiskSpaceFailed", "ImageGCFailed",
        ]  # fmt: skip
        running.cancel()


async def test_at_a_hundred_percent_nothing_goes_but_what_is_used_is_known():
    """Those who are short of disk may ask for what nobody uses; what came just now stays."""
    rig = Rig("a:1", image_gc_high_threshold_percent=100)
    rig.free = 0
    async with rig.runtime, asyncio.TaskGroup() as group:
        running = group.create_task(rig.collector.run())
        await rig.clock.advance(600)
        assert await rig.names() == {"a:1"}
        rig.images.publish("b:1")
        await rig.images.pull_image("b:1")
        assert await rig.collector.free_unused() == SIZE
        assert await rig.names() == {"b:1"}
        running.cancel()

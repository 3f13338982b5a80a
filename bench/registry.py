"""What the store and the registry take, without HTTP: writes beside the disk's own floor, lists,
watches with many watchers, a start on a full store.

    .venv/bin/python bench/registry.py [--directory DIR] [--pods N]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import uvloop

from podium.api import codec
from podium.api.scheme import PODS
from podium.api.types.core_v1 import Pod
from podium.api.user import UserInfo
from podium.kit.clock import SystemClock
from podium.registry.patching import MERGE_PATCH, STRATEGIC_MERGE_PATCH
from podium.registry.registry import Registry
from podium.registry.types import ListOptions, RequestContext
from podium.store.sqlite import SqliteStore

_POD = """{"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s","labels":{"name":"kuard"}},
"spec":{"nodeName":"node-%d","containers":[{"name":"kuard","image":"willvelida/kuard",
"resources":{"limits":{"memory":"128Mi","cpu":"500m"}},
"ports":[{"containerPort":8080,"name":"http","protocol":"TCP"}]}]}}"""
_NODES = 50
_CONDITIONS = ("Initialized", "Ready", "ContainersReady", "PodScheduled")


def pod(number: int) -> Pod:
    body = (_POD % (f"pod-{number:05}", number % _NODES)).encode()
    decoded: Pod = codec.decode(PODS, body)[0]
    return decoded


def context() -> RequestContext:
    return RequestContext(UserInfo("bench"))


def show(what: str, seconds: Sequence[float]) -> None:
    ordered = sorted(seconds)
    picks = [ordered[0], *(ordered[int(len(ordered) * share)] for share in (0.5, 0.99))]
    low, median, high = (f"{each * 1000:8.3f}" for each in picks)
    print(f"{what:44}{low}{median}{high} ms")


async def timed(count: int, verb: Callable[[int], Awaitable[object]]) -> list[float]:
    taken = []
    for number in range(count):
        start = time.perf_counter()
        await verb(number)
        taken.append(time.perf_counter() - start)
    return taken


def disk_floor(directory: Path, count: int = 300) -> list[float]:
    """What the disk takes to make one page durable in a file of a fixed size."""
    fd = os.open(directory / "floor", os.O_RDWR | os.O_CREAT)
    try:
        os.write(fd, bytes(1 << 20))
        os.fsync(fd)
        taken = []
        for number in range(count):
            start = time.perf_counter()
            os.pwrite(fd, os.urandom(4096), number % 256 * 4096)
            os.fdatasync(fd)
            taken.append(time.perf_counter() - start)
        return taken
    finally:
        os.close(fd)


async def writes(store: SqliteStore, registry: Registry) -> None:
    show("store: create", await timed(500, lambda n: store.create(f"/bench/{n}", b"x" * 1200)))
    made = [pod(number) for number in range(1000)]
    show(
        "create a Pod",
        await timed(1000, lambda n: registry.create(PODS, "default", made[n], context())),
    )
    show("patch a Pod's status", await timed(1000, lambda n: patch_status(registry, n)))
    start = time.perf_counter()
    await asyncio.gather(
        *(registry.create(PODS, "together", pod(n), context()) for n in range(1000))
    )
    print(f"{'1000 Pods at the same time':44}{(time.perf_counter() - start) * 1000:8.0f} ms")


async def patch_status(registry: Registry, number: int) -> None:
    """What a kubelet writes once a container runs, and who owns it then."""
    change = {
        "status": {
            "phase": "Running",
            "startTime": "2026-01-02T03:04:05Z",
            "conditions": [{"type": kind, "status": "True"} for kind in _CONDITIONS],
            "containerStatuses": [
                {
                    "name": "kuard",
                    "image": "willvelida/kuard",
                    "imageID": "",
                    "ready": True,
                    "restartCount": 0,
                    "state": {"running": {"startedAt": "2026-01-02T03:04:05Z"}},
                }
            ],
        }
    }
    await registry.patch(
        PODS, "default", f"pod-{number:05}", change, STRATEGIC_MERGE_PATCH, context(),
        subresource="status",
    )  # fmt: skip


async def lists(registry: Registry) -> None:
    async def joined(_: int) -> bytes:
        listed = await registry.list(PODS, "default", ListOptions())
        return b",".join(item.data for item in listed.items)

    show("list of 1000 Pods, as bytes", await timed(100, joined))
    by_node = ListOptions(field_selector="spec.nodeName=node-7")
    show("list by node, 40 of 2000", await timed(100, lambda _: registry.list(PODS, "", by_node)))


async def fan_out(registry: Registry, what: str, watches: Sequence[ListOptions], each: int) -> None:
    """1000 Pods are patched; every watch of *watches* is told of *each* of them."""
    opened = asyncio.Barrier(len(watches) + 1)

    async def reader(options: ListOptions) -> None:
        async with registry.watch(PODS, "default", options) as stream:
            await opened.wait()
            seen = 0
            while seen < each:
                seen += len(await stream.batch())

    async with asyncio.TaskGroup() as tasks:
        for options in watches:
            tasks.create_task(reader(options))
        await opened.wait()
        start = time.perf_counter()
        change = {"metadata": {"labels": {"watchers": str(len(watches))}}}
        for number in range(1000):
            name = f"pod-{number:05}"
            tasks.create_task(registry.patch(PODS, "default", name, change, MERGE_PATCH, context()))
    print(f"{what:44}{(time.perf_counter() - start) * 1000:8.0f} ms")


async def watches(registry: Registry) -> None:
    version = (await registry.list(PODS, "", ListOptions())).resource_version
    everything = [ListOptions(resource_version=version)] * 100
    await fan_out(registry, "1000 patches, 100 watchers of all", everything, 1000)
    version = (await registry.list(PODS, "", ListOptions())).resource_version
    by_node = [
        ListOptions(resource_version=version, field_selector=f"spec.nodeName=node-{n % _NODES}")
        for n in range(1000)
    ]
    await fan_out(registry, "1000 patches, 1000 watchers of a node", by_node, 1000 // _NODES)


async def restart(path: Path) -> None:
    start = time.perf_counter()
    store = SqliteStore.open(path)
    registry = Registry(store, (), SystemClock())
    await registry.start()
    taken = time.perf_counter() - start
    count = len((await registry.list(PODS, "", ListOptions())).items)
    print(f"{f'open and read {count} Pods':44}{taken * 1000:8.0f} ms")
    await store.close()


async def run(directory: Path, pods: int) -> None:
    print(f"{'':44}{'min':>8}{'median':>8}{'p99':>8}")
    show("floor: fdatasync of a page", disk_floor(directory))
    path = directory / "state.db"
    store = SqliteStore.open(path)
    registry = Registry(store, (), SystemClock())
    async with registry.serving():
        await writes(store, registry)
        await lists(registry)
        await watches(registry)
        await asyncio.gather(
            *(registry.create(PODS, "many", pod(n), context()) for n in range(pods))
        )
    await store.close()
    await restart(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--directory", type=Path, default=Path("/var/tmp"), help="on which disk")
    parser.add_argument("--pods", type=int, default=8000, help="how many to start with")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.directory, prefix="podium-bench-") as scratch:
        uvloop.run(run(Path(scratch), arguments.pods))


if __name__ == "__main__":
    main()

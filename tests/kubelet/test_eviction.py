"""A node that runs out of something: what it tells, whom it ends, whom it does not take on."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from podium.domain.pods.eviction import MEMORY, NODE_DISK, PODS_MEMORY, Observation
from podium.kubelet.eviction import counting_pause
from podium.kubelet.stats.reader import StatsReader
from podium.runtime.port import RuntimeFailure
from podium.runtime.stats_port import CpuMemoryUsage
from support.node import NODE, Node

MIB = 1 << 20


def condition(node: Node, kind: str) -> Any:
    return next(c for c in node.nodes.get("", NODE).status.conditions if c.type == kind)


async def test_one_pod_at_a_time_goes_when_memory_is_short(node):
    await node.create({"resources": {"requests": {"memory": "64Mi"}}}, name="modest")
    await node.create(name="greedy", terminationGracePeriodSeconds=600)
    for name in ("modest", "greedy"):
        await node.running(name)
    node.left[MEMORY] = Observation(50 * MIB, 1 << 30)
    stop = node.runtime.stop_container

    async def relieving(container_id: str, timeout: float) -> None:
        node.left[MEMORY] = Observation(1 << 29, 1 << 30)
        await stop(container_id, timeout)

    node.runtime.stop_container = relieving

    greedy = await node.phase("Failed", "greedy", step=1)

    text = (
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. "
        "Container c was using 1Mi, request is 0, has larger consumption of memory. "
    )
    assert (greedy.status.reason, greedy.status.message) == ("Evicted", text)
    target = next(c for c in greedy.status.conditions if c.type == "DisruptionTarget")
    assert (target.reason, target.message) == ("TerminationByKubelet", text)
    await node.until(lambda: f"Evicted: {text}" in node.messages("greedy"))
    event = next(e for e in node.events.list() if e.reason == "Evicted")
    assert event.metadata.annotations["offending_containers_usage"] == "1Mi"
    assert node.phase_of("modest") == "Running"
    await node.until(lambda: condition(node, "MemoryPressure").status == "True")
    assert condition(node, "MemoryPressure").reason == "KubeletHasInsufficientMemory"
    await node.until(lambda: MET in node.messages(NODE))

    await node.create(name="late")
    late = await node.phase("Failed", "late", step=0)
    assert (late.status.reason, late.status.message) == (
        "Evicted",
        "Pod The node had condition: [MemoryPressure]. ",
    )
    await node.until(lambda: condition(node, "MemoryPressure").status == "False", step=30)
    assert node.phase_of("modest") == "Running"


async def test_pods_have_less_than_the_node(node):
    """What the node itself keeps is of no use to them: they go before the kernel kills them."""
    await node.create()
    await node.running()
    node.left[PODS_MEMORY] = Observation(50 * MIB, 1 << 30)
    gone = await node.phase("Failed", step=1)
    assert "Threshold quantity: 100Mi, available: 50Mi. " in gone.status.message


async def test_a_runtime_that_hangs_for_a_while_holds_up_no_eviction_for_longer(node):
    pod = await node.create()
    await node.running()
    listing, asked = node.runtime.list_pod_sandbox, []

    async def hanging(*, pod_uid: str = "") -> Any:
        if pod_uid == pod.metadata.uid:
            asked.append(pod_uid)
            if len(asked) <= 3:
                await asyncio.Event().wait()
        return await listing(pod_uid=pod_uid)

    node.runtime.list_pod_sandbox = hanging
    node.left[MEMORY] = Observation(50 * MIB, 1 << 30)
    gone = await node.phase("Failed", step=1)
    assert gone.status.reason == "Evicted"
    assert len(asked) > 3


async def test_a_soft_threshold_waits_and_gives_time(idle_node):
    node = idle_node
    node.config = replace(
        node.config,
        eviction_hard={},
        eviction_soft={"nodefs.available": "10%"},
        eviction_soft_grace_period={"nodefs.available": 60.0},
        eviction_max_pod_grace_period=20,
    )
    await node.start()
    await node.create(terminationGracePeriodSeconds=600)
    await node.running()
    stop, times = node.runtime.stop_container, []

    async def watched(container_id: str, timeout: float) -> None:
        times.append(timeout)
        await stop(container_id, timeout)

    node.runtime.stop_container = watched
    node.left[NODE_DISK] = Observation(9, 100)
    before = node.clock.monotonic()
    await node.until(lambda: any("Evicted" in text for text in node.messages()), step=1)
    assert node.clock.monotonic() - before >= 60
    await node.phase("Failed", step=1)
    assert times[0] == 20
    await node.until(lambda: condition(node, "DiskPressure").status == "True")


async def test_a_critical_pod_stays(node):
    await node.create(name="needed", priorityClassName="system-node-critical")
    await node.running("needed")
    node.left[MEMORY] = Observation(0, 1 << 30)
    await node.until(lambda: node.messages(NODE).count(MET) > 0, step=1)
    await node.pass_time(60)
    assert node.phase_of("needed") == "Running"


async def test_a_full_disk_loses_what_nobody_needs_first(idle_node):
    node = idle_node
    unused = "docker.io/library/unused:1"
    node.images.publish(unused)
    await node.images.pull_image(unused)
    node.config = replace(node.config, image_minimum_gc_age=0.0)
    await node.start()
    await node.create()
    await node.running()
    remove = node.images.remove_image

    async def freed(image: str) -> None:
        await remove(image)
        node.left[NODE_DISK] = Observation(90, 100)

    node.images.remove_image = freed
    node.left[NODE_DISK] = Observation(5, 100)
    met = "EvictionThresholdMet: Attempting to reclaim ephemeral-storage"
    await node.until(lambda: met in node.messages(NODE), step=1)
    await node.until(lambda: condition(node, "DiskPressure").status == "True", step=1)
    await node.pass_time(60)
    assert await node.images.image_status(unused) is None
    assert node.phase_of() == "Running"


async def test_an_image_that_cannot_be_removed_keeps_no_pod_from_going(idle_node):
    node = idle_node
    unused = "docker.io/library/unused:1"
    node.images.publish(unused)
    await node.images.pull_image(unused)
    node.config = replace(node.config, image_minimum_gc_age=0.0)
    await node.start()
    await node.create()
    await node.running()

    async def stuck(_image: str) -> None:
        raise RuntimeFailure("device or resource busy")

    node.images.remove_image = stuck
    node.left[NODE_DISK] = Observation(5, 100)
    gone = await node.phase("Failed", step=1)
    assert gone.status.reason == "Evicted"


MET = "EvictionThresholdMet: Attempting to reclaim memory"


async def test_who_writes_more_than_allowed_goes(node):
    limits = {"resources": {"limits": {"ephemeral-storage": "2Mi"}}}
    await node.create(limits, name="p")
    await node.create(name="other")
    await node.running("p")
    await node.running("other")
    node.runtime.written = 8 * MIB
    pod = await node.phase("Failed", step=1)
    text = "Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. "
    assert (pod.status.reason, pod.status.message) == ("Evicted", text)
    assert all(c.type != "DisruptionTarget" for c in pod.status.conditions)
    assert node.phase_of("other") == "Running"
    assert condition(node, "DiskPressure").status == "False"


@pytest.mark.parametrize(("took", "pause"), [(0, 0), (0.2, 4), (3, 60), (100, 300)])
def test_counting_pauses_for_as_long_as_it_costs(took, pause):
    assert counting_pause(took) == pause


async def test_what_takes_long_to_count_is_counted_less_often(node, monkeypatch):
    limits = {"resources": {"limits": {"ephemeral-storage": "2Mi"}}}
    counted: list[float] = []

    async def slow(*_about: Any) -> list[Any]:
        counted.append(node.clock.monotonic())
        await node.clock.sleep(3)
        return []

    monkeypatch.setattr(StatsReader, "read_disks", slow)
    await node.create(limits)
    await node.running()
    await node.until(lambda: len(counted) > 2, step=1)
    gaps = [later - earlier for earlier, later in pairwise(counted)]
    assert min(gaps) >= 63


async def test_a_pod_in_back_off_goes_by_what_it_takes(node):
    """Nothing of it runs just now: that is little, not unknown."""
    await node.create({"args": ["exit", "1"]}, name="looper")
    await node.create(name="greedy")
    greedy = (await node.running("greedy")).metadata.uid
    await node.until(lambda: "CrashLoopBackOff r3" in node.states.get("looper/c", []), step=0.5)
    stop = node.runtime.stop_container

    def usage(path: str) -> CpuMemoryUsage:
        used = 5 * MIB if greedy in path else 0
        return CpuMemoryUsage(0, used, used, used)

    async def relieving(container_id: str, timeout: float) -> None:
        node.left[MEMORY] = Observation(1 << 29, 1 << 30)
        await stop(container_id, timeout)

    node.cgroups.usage, node.runtime.stop_container = usage, relieving
    node.left[MEMORY] = Observation(50 * MIB, 1 << 30)

    await node.phase("Failed", "greedy", step=1)

    assert node.phase_of("looper") == "Running"


async def test_a_volume_is_too_large_also_while_nothing_runs(node):
    volume = {"name": "big", "emptyDir": {"sizeLimit": "1Mi"}}
    mounts = [{"name": "big", "mountPath": "/big"}]
    await node.create({"args": ["exit", "1"], "volumeMounts": mounts}, volumes=[volume])
    await node.until(lambda: "CrashLoopBackOff r4" in node.states.get("p/c", []), step=0.5)
    [directory] = node.directory.glob("kubelet/pods/*/volumes/*/big")
    (directory / "file").write_bytes(bytes(2 * MIB))

    pod = await node.phase("Failed", step=1)

    assert pod.status.message == 'Usage of EmptyDir volume "big" exceeds the limit "1Mi". '
    assert "CrashLoopBackOff r5" not in node.states["p/c"]

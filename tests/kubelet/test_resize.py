"""Resizes of Pods that run: granted where there is room, carried out in order, told of."""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec.structs import replace

from podium.api import scheme
from podium.api.types.core_v1 import Pod, PodCondition
from podium.api.types.meta_v1 import ObjectMeta
from podium.api.types.scheduling_v1 import PriorityClass
from podium.runtime.cgroup_limits import CgroupLimits
from podium.runtime.port import ContainerState
from support.node import NODE, Node

MEGABYTE = 1 << 20


def asking(cpu: str, memory: str = "64Mi", **more: Any) -> dict[str, Any]:
    return {"resources": {"requests": {"cpu": cpu}, "limits": {"memory": memory}}, **more}


async def resize(node: Node, *, name: str = "p", **resources: Any) -> None:
    await node.client.patch(
        scheme.PODS,
        name,
        {"spec": {"containers": [{"name": "c", "resources": resources}]}},
        namespace="default",
        subresource="resize",
    )


def condition(node: Node, kind: str, name: str = "p") -> PodCondition | None:
    return next((c for c in node.pod(name).status.conditions if c.type == kind), None)


def pending(node: Node, name: str = "p") -> PodCondition | None:
    return condition(node, "PodResizePending", name)


def requests(pod: Pod) -> tuple[str, str, str]:
    """CPU as asked for, as in force, and as allocated."""
    [status] = pod.status.container_statuses
    assert status.resources is not None
    asked = pod.spec.containers[0].resources.requests["cpu"]
    return asked, status.resources.requests["cpu"], status.allocated_resources["cpu"]


async def allocatable(node: Node, **amounts: str) -> None:
    """Let the node have that much to give, until it reports again."""
    await node.client.patch(
        scheme.NODES, NODE, {"status": {"allocatable": amounts}}, subresource="status"
    )
    await node.until(lambda: node.nodes.get("", NODE).status.allocatable["cpu"] == amounts["cpu"])


def said(node: Node, reason: str, name: str = "p") -> list[str]:
    return [text for text in node.messages(name) if text.startswith(f"{reason}: ")]


async def test_a_resize_reaches_the_cgroups_and_the_status(node):
    await node.create(asking("100m"))
    before = await node.running()

    await resize(node, requests={"cpu": "200m", "memory": "96Mi"}, limits={"memory": "96Mi"})
    await node.until(lambda: said(node, "ResizeCompleted"))
    await node.until(lambda: requests(node.pod()) == ("200m", "200m", "200m"))

    pod = node.pod()
    assert pending(node) is condition(node, "PodResizeInProgress") is None
    [status] = pod.status.container_statuses
    assert status.container_id == before.status.container_statuses[0].container_id
    assert status.resources.limits == {"memory": "96Mi"}
    assert status.allocated_resources == {"cpu": "200m", "memory": "96Mi"}
    config = node.runtime.config(status.container_id.removeprefix("podium://"))
    assert config.resources.cpu_shares == 204
    assert config.resources.memory_limit_in_bytes == 96 * MEGABYTE
    path = f"/podium-test/burstable/pod{pod.metadata.uid}"
    assert node.cgroups.changes == [
        (path, CgroupLimits(memory_limit_bytes=96 * MEGABYTE)),
        (path, CgroupLimits(cpu_shares=204)),
    ]
    what = (
        '{"containers":[{"name":"c","resources":{"limits":{"memory":"96Mi"},'
        '"requests":{"cpu":"200m","memory":"96Mi"}}}],"generation":2}'
    )
    assert said(node, "ResizeStarted") == [f"ResizeStarted: Pod resize started: {what}"]
    assert said(node, "ResizeCompleted") == [f"ResizeCompleted: Pod resize completed: {what}"]


async def test_a_container_that_ends_meanwhile_is_no_error(node):
    await node.create(asking("100m"))
    await node.running()
    update, status = node.runtime.update_container_resources, node.runtime.container_status

    async def too_late(container_id: str, wish: Any) -> None:
        if node.states["p/c"] == ["running r0"]:
            node.runtime.exit(container_id, 1)
            while (await status(container_id)).state is ContainerState.RUNNING:
                await asyncio.sleep(0)
        await update(container_id, wish)

    node.runtime.update_container_resources = too_late
    await resize(node, requests={"cpu": "200m"})
    await node.until(lambda: node.states["p/c"][-1] == "running r1", step=1)
    await node.until(lambda: requests(node.pod()) == ("200m", "200m", "200m"))

    await node.until(lambda: said(node, "ResizeCompleted"), step=1)
    assert said(node, "ResizeError") == []
    [run] = node.pod().status.container_statuses
    config = node.runtime.config(run.container_id.removeprefix("podium://"))
    assert config.resources.cpu_shares == 204


async def test_more_than_the_node_has_is_infeasible_and_can_be_taken_back(node):
    await node.create(asking("100m"))
    await node.running()
    await allocatable(node, cpu="2")

    await resize(node, requests={"cpu": "2001m"})
    await node.until(lambda: pending(node))

    text = "Node didn't have enough capacity: cpu, requested: 2001, capacity: 2000"
    found, pod = pending(node), node.pod()
    assert (found.status, found.reason, found.message) == ("True", "Infeasible", text)
    assert found.observed_generation == pod.metadata.generation == 2
    assert requests(pod) == ("2001m", "100m", "100m")
    await node.until(lambda: said(node, "ResizeInfeasible"))
    [told] = said(node, "ResizeInfeasible")
    assert told.startswith('ResizeInfeasible: Pod resize Infeasible: {"containers":[')
    assert told.endswith(f'"generation":2,"error":"{text}"}}')

    await resize(node, requests={"cpu": "100m"})

    await node.until(lambda: pending(node) is None)
    assert requests(node.pod()) == ("100m", "100m", "100m")


async def test_a_resize_that_others_leave_no_room_for_waits_for_them(idle_node):
    """The more important Pod gets the room, though the other has waited for longer."""
    node = idle_node
    node.config = replace(node.config, node_status_update_frequency=3600.0)
    await node.start()
    await node.client.create(
        scheme.PRIORITYCLASSES,
        PriorityClass(metadata=ObjectMeta(name="high"), value=100),
    )
    await allocatable(node, cpu="1")
    await node.create(asking("100m"), name="low")
    await node.create(asking("100m"), name="high", priorityClassName="high")
    await node.create(asking("500m"), name="other")
    for name in ("low", "high", "other"):
        await node.running(name)

    for name in ("low", "high"):
        await resize(node, name=name, requests={"cpu": "600m"})
        await node.until(lambda name=name: pending(node, name))
    found = pending(node, "low")
    assert (found.reason, found.message) == (
        "Deferred",
        "Node didn't have enough resource: cpu, requested: 600, used: 600, capacity: 1000",
    )
    await node.delete("other", grace=0)

    await node.until(lambda: said(node, "ResizeCompleted", "high"), step=0.5)
    await node.until(lambda: pending(node, "high") is None)
    assert requests(node.pod("high")) == ("600m", "600m", "600m")
    assert pending(node, "low").reason == "Deferred"


async def test_a_container_starts_again_where_its_policy_says_so(node):
    policy = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]
    await node.create(asking("100m", resizePolicy=policy), restartPolicy="Always")
    await node.running()

    await resize(node, requests={"memory": "32Mi"}, limits={"memory": "32Mi"})
    await node.until(lambda: node.states["p/c"][-1] == "running r1", step=0.5)
    await node.until(lambda: said(node, "ResizeCompleted"))

    assert "Killing: Container c resize requires restart" in node.messages()
    [after] = [c for c in await node.runtime.list_containers() if c.metadata.attempt == 1]
    assert node.runtime.config(after.id).resources.memory_limit_in_bytes == 32 * MEGABYTE
    path = f"/podium-test/burstable/pod{node.pod().metadata.uid}"
    assert node.cgroups.limits(path).memory_limit_bytes == 32 * MEGABYTE


async def test_a_memory_limit_below_what_is_in_use_waits_and_says_so(node):
    await node.create(asking("100m"))
    await node.running()
    node.runtime.memory_in_use, node.cgroups.memory_in_use = 40 * MEGABYTE, 41 * MEGABYTE

    await resize(node, requests={"memory": "32Mi"}, limits={"memory": "32Mi"})
    await node.until(lambda: condition(node, "PodResizeInProgress"))

    found = condition(node, "PodResizeInProgress")
    assert (found.reason, found.observed_generation) == ("Error", 2)
    assert found.message == (
        "cannot decrease memory limits: [attempting to set pod memory limit (33554432) below "
        'current usage (42991616), attempting to set container "c" memory limit (33554432) '
        "below current usage (41943040)]"
    )
    [status] = node.pod().status.container_statuses
    assert status.resources.limits == {"memory": "64Mi"}
    assert status.allocated_resources["memory"] == "32Mi"
    assert node.cgroups.changes == []

    node.runtime.memory_in_use = node.cgroups.memory_in_use = 10 * MEGABYTE
    await node.until(lambda: condition(node, "PodResizeInProgress") is None, step=0.5)
    assert node.pod().status.container_statuses[0].resources.limits == {"memory": "32Mi"}
    await node.until(lambda: said(node, "ResizeCompleted"))
    assert len(said(node, "ResizeError")) == len(said(node, "ResizeCompleted")) == 1


async def test_a_kubelet_that_comes_back_finishes_what_was_begun(node):
    await node.create(asking("100m"))
    await node.running()
    node.runtime.update_error = "no"
    await resize(node, requests={"cpu": "200m"})
    await node.until(lambda: condition(node, "PodResizeInProgress"))
    assert requests(node.pod()) == ("200m", "100m", "200m")
    await node.stop()

    node.runtime.update_error = ""
    await node.start()

    await node.until(lambda: condition(node, "PodResizeInProgress") is None, step=0.5)
    assert requests(node.pod()) == ("200m", "200m", "200m")
    assert node.states["p/c"] == ["running r0"]


async def test_a_kubelet_that_comes_back_remembers_what_it_granted(node):
    await node.create(asking("100m"))
    await node.running()
    await allocatable(node, cpu="2")
    await resize(node, requests={"cpu": "20"})
    await node.until(lambda: pending(node))
    await node.stop()
    await node.start()

    await node.until(lambda: pending(node))
    assert requests(node.pod()) == ("20", "100m", "100m")


async def test_a_resize_before_the_node_took_the_pod_is_granted(idle_node):
    node = idle_node
    await node.create(asking("100m"))
    await resize(node, requests={"cpu": "200m"})

    await node.start()
    await node.running()

    assert requests(node.pod()) == ("200m", "200m", "200m")
    assert pending(node) is None


async def test_a_pod_is_resized_as_a_whole(node):
    """A container without limits of its own has those of its Pod, also when these change."""
    whole = {"requests": {"cpu": "100m"}, "limits": {"cpu": "200m", "memory": "64Mi"}}
    await node.create({}, resources=whole)
    await node.running()
    wider = {"requests": {"cpu": "150m"}, "limits": {"cpu": "300m", "memory": "96Mi"}}
    await node.client.patch(
        scheme.PODS, "p", {"spec": {"resources": wider}},
        namespace="default", subresource="resize",
    )  # fmt: skip
    await node.until(lambda: said(node, "ResizeCompleted"))
    pod = node.pod()
    run = pod.status.container_statuses[0].container_id.removeprefix("podium://")
    given = node.runtime.config(run).resources
    assert (given.cpu_quota, given.memory_limit_in_bytes) == (30_000, 96 * MEGABYTE)
    path = f"/podium-test/burstable/pod{pod.metadata.uid}"
    limits = node.cgroups.limits(path)
    assert (limits.cpu_shares, limits.cpu_quota) == (153, 30_000)
    assert limits.memory_limit_bytes == 96 * MEGABYTE
    await node.until(lambda: node.pod().status.allocated_resources == wider["requests"] | MEMORY)
    assert node.pod().status.resources.limits == wider["limits"]
    assert node.states["p/c"] == ["running r0"]


#: What a limit without a request was defaulted to when the Pod was made.
MEMORY = {"memory": "64Mi"}

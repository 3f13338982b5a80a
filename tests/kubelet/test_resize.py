"""A resize of a Pod that runs: the node goes on with what it granted, and says so."""

from __future__ import annotations

from typing import Any

from podium.api import scheme
from podium.api.types.core_v1 import Pod, PodCondition
from support.node import Node

MESSAGE = "In-place resize of Pods is not supported on this node"


def asking(cpu: str) -> dict[str, Any]:
    return {"resources": {"requests": {"cpu": cpu}, "limits": {"memory": "64Mi"}}}


async def resize(node: Node, cpu: str) -> None:
    container = {"name": "c", "resources": {"requests": {"cpu": cpu}}}
    await node.client.patch(
        scheme.PODS,
        "p",
        {"spec": {"containers": [container]}},
        namespace="default",
        subresource="resize",
    )


def pending(node: Node) -> PodCondition | None:
    found = (c for c in node.pod().status.conditions if c.type == "PodResizePending")
    return next(found, None)


def requests(pod: Pod) -> tuple[str, str, str]:
    """CPU as asked for, as in force, and as allocated."""
    [status] = pod.status.container_statuses
    assert status.resources is not None
    asked = pod.spec.containers[0].resources.requests["cpu"]
    return asked, status.resources.requests["cpu"], status.allocated_resources["cpu"]


async def test_a_resize_is_refused_by_a_condition_and_an_event(node):
    await node.create(asking("100m"))
    before = await node.running()

    await resize(node, "200m")
    await node.until(lambda: pending(node))

    condition, pod = pending(node), node.pod()
    assert (condition.status, condition.reason, condition.message) == (
        "True",
        "Infeasible",
        MESSAGE,
    )
    assert condition.observed_generation == pod.metadata.generation == 2
    assert requests(pod) == ("200m", "100m", "100m")
    now = pod.status.container_statuses[0]
    assert now.container_id == before.status.container_statuses[0].container_id
    await node.until(lambda: f"ResizeInfeasible: {MESSAGE}" in node.messages())


async def test_taking_a_resize_back_ends_the_condition(node):
    await node.create(asking("100m"))
    await node.running()
    await resize(node, "200m")
    await node.until(lambda: pending(node))

    await resize(node, "100m")

    await node.until(lambda: pending(node) is None)
    assert requests(node.pod()) == ("100m", "100m", "100m")


async def test_a_container_starts_again_with_what_was_granted(node):
    await node.create(asking("100m"), restartPolicy="Always")
    await node.running()
    [before] = await node.runtime.list_containers()
    await resize(node, "200m")
    await node.until(lambda: pending(node))

    node.runtime.exit(before.id, 1)
    await node.until(lambda: node.states["p/c"][-1] == "running r1", step=0.5)

    assert requests(node.pod()) == ("200m", "100m", "100m")
    [after] = [c for c in await node.runtime.list_containers() if c.id != before.id]
    assert cpu_shares(node, after.id) == cpu_shares(node, before.id) == 102


def cpu_shares(node: Node, container_id: str) -> int:
    return node.runtime.config(container_id).resources.cpu_shares


async def test_a_kubelet_that_comes_back_remembers_what_it_granted(node):
    await node.create(asking("100m"))
    await node.running()
    await node.stop()
    await resize(node, "200m")

    await node.start()
    await node.until(lambda: pending(node))

    assert requests(node.pod()) == ("200m", "100m", "100m")
    assert node.states["p/c"] == ["running r0"]


async def test_a_resize_before_the_node_took_the_pod_is_granted(idle_node):
    node = idle_node
    await node.create(asking("100m"))
    await resize(node, "200m")

    await node.start()
    await node.running()

    assert requests(node.pod()) == ("200m", "200m", "200m")
    assert pending(node) is None

"""The tree of cgroups that Pods sit in, and what of the node they may have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from podium.api import scheme
from podium.runtime.cgroup_limits import CgroupLimits
from support.node import NODE

ROOT = "/podium-test"


def asking(cpu: str) -> dict[str, Any]:
    return {"resources": {"requests": {"cpu": cpu}}}


async def test_classes_weigh_what_their_pods_request(node):
    made = node.cgroups.made
    await node.create(asking("200m"), name="a")
    await node.create(asking("300m"), name="b")
    await node.create(name="none")
    for name in ("a", "b", "none"):
        await node.running(name)
    assert made[f"{ROOT}/burstable"] == CgroupLimits(cpu_shares=512)
    assert made[f"{ROOT}/besteffort"] == CgroupLimits(cpu_shares=2)
    await node.delete("b", grace=0)
    await node.until(lambda: made[f"{ROOT}/burstable"].cpu_shares == 204, step=0.5)

    await node.stop()
    del made[f"{ROOT}/burstable"]
    await node.start()
    await node.until(lambda: f"{ROOT}/burstable" in made)
    assert made[f"{ROOT}/burstable"].cpu_shares == 204


async def test_the_configuration_limits_pods_and_all_of_them(idle_node):
    node = idle_node
    node.config = replace(
        node.config, pod_pids_limit=77, kube_reserved={"cpu": "100m", "memory": "64Mi"}
    )
    await node.start()
    pod = await node.create(asking("200m"))
    await node.running()
    limits = node.cgroups.made[f"{ROOT}/burstable/pod{pod.metadata.uid}"]
    assert limits.pids_limit == 77
    assert all(amount == 0 for _, amount in limits.hugetlb)
    whole = node.cgroups.made[ROOT]
    capacity = node.nodes.get("", NODE).status.capacity
    assert whole.cpu_shares == (int(capacity["cpu"]) * 1000 - 100) * 1024 // 1000
    assert whole.memory_limit_bytes > 0
    await node.until(lambda: ENFORCED in node.messages(NODE))


ENFORCED = "NodeAllocatableEnforced: Updated Node Allocatable limit across pods"


async def test_what_others_give_the_node_stays(node):
    """Extended resources are in the capacity that somebody patches; the rest follows."""
    patch = {"status": {"capacity": {"example.com/dongle": "2"}}}
    await node.client.patch(scheme.NODES, NODE, patch, subresource="status")

    def given() -> tuple[str | None, str | None]:
        status = node.nodes.get("", NODE).status
        name = "example.com/dongle"
        return status.capacity.get(name), status.allocatable.get(name)

    await node.until(lambda: given() == ("2", "2"), step=1)
    two = {"resources": {"limits": {"example.com/dongle": "2"}}}
    await node.create(two, name="a")
    await node.running("a")
    await node.create({"resources": {"limits": {"example.com/dongle": "1"}}}, name="b")
    refused = await node.phase("Failed", "b", step=0)
    assert (refused.status.reason, refused.status.message) == (
        "OutOfexample.com/dongle",
        "Pod Node didn't have enough resource: example.com/dongle, requested: 1, used: 2, "
        "capacity: 2",
    )

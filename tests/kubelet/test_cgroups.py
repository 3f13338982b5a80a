"""The tree of cgroups that Pods sit in, and what of the node they may have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec.structs import replace

from podium.api import scheme
from podium.domain.pods.eviction import Observation
from podium.domain.pods.resize import ResizePodCgroup
from podium.kubelet.cgroups import CgroupSettings, PodCgroups
from podium.runtime.cgroup_limits import CgroupLimits, shares_to_weight
from podium.runtime.cgroups import Cgroups
from support.node import NODE
from support.objects import container, pod

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


def test_the_tree_in_version_2(tmp_path: Path):
    """A directory stands for the file system: what is written there is what the kernel is told."""
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory hugetlb pids\n")
    settings = CgroupSettings(pids_limit=50, page_sizes=(2 << 20,))
    cgroups = PodCgroups("/podium", Cgroups.detect(tmp_path), settings)
    cgroups.enforce(2000, 1 << 30)
    limits = {"cpu": "500m", "memory": "64Mi"}
    burstable = {"requests": {"cpu": "250m"}, "limits": limits}
    made = pod({"containers": [container(resources=burstable)]})
    made.metadata.uid = "u1"

    def told(path: str, *names: str) -> list[str]:
        return [(tmp_path / path / name).read_text() for name in names]

    assert cgroups.create(made) == "/podium/burstable/podu1"
    of_pod = "podium/burstable/podu1"
    assert told("podium", "cpu.weight", "memory.max") == ["79", str(1 << 30)]
    assert told("podium/burstable", "cpu.weight") == ["10"]
    assert told("podium/besteffort", "cpu.weight") == ["1"]
    assert told(of_pod, "cpu.weight", "cpu.max", "memory.max", "pids.max", "hugetlb.2MB.max") == [
        "10", "50000 100000", str(64 << 20), "50", "0"
    ]  # fmt: skip
    now = cgroups.limits(made)
    assert (now.cpu_quota, now.memory_limit) == (50_000, 64 << 20)
    assert shares_to_weight(now.cpu_shares) == 10
    cgroups.resize(made, ResizePodCgroup(memory_limit=32 << 20))
    cgroups.resize(made, ResizePodCgroup(cpu_quota=20_000))
    assert told(of_pod, "cpu.max", "memory.max") == ["20000 100000", str(32 << 20)]
    (tmp_path / of_pod / "memory.current").write_text("4096\n")
    (tmp_path / of_pod / "memory.stat").write_text("anon 1\n")
    (tmp_path / of_pod / "cpu.stat").write_text("usage_usec 1\n")
    assert cgroups.memory(made) == 4096
    assert cgroups.memory_left() is None
    (tmp_path / "podium/memory.current").write_text(str(5 << 20))
    (tmp_path / "podium/memory.stat").write_text(f"inactive_file {1 << 20}\n")
    (tmp_path / "podium/cpu.stat").write_text("usage_usec 1\n")
    assert cgroups.memory_left() == Observation((1 << 30) - (4 << 20), 1 << 30)

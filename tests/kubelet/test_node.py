"""The Node object and its lease."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec

from podium.api import scheme
from podium.api.go_time import format_micro_time
from podium.client.client import Client
from podium.client.informer import Informer
from podium.kit.clock import SystemClock
from podium.kubelet.config_readers import NodeTaint
from podium.kubelet.node.registration import NodeReporter
from podium.runtime.port import RuntimeCondition


async def test_the_node_registers_itself(node):
    found = await node.client.get(scheme.NODES, "node-1")
    status = found.status
    assert found.metadata.labels["kubernetes.io/hostname"] == "node-1"
    assert {(a.type, a.address) for a in status.addresses} == {
        ("InternalIP", "192.0.2.10"), ("Hostname", "node-1"),
    }  # fmt: skip
    assert int(status.capacity["cpu"]) >= 1
    assert status.capacity["pods"] == "110"
    assert set(status.allocatable) == set(status.capacity)
    assert status.node_info.container_runtime_version == "memory://0.1.0"
    assert status.node_info.kubelet_version == "v1.37.0"
    ready = {c.type: c for c in status.conditions}["Ready"]
    assert (ready.status, ready.reason) == ("True", "KubeletReady")
    assert ready.message == "kubelet is posting ready status"
    assert status.daemon_endpoints.kubelet_endpoint.port > 0
    assert "docker.io/library/busybox:1.36" in status.images[0].names


async def test_a_runtime_that_is_not_ready_is_told_and_forgiven(node):
    good = list(node.runtime.conditions)
    node.runtime.conditions = [
        RuntimeCondition("NetworkReady", False, "NetworkPluginNotReady", "bridge is gone")
    ]

    def ready():
        found = node.nodes.get("", "node-1")
        return {c.type: c for c in found.status.conditions}["Ready"]

    await node.until(lambda: ready().status == "False", step=1)

    assert ready().reason == "KubeletNotReady"
    assert ready().message == "container runtime network not ready: bridge is gone"
    node.runtime.conditions = good
    await node.until(lambda: ready().reason == "KubeletReady", step=1)
    text = "Node node-1 status is now: NodeNotReady"
    await node.until(lambda: text in [event.message for event in node.events.list()])


async def test_what_the_watch_shows_before_the_patch_is_answered_is_told(node, monkeypatch):
    patch = Client.patch

    async def late(client, resource, *about, **more):
        answer = await patch(client, resource, *about, **more)
        if resource is scheme.NODES:
            version = answer.metadata.resource_version
            while node.nodes.get("", "node-1").metadata.resource_version != version:
                await asyncio.sleep(0.001)
            for _ in range(60):  # the kubelet has a watch of its own
                await asyncio.sleep(0)
        return answer

    monkeypatch.setattr(Client, "patch", late)
    node.runtime.conditions = [RuntimeCondition("NetworkReady", False, "Gone", "bridge is gone")]
    text = "Node node-1 status is now: NodeNotReady"
    await node.until(lambda: text in [event.message for event in node.events.list()], step=1)


async def test_what_the_watch_shows_late_is_not_told_again(idle_node, monkeypatch):
    """The watch may show what was there before the last report when that is answered already."""
    reporters, taken, take = [], [], NodeReporter.take

    def noting(reporter, found):
        reporters.append(reporter)
        taken.append(found)
        take(reporter, found)

    monkeypatch.setattr(NodeReporter, "take", noting)
    await idle_node.start()
    await idle_node.until(lambda: taken)
    reporter, before = reporters[0], taken[-1]
    idle_node.runtime.conditions = [RuntimeCondition("NetworkReady", False, "Gone", "gone")]
    reporter.report_soon()
    text = "Node node-1 status is now: NodeNotReady"

    def times():
        return sum(e.count or 1 for e in idle_node.events.list() if e.message == text)

    await idle_node.until(times)

    take(reporter, before)
    await idle_node.pass_time(30)

    assert times() == 1


async def test_the_lease_is_renewed_every_ten_seconds(node):
    leases = Informer(node.client, scheme.LEASES, namespace="kube-node-lease", clock=SystemClock())
    times = []
    news = asyncio.Event()

    def seen(_old, lease):
        times.append(lease.spec.renew_time)
        news.set()

    leases.on_change(seen)
    watching = asyncio.ensure_future(leases.run())
    try:
        async with asyncio.timeout(60):
            for count in (1, 2, 3):
                while len(times) < count:
                    news.clear()
                    await news.wait()
                await node.pass_time(10)
    finally:
        watching.cancel()
    start = node.clock.now() - timedelta(seconds=30)
    expected = [format_micro_time(start + timedelta(seconds=s)) for s in (0, 10, 20)]
    assert times[:3] == expected


async def test_the_configuration_decides_what_pods_get(idle_node):
    idle_node.config = msgspec.structs.replace(
        idle_node.config,
        max_pods=7,
        kube_reserved={"cpu": "100m"},
        register_with_taints=(NodeTaint("a", "NoSchedule", "b"),),
    )
    await idle_node.start()
    found = await idle_node.client.get(scheme.NODES, "node-1")
    assert found.status.capacity["pods"] == "7"
    assert ("a", "b", "NoSchedule") in [(t.key, t.value, t.effect) for t in found.spec.taints]
    cpus = int(found.status.capacity["cpu"])
    assert found.status.allocatable["cpu"] == f"{cpus * 1000 - 100}m"


async def test_a_node_that_was_declared_unknown_speaks_up_at_once(node):
    def ready():
        found = node.nodes.get("", "node-1")
        return {c.type: c for c in found.status.conditions}["Ready"].status

    await node.until(lambda: ready() == "True")
    seen, began = [], node.clock.monotonic()
    node.nodes.on_change(lambda _old, _new: seen.append(ready()))
    patch = {"status": {"conditions": [{"type": "Ready", "status": "Unknown", "reason": "Silent"}]}}
    await node.client.patch(scheme.NODES, "node-1", patch, subresource="status")
    await node.until(lambda: "Unknown" in seen and seen[-1] == "True")
    assert node.clock.monotonic() == began, "no report was due"


async def test_a_node_that_comes_tells_how_it_is(node):
    told = {
        "Starting": "Starting kubelet.",
        **{
            reason: f"Node node-1 status is now: {reason}"
            for reason in (
                "NodeHasSufficientMemory",
                "NodeHasNoDiskPressure",
                "NodeHasSufficientPID",
                "NodeReady",
            )
        },
    }

    def seen():
        mine = [e for e in node.events.list() if e.source.component == "kubelet"]
        return {e.reason: e.message for e in mine if e.involved_object.kind == "Node"}

    await node.until(lambda: seen().keys() >= told.keys())
    assert seen() == told


async def test_a_reboot_is_told(idle_node):
    await idle_node.start()
    await idle_node.until(lambda: "Starting" in [event.reason for event in idle_node.events.list()])
    before = await idle_node.client.get(scheme.NODES, "node-1")
    await idle_node.stop()
    old = {"status": {"nodeInfo": {"bootID": "another boot"}}}
    await idle_node.client.patch(scheme.NODES, "node-1", old, subresource="status")
    await idle_node.pass_time(1)  # events are named after the time
    await idle_node.start()
    boot = before.status.node_info.boot_id
    text = f"Node node-1 has been rebooted, boot id: {boot}"

    def told():
        return ("Warning", "Rebooted", text) in {
            (e.type, e.reason, e.message) for e in idle_node.events.list()
        }

    await idle_node.until(told)
    mine = [e.reason for e in idle_node.events.list() if e.involved_object.kind == "Node"]
    assert mine.count("NodeReady") == 1

"""The scheduler against a real API server."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from podium.api import scheme
from podium.api.types.core_v1 import Node, PersistentVolumeClaim, Pod
from podium.api.types.meta_v1 import ObjectMeta
from podium.api.types.storage_v1 import StorageClass
from podium.client.client import Client
from podium.client.informer import Informer
from podium.kit.clock import SystemClock
from podium.scheduler.scheduler import SchedulerOptions, run
from support.apiserver import RunningApiServer, running_apiserver
from support.http_peer import running, until


class Cluster:
    """An API server, a scheduler, and what is in the API as seen by watching."""

    def __init__(self, api: RunningApiServer, client: Client) -> None:
        self.api, self.client = api, client
        self.pods: Informer[Pod] = Informer(client, scheme.PODS, clock=SystemClock())
        self.seen_bound: set[str] = set()
        self.pods.on_change(self._note)

    def _note(self, _: Pod | None, new: Pod | None) -> None:
        if new and new.spec.node_name:
            self.seen_bound.add(new.metadata.name)

    async def add_node(self, name: str, cpu: str = "4", zone: str = "", **spec: Any) -> Node:
        amounts = {"cpu": cpu, "memory": "8Gi", "pods": "110"}
        node = msgspec.convert(
            {
                "metadata": {"name": name, "labels": {"zone": zone} if zone else {}},
                "spec": spec,
                "status": {"allocatable": amounts, "capacity": amounts},
            },
            Node,
        )
        created = await self.client.create(scheme.NODES, node)
        created.status = node.status
        reported = await self.client.update(scheme.NODES, created, subresource="status")
        reported.spec.taints = node.spec.taints  # as the controller leaves a ready node
        return await self.client.update(scheme.NODES, reported)

    async def add_pod(
        self, name: str, *, cpu: str = "100m", labels: dict[str, str] | None = None, **spec: Any
    ) -> None:
        container = {
            "name": "c",
            "image": "i",
            "resources": {"requests": {"cpu": cpu}},
        }
        document = {
            "metadata": {"name": name, "namespace": "default", "labels": labels or {}},
            "spec": {"automountServiceAccountToken": False, "containers": [container], **spec},
        }
        await self.client.create(scheme.PODS, msgspec.convert(document, Pod))

    async def remove_pod(self, name: str) -> None:
        await self.client.delete(scheme.PODS, name, namespace="default", grace_period_seconds=0)

    async def resize(self, name: str, *, cpu: str) -> None:
        container = {"name": "c", "resources": {"requests": {"cpu": cpu}}}
        await self._patch(name, {"spec": {"containers": [container]}}, "resize")

    async def report(self, name: str, *, granted: str, resize: str = "") -> None:
        """What the kubelet says that the container runs with, and that became of a resize."""
        container = {
            "name": "c",
            "image": "busybox",
            "imageID": "",
            "ready": True,
            "restartCount": 0,
            "resources": {"requests": {"cpu": granted}},
            "allocatedResources": {"cpu": granted},
        }
        status: dict[str, Any] = {"containerStatuses": [container]}
        if resize:
            status["conditions"] = [
                {"type": "PodResizePending", "status": "True", "reason": resize}
            ]
        await self._patch(name, {"status": status}, "status")

    async def _patch(self, name: str, patch: dict[str, Any], subresource: str) -> None:
        await self.client.patch(
            scheme.PODS, name, patch, namespace="default", subresource=subresource
        )

    def node_of(self, name: str) -> str:
        pod = self.pods.get("default", name)
        return pod.spec.node_name if pod else ""

    def scheduled_condition(self, name: str):
        pod = self.pods.get("default", name)
        conditions = pod.status.conditions if pod else []
        return next((c for c in conditions if c.type == "PodScheduled"), None)

    async def bound(self, name: str) -> str:
        await until(lambda: bool(self.node_of(name)))
        return self.node_of(name)

    async def refused(self, name: str, why: str = "") -> str:
        """Wait until a Pod is refused, with *why* among the reasons; return them all.

        What a scheduler says first may be what it knew before it heard of the last change.
        """

        def told() -> bool:
            condition = self.scheduled_condition(name)
            refused = condition is not None and condition.status == "False"
            return refused and why in condition.message

        await until(told)
        condition = self.scheduled_condition(name)
        assert condition.reason == "Unschedulable"
        return condition.message

    async def events(self, name: str) -> list[tuple[str, str, str]]:
        found = await self.client.list(
            scheme.EVENTS, "default", field_selector=f"involvedObject.name={name}"
        )
        return [(e.type, e.reason, e.message) for e in found.items]

    async def event(self, name: str) -> tuple[str, str, str]:
        async with asyncio.timeout(60):
            while not (events := await self.events(name)):
                await asyncio.sleep(0.001)
        return events[0]


@asynccontextmanager
async def scheduling(directory, clock=None):
    async with running_apiserver(directory) as api, Client(api.client_config()) as client:
        await client.create(
            scheme.SERVICEACCOUNTS,
            msgspec.convert(
                {"metadata": {"name": "default", "namespace": "default"}},
                scheme.SERVICEACCOUNTS.type,
            ),
        )
        cluster = Cluster(api, client)
        config = api.client_config("system:kube-scheduler", ())
        async with running(cluster.pods.run()), running(run(SchedulerOptions(config), clock)):
            yield cluster


@pytest.fixture
async def cluster(tmp_path):
    async with scheduling(tmp_path) as cluster:
        yield cluster


async def test_a_pod_gets_its_node_with_upstreams_event(cluster):
    await cluster.add_node("node-1")
    await cluster.add_pod("kuard")
    assert await cluster.bound("kuard") == "node-1"
    assert await cluster.event("kuard") == (
        "Normal",
        "Scheduled",
        "Successfully assigned default/kuard to node-1",
    )
    assert cluster.scheduled_condition("kuard").status == "True"


async def test_without_nodes_it_waits_and_says_so_and_a_node_ends_the_wait(cluster):
    await cluster.add_pod("kuard")
    assert await cluster.refused("kuard") == "no nodes available to schedule pods"
    assert await cluster.event("kuard") == (
        "Warning",
        "FailedScheduling",
        "no nodes available to schedule pods",
    )
    await cluster.add_node("node-1")
    assert await cluster.bound("kuard") == "node-1"


async def test_a_pod_that_leaves_makes_room(cluster):
    await cluster.add_node("node-1", cpu="1")
    await cluster.add_pod("first", cpu="800m")
    await cluster.bound("first")
    await cluster.add_pod("second", cpu="800m")
    assert await cluster.refused("second") == (
        "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: "
        "1 No preemption victims found for incoming pod."
    )
    await cluster.remove_pod("first")
    assert await cluster.bound("second") == "node-1"


async def test_a_resize_that_the_node_cannot_do_takes_no_room(cluster):
    await cluster.add_node("node-1", cpu="1")
    await cluster.add_pod("first", cpu="200m")
    await cluster.bound("first")
    await cluster.report("first", granted="200m")
    await cluster.resize("first", cpu="800m")
    await cluster.add_pod("second", cpu="600m")
    await cluster.refused("second")
    await cluster.report("first", granted="200m", resize="Infeasible")
    assert await cluster.bound("second") == "node-1"


async def test_a_pod_that_is_over_makes_room_while_it_is_still_there(cluster):
    await cluster.add_node("node-1", cpu="1")
    await cluster.add_pod("first", cpu="800m")
    await cluster.bound("first")
    await cluster.add_pod("second", cpu="800m")
    await cluster.refused("second")
    over = {"status": {"phase": "Succeeded"}}
    await cluster.client.patch(
        scheme.PODS, "first", over, namespace="default", subresource="status"
    )
    assert await cluster.bound("second") == "node-1"


async def test_uncordoning_and_labelling_a_node_are_news(cluster):
    node = await cluster.add_node("node-1", unschedulable=True)
    await cluster.add_pod("a")
    await cluster.add_pod("b", nodeSelector={"disk": "ssd"})
    await cluster.refused("a", "1 node(s) were unschedulable")
    await cluster.client.patch(
        scheme.NODES, node.metadata.name, {"spec": {"unschedulable": None, "taints": None}}
    )
    await cluster.bound("a")
    assert cluster.node_of("b") == ""
    await cluster.client.patch(
        scheme.NODES, node.metadata.name, {"metadata": {"labels": {"disk": "ssd"}}}
    )
    await cluster.bound("b")


async def test_many_pods_at_once_never_overcommit(cluster):
    """The watch lags behind; what was assumed counts."""
    for name in ("a", "b"):
        await cluster.add_node(name, cpu="1")
    for number in range(25):
        await cluster.add_pod(f"p{number}", cpu="100m")
    await until(lambda: len(cluster.seen_bound) == 20)
    await until(
        lambda: (
            sum(
                cluster.scheduled_condition(f"p{n}").status == "False"
                for n in range(25)
                if cluster.scheduled_condition(f"p{n}")
            )
            == 5
        )
    )
    nodes = [cluster.node_of(f"p{number}") for number in range(25)]
    assert (nodes.count("a"), nodes.count("b")) == (10, 10)


NEAR_X = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "x"}}}


def around(kind: str) -> dict[str, Any]:
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [NEAR_X]}}


async def test_a_pod_waits_for_company_wherever_in_the_topology_it_comes(cluster):
    for name in ("a", "b"):
        await cluster.add_node(name, cpu="1", zone="z")
    await cluster.add_pod("wants", cpu="500m", affinity=around("podAffinity"))
    await cluster.refused("wants", "2 node(s) didn't match pod affinity rules")
    await cluster.add_pod("x", cpu="900m", labels={"app": "x"})
    await cluster.bound("x")
    assert {await cluster.bound("wants"), cluster.node_of("x")} == {"a", "b"}


async def test_a_pod_waits_for_others_to_leave_the_topology(cluster):
    for name in ("a", "b"):
        await cluster.add_node(name, cpu="1", zone="z")
    await cluster.add_pod("first", cpu="100m", affinity=around("podAntiAffinity"))
    first = await cluster.bound("first")
    await cluster.add_pod("full", cpu="900m", nodeName=first)
    await until(lambda: cluster.node_of("full"))
    await cluster.add_pod("x", cpu="500m", labels={"app": "x"})
    # One node or both: whether it has heard that the other one is full is nobody's business.
    await cluster.refused("x", " node(s) didn't satisfy existing pods anti-affinity rules")
    await cluster.remove_pod("first")
    assert await cluster.bound("x") == ({"a", "b"} - {first}).pop()


async def test_a_gated_pod_waits_for_its_gates(cluster):
    await cluster.add_node("node-1")
    await cluster.add_pod("gated", schedulingGates=[{"name": "example.com/wait"}])
    await until(lambda: cluster.scheduled_condition("gated") is not None)
    assert cluster.scheduled_condition("gated").reason == "SchedulingGated"
    await cluster.add_pod("other")
    await cluster.bound("other")
    assert cluster.node_of("gated") == ""
    await cluster.client.patch(
        scheme.PODS,
        "gated",
        {"spec": {"schedulingGates": None}},
        namespace="default",
        patch_type="merge",
    )
    assert await cluster.bound("gated") == "node-1"


async def test_pods_of_other_schedulers_are_left_alone(cluster):
    await cluster.add_node("node-1")
    await cluster.add_pod("foreign", schedulerName="mine")
    await cluster.add_pod("ours")
    await cluster.bound("ours")
    assert cluster.node_of("foreign") == ""
    assert await cluster.events("foreign") == []


async def test_a_pod_deleted_while_it_waits_is_forgotten(cluster):
    await cluster.add_pod("gone")
    await cluster.refused("gone")
    await cluster.remove_pod("gone")
    await until(lambda: cluster.pods.get("default", "gone") is None)
    await cluster.add_pod("gone", cpu="200m")
    await cluster.add_node("node-1")
    assert await cluster.bound("gone") == "node-1"


async def test_the_claims_of_a_pod_that_has_gone_are_not_waited_for(cluster):
    """Nobody here provisions: its claim would be waited for, and its places held, for minutes."""
    late = StorageClass(
        metadata=ObjectMeta(name="late"),
        provisioner="example.com/none",
        volume_binding_mode="WaitForFirstConsumer",
    )
    await cluster.client.create(scheme.STORAGECLASSES, late)
    claim = {
        "metadata": {"name": "data", "namespace": "default"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": "late",
        },
    }
    await cluster.client.create(
        scheme.PERSISTENTVOLUMECLAIMS, msgspec.convert(claim, PersistentVolumeClaim)
    )
    await cluster.add_node("node-1")
    source = {"persistentVolumeClaim": {"claimName": "data"}}
    await cluster.add_pod("early", volumes=[{"name": "v", **source}])
    await until(lambda: cluster.pods.get("default", "early") is not None)
    async with asyncio.timeout(60):
        while not (await selected_node(cluster.client)):
            await asyncio.sleep(0.001)
    await cluster.remove_pod("early")
    assert await cluster.event("early") == (
        "Warning",
        "FailedScheduling",
        'running PreBind plugin "VolumeBinding": binding volumes: pod "early" does not exist any '
        "more",
    )


async def selected_node(client: Client) -> str:
    claim = await client.get(scheme.PERSISTENTVOLUMECLAIMS, "data", "default")
    return claim.metadata.annotations.get("volume.kubernetes.io/selected-node", "")

"""The controllers against a real API server; their clock is the test's."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.coordination_v1 import Lease
from podium.api.types.core_v1 import Pod
from podium.client.client import Client
from podium.client.informer import Informer
from podium.client.leader_election import micro_time
from podium.controllers.manager import ControllerOptions, run
from podium.kit.clock import SystemClock, VirtualClock
from support.apiserver import running_apiserver
from support.controlling import MANAGER, controlling
from support.http_peer import running, until

DESCRIPTION = "kubernetes.io/description"


@pytest.fixture
def cluster(tmp_path):
    return controlling(tmp_path)


async def test_a_new_namespace_has_its_account_and_its_ca(cluster):
    async with cluster as cluster:
        await cluster.seen("configmaps", "kube-root-ca.crt", "kube-system")
        await cluster.add_namespace("apps")
        await cluster.seen("serviceaccounts", "default", "apps")
        config_map = await cluster.seen("configmaps", "kube-root-ca.crt", "apps")
        assert config_map.data == {"ca.crt": cluster.api.authority.cert_file.read_text()}
        assert config_map.metadata.annotations[DESCRIPTION].startswith("Contains a CA bundle")


async def test_they_come_back_when_deleted_or_changed(cluster):
    async with cluster as cluster:
        account = await cluster.seen("serviceaccounts", "default", "default")
        config_map = await cluster.seen("configmaps", "kube-root-ca.crt", "default")
        await cluster.client.delete(scheme.SERVICEACCOUNTS, "default", namespace="default")
        await until(
            lambda: (
                (new := cluster.get("serviceaccounts", "default", "default")) is not None
                and new.metadata.uid != account.metadata.uid
            )
        )
        await cluster.client.patch(
            scheme.CONFIGMAPS,
            "kube-root-ca.crt",
            {"data": {"ca.crt": "forged", "more": "x"}, "metadata": {"annotations": None}},
            namespace="default",
            patch_type="merge",
        )
        await until(
            lambda: (
                (new := cluster.get("configmaps", "kube-root-ca.crt", "default"))
                and new.data == config_map.data
                and new.metadata.resource_version != config_map.metadata.resource_version
                and bool(new.metadata.annotations)
            )
        )
        assert (
            cluster.get("serviceaccounts", "default", "default").metadata.uid
            != account.metadata.uid
        )
        renewed = cluster.get("configmaps", "kube-root-ca.crt", "default")
        assert renewed.data == config_map.data
        assert renewed.metadata.annotations == config_map.metadata.annotations


async def test_a_deleted_namespace_is_emptied_and_goes(cluster):
    async with cluster as cluster:
        await cluster.add_namespace("apps")
        await cluster.add_pod("waiting", "apps")
        await cluster.create(scheme.CONFIGMAPS, {"metadata": {"name": "c", "namespace": "apps"}})
        await cluster.client.delete(scheme.NAMESPACES, "apps")
        await cluster.gone("namespaces", "apps")
        assert (await cluster.client.list(scheme.CONFIGMAPS, "apps")).items == []
        assert (await cluster.client.list(scheme.SERVICEACCOUNTS, "apps")).items == []


async def test_a_namespace_waits_for_its_pods_and_for_finalizers_and_says_so(cluster):
    async with cluster as cluster:
        await cluster.add_namespace("apps")
        await cluster.add_node("node-1")
        await cluster.add_pod("slow", "apps", nodeName="node-1", terminationGracePeriodSeconds=30)
        held = {"name": "held", "namespace": "apps", "finalizers": ["example.com/hold"]}
        await cluster.create(scheme.CONFIGMAPS, {"metadata": held})
        await cluster.client.delete(scheme.NAMESPACES, "apps")

        def says(type_: str) -> str:
            namespace = cluster.get("namespaces", "apps")
            found = [c for c in namespace.status.conditions if c.type == type_] if namespace else []
            return found[0].message if found and found[0].status == "True" else ""

        await until(
            lambda: (
                says("NamespaceContentRemaining")
                == "Some resources are remaining: pods. has 1 resource instances"
            )
        )
        assert cluster.get("configmaps", "held", "apps").metadata.deletion_timestamp is None
        await cluster.client.delete(scheme.PODS, "slow", namespace="apps", grace_period_seconds=0)
        await until(
            lambda: (
                says("NamespaceFinalizersRemaining")
                == "Some content in the namespace has finalizers remaining: "
                "example.com/hold in 1 resource instances"
            )
        )
        await cluster.client.patch(
            scheme.CONFIGMAPS,
            "held",
            {"metadata": {"finalizers": None}},
            namespace="apps",
            patch_type="merge",
        )
        await cluster.in_time(lambda: cluster.get("namespaces", "apps") is None)


async def test_a_node_that_falls_silent_is_unreachable_after_forty_seconds(cluster):
    async with cluster as cluster:
        await cluster.add_node("a")
        await cluster.add_node("b")
        await cluster.add_pod("p", nodeName="a")
        ready = [{"type": "Ready", "status": "True"}]
        patch = {"status": {"phase": "Running", "conditions": ready}}
        await cluster.client.patch(
            scheme.PODS, "p", patch, namespace="default", subresource="status"
        )
        await until(lambda: cluster.ready("a")[0] == "True")
        for _ in range(6):
            await cluster.pass_time(5)
            await cluster.post_status("b")
        assert cluster.ready("a") == ("True", "KubeletReady")
        for _ in range(4):
            await cluster.pass_time(5)
            await cluster.post_status("b")
        await until(lambda: cluster.ready("a") == ("Unknown", "NodeStatusUnknown"))
        await until(
            lambda: cluster.taints("a") == {"unreachable:NoSchedule", "unreachable:NoExecute"}
        )
        assert cluster.ready("b")[0] == "True"
        await until(
            lambda: (
                [
                    c.status
                    for c in cluster.get("pods", "p", "default").status.conditions
                    if c.type == "Ready"
                ]
                == ["False"]
            )
        )
        assert await cluster.events("NodeNotReady") != []
        await cluster.post_status("a")
        await until(lambda: cluster.taints("a") == set())


async def test_a_lease_is_a_sign_of_life(cluster):
    async with cluster as cluster:
        await cluster.add_node("a")
        metadata = {"name": "a", "namespace": "kube-node-lease"}
        lease: Lease = await cluster.create(scheme.LEASES, {"metadata": metadata})
        for _ in range(10):
            await cluster.pass_time(10)
            lease.spec.renew_time = micro_time(cluster.clock.now())
            lease = await cluster.client.update(scheme.LEASES, lease)
            await asyncio.sleep(0.05)
        assert cluster.ready("a") == ("True", "KubeletReady")
        await cluster.in_time(lambda: cluster.ready("a") == ("Unknown", "NodeStatusUnknown"))
        await until(lambda: cluster.taints("a") == {"unreachable:NoSchedule"})


async def test_cordoning_and_a_node_that_says_it_is_not_ready_bring_taints_at_once(cluster):
    async with cluster as cluster:
        await cluster.add_node("a")
        await cluster.client.patch(scheme.NODES, "a", {"spec": {"unschedulable": True}})
        await until(lambda: cluster.taints("a") == {"unschedulable:NoSchedule"})
        await cluster.client.patch(scheme.NODES, "a", {"spec": {"unschedulable": None}})
        await until(lambda: cluster.taints("a") == set())
        await cluster.post_status("a", ready="False")
        await until(lambda: cluster.taints("a") == {"not-ready:NoSchedule"})
        assert await cluster.events("RegisteredNode") == [
            "Node a event: Registered Node a in Controller"
        ]


async def test_pods_of_a_node_out_of_service_are_deleted_for_it(cluster):
    async with cluster as cluster:
        await cluster.add_node("a")
        tolerations = [{"operator": "Exists"}]
        for name in ("leaving", "staying"):
            await cluster.add_pod(name, nodeName="a", tolerations=tolerations)
        await cluster.client.delete(scheme.PODS, "leaving", namespace="default")
        await until(lambda: cluster.get("pods", "leaving", "default").metadata.deletion_timestamp)
        taint = {"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}
        await cluster.client.patch(
            scheme.NODES, "a", {"spec": {"taints": [taint]}}, patch_type="merge"
        )
        await until(lambda: cluster.get("nodes", "a").spec.taints)
        assert cluster.get("pods", "leaving", "default") is not None, "the node is well"
        await cluster.post_status("a", "False")
        await cluster.gone("pods", "leaving", "default")
        assert cluster.get("pods", "staying", "default").metadata.deletion_timestamp is None


async def test_pods_of_a_node_that_is_gone_go_after_quarantine(cluster):
    async with cluster as cluster:
        await cluster.add_node("a")
        await cluster.add_pod("orphan", nodeName="a")
        await cluster.add_pod("bound-to-nobody", nodeName="never-was")
        await cluster.seen("pods", "bound-to-nobody", "default")
        await cluster.client.delete(scheme.NODES, "a")
        await cluster.gone("nodes", "a")
        await cluster.pass_time(30)
        assert cluster.get("pods", "orphan", "default") is not None
        await cluster.in_time(lambda: cluster.get("pods", "orphan", "default") is None)
        await cluster.in_time(lambda: cluster.get("pods", "bound-to-nobody", "default") is None)


async def test_a_node_that_comes_back_in_time_keeps_its_pods(cluster):
    async with cluster as cluster:
        await cluster.add_node("a")
        await cluster.add_pod("p", nodeName="a")
        await cluster.seen("pods", "p", "default")
        await cluster.client.delete(scheme.NODES, "a")
        await cluster.gone("nodes", "a")
        await cluster.pass_time(20)
        await cluster.add_node("a")
        await cluster.seen("nodes", "a")
        await cluster.pass_time(100)
        assert cluster.get("pods", "p", "default") is not None


async def test_too_many_pods_that_are_over(tmp_path):
    async with running_apiserver(tmp_path) as api, Client(api.client_config()) as client:
        pods: Informer[Pod] = Informer(client, scheme.PODS, clock=SystemClock())
        options = ControllerOptions(
            api.client_config(*MANAGER), str(api.authority.cert_file), terminated_pod_threshold=2
        )
        async with running(pods.run()), running(run(options, VirtualClock())):
            for name in "abcd":
                document = {
                    "metadata": {"name": name, "namespace": "default"},
                    "spec": {"containers": [{"name": "c", "image": "i"}], "nodeName": "n"},
                }
                await _create_patiently(client, msgspec.convert(document, Pod))
                await client.patch(
                    scheme.PODS,
                    name,
                    {"status": {"phase": "Succeeded"}},
                    namespace="default",
                    subresource="status",
                )
            await until(lambda: sorted(p.metadata.name for p in pods.list()) == ["c", "d"])
            left = (await client.list(scheme.PODS, "default")).items
            assert sorted(pod.metadata.name for pod in left) == ["c", "d"], "the oldest go"


async def _create_patiently(client: Client, pod: Pod) -> None:
    """The namespace's ServiceAccount may still be on its way."""
    async with asyncio.timeout(60):
        while True:
            try:
                await client.create(scheme.PODS, pod)
            except ApiError as exc:
                if exc.code != 403:
                    raise
                await asyncio.sleep(0.02)
            else:
                return

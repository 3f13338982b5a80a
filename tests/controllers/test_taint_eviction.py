"""Pods leave nodes whose NoExecute taints they do not tolerate; the clock is the test's."""

from __future__ import annotations

import pytest

from podium.api import scheme
from support.controlling import controlling
from support.http_peer import until

TAINT = {"key": "k", "value": "v", "effect": "NoExecute"}
FOR_A_MINUTE = {
    "key": "k",
    "operator": "Exists",
    "effect": "NoExecute",
    "tolerationSeconds": 60,
}


@pytest.fixture
def cluster(tmp_path):
    return controlling(tmp_path)


async def taint(cluster, *taints) -> None:
    patch = {"spec": {"taints": list(taints) or None}}
    await cluster.client.patch(scheme.NODES, "n", patch, patch_type="merge")


async def test_a_pod_that_does_not_tolerate_a_taint_goes_at_once(cluster):
    async with cluster as cluster:
        await cluster.add_node("n")
        await cluster.add_pod("p", nodeName="n")
        await cluster.add_pod("q", nodeName="n", tolerations=[{"key": "k", "operator": "Exists"}])
        await cluster.seen("pods", "q", "default")
        await taint(cluster, TAINT)
        await until(lambda: cluster.get("pods", "p", "default").metadata.deletion_timestamp)
        pod = cluster.get("pods", "p", "default")
        conditions = {c.type: (c.reason, c.message) for c in pod.status.conditions}
        assert conditions["DisruptionTarget"] == (
            "DeletionByTaintManager",
            "Taint manager: deleting due to NoExecute taint",
        )
        assert cluster.get("pods", "q", "default").metadata.deletion_timestamp is None


async def test_a_toleration_for_a_time_runs_out(cluster):
    async with cluster as cluster:
        await cluster.add_node("n")
        await cluster.add_pod("p", nodeName="n", tolerations=[FOR_A_MINUTE])
        await cluster.seen("pods", "p", "default")
        await taint(cluster, TAINT)
        await until(lambda: cluster.get("nodes", "n").spec.taints)
        await cluster.clock.advance(50)
        assert cluster.get("pods", "p", "default").metadata.deletion_timestamp is None
        # At what time the controller has heard of the taint is not said.
        await cluster.in_time(
            lambda: cluster.get("pods", "p", "default").metadata.deletion_timestamp
        )


async def test_a_taint_that_is_taken_back_in_time_changes_nothing(cluster):
    async with cluster as cluster:
        await cluster.add_node("n")
        await cluster.add_pod("p", nodeName="n", tolerations=[FOR_A_MINUTE])
        await cluster.seen("pods", "p", "default")
        await taint(cluster, TAINT)
        await until(lambda: cluster.get("nodes", "n").spec.taints)
        await cluster.clock.advance(10)
        await taint(cluster)
        await until(lambda: not cluster.get("nodes", "n").spec.taints)
        await cluster.clock.advance(120)
        assert cluster.get("pods", "p", "default").metadata.deletion_timestamp is None

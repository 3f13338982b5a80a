from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from podium.api.types.core_v1 import Node, NodeCondition, Pod, Taint
from podium.controllers import pod_garbage

NOW = datetime(2025, 1, 1, tzinfo=UTC)


def make_pod(name: str, phase: str = "Succeeded", *, age: int = 0, reason: str = "", **meta) -> Pod:
    metadata = {"name": name, "uid": "u", "creationTimestamp": NOW - timedelta(hours=age), **meta}
    return msgspec.convert(
        {"metadata": metadata, "status": {"phase": phase, "reason": reason}}, Pod
    )


def test_beyond_the_threshold_the_evicted_go_first_and_then_the_oldest():
    pods = [
        make_pod("young", age=1),
        make_pod("old", age=9),
        make_pod("evicted", "Failed", reason="Evicted"),
        make_pod("older", age=10),
    ]
    assert [p.metadata.name for p in pod_garbage.surplus(pods, 1)] == ["evicted", "older", "old"]
    assert pod_garbage.surplus(pods, 4) == []


@pytest.mark.parametrize(
    ("pod", "garbage"),
    [
        pytest.param(make_pod("p", "Pending", deletionTimestamp=NOW), True, id="never-bound"),
        pytest.param(make_pod("p", "Pending"), False, id="not-deleted"),
    ],
)
def test_unscheduled_and_terminating(pod, garbage):
    assert pod_garbage.is_unscheduled_and_terminating(pod) is garbage


def test_a_bound_pod_is_its_kubelets_to_end():
    pod = make_pod("p", "Pending", deletionTimestamp=NOW)
    pod.spec.node_name = "n"
    assert not pod_garbage.is_unscheduled_and_terminating(pod)


def test_an_orphan_is_failed_with_the_reason_before_it_is_deleted():
    patch = pod_garbage.failed_patch(make_pod("p", "Running"), NOW, orphaned=True)
    assert patch["metadata"] == {"uid": "u"}
    assert patch["status"]["phase"] == "Failed"
    assert patch["status"]["conditions"] == [
        {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByPodGC",
            "message": "PodGC: node no longer exists",
            "lastTransitionTime": NOW,
        }
    ]


def test_a_pod_that_is_over_needs_no_such_step():
    assert pod_garbage.failed_patch(make_pod("p", "Failed"), NOW, orphaned=True) is None


@pytest.mark.parametrize(
    ("ready", "taint", "out"),
    [
        ("False", "node.kubernetes.io/out-of-service", True),
        ("Unknown", "node.kubernetes.io/out-of-service", True),
        ("True", "node.kubernetes.io/out-of-service", False),
        ("False", "node.kubernetes.io/not-ready", False),
    ],
)
def test_a_node_is_out_of_service_when_somebody_says_so_and_it_is_not_ready(ready, taint, out):
    node = Node()
    node.status.conditions = [NodeCondition(type="Ready", status=ready)]
    node.spec.taints = [Taint(key=taint, effect="NoExecute")]
    assert pod_garbage.is_out_of_service(node) is out

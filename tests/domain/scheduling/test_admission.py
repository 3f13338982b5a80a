"""What the node answers to a Pod that was bound to it all the same."""

from __future__ import annotations

import pytest

from podium.domain.scheduling.admission import Refusal, fits

NO_EXECUTE = [{"key": "k", "effect": "NoExecute"}]


@pytest.mark.parametrize(
    ("pod_args", "node_args", "refusals"),
    [
        pytest.param({"requests": {"cpu": "1"}}, {}, [], id="fits"),
        pytest.param(
            {"requests": {"cpu": "1000"}},
            {},
            [
                Refusal(
                    "OutOfcpu",
                    "Node didn't have enough resource: cpu, "
                    "requested: 1000000, used: 500, capacity: 4000",
                )
            ],
            id="cpu-in-thousandths",
        ),
        pytest.param(
            {"requests": {"memory": "100Ti"}},
            {},
            [
                Refusal(
                    "OutOfmemory",
                    "Node didn't have enough resource: memory, "
                    "requested: 109951162777600, used: 1024, capacity: 8589934592",
                )
            ],
            id="memory-in-bytes",
        ),
        pytest.param(
            {},
            {"pods": "1"},
            [
                Refusal(
                    "OutOfpods",
                    "Node didn't have enough resource: pods, requested: 1, used: 1, capacity: 1",
                )
            ],
            id="pods",
        ),
        pytest.param(
            {"nodeSelector": {"disk": "ssd"}},
            {},
            [Refusal("NodeAffinity", "Predicate NodeAffinity failed")],
            id="node-selector",
        ),
        pytest.param({"requests": {"example.test/x": "1"}}, {}, [], id="not-this-nodes-resource"),
        pytest.param(
            {},
            {"taints": NO_EXECUTE},
            [Refusal("TaintToleration", "Predicate TaintToleration failed")],
            id="no-execute-taint",
        ),
        pytest.param(
            {}, {"taints": [{"key": "k", "effect": "NoSchedule"}]}, [], id="no-schedule-taint"
        ),
        pytest.param({}, {"unschedulable": True}, [], id="cordoned"),
        pytest.param(
            {"nodeName": "another"},
            {},
            [Refusal("NodeName", "Predicate NodeName failed")],
            id="wrong-node",
        ),
    ],
)
def test_refusals(pod, node, pod_args, node_args, refusals):
    there = pod("first", requests={"cpu": "500m", "memory": "1Ki"})
    assert fits(pod(**pod_args), node(**node_args), [there]) == refusals


def test_a_static_pod_may_stay_in_spite_of_taints(pod, node):
    static = pod()
    static.metadata.annotations["kubernetes.io/config.source"] = "file"
    assert fits(static, node(taints=NO_EXECUTE), []) == []

"""A node's totals follow the Pods that come and go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from podium.domain.scheduling.node_info import NodeInfo, PodDemand


def test_a_new_version_of_a_pod_replaces_the_old_one(pod, node):
    info = NodeInfo(node())
    one = pod(requests={"cpu": "1"})
    info.add(PodDemand(one))
    info.add(PodDemand(one))
    assert (info.pod_count, info.requested) == (1, {"cpu": 1000})
    assert info.remove(one.metadata.uid)
    assert not info.remove(one.metadata.uid)
    assert (info.pod_count, info.requested["cpu"]) == (0, 0)


def test_containers_that_request_nothing_count_a_little_when_nodes_are_scored(pod):
    demand = PodDemand(pod(requests={"cpu": "1"}))
    assert demand.scored == {"cpu": 1000, "memory": 200 * 1024 * 1024 * 1000}


@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=30))
def test_totals_are_the_sum_over_the_pods_there(pod, node, steps):
    pods = [pod(requests={"cpu": f"{n}00m", "memory": f"{n}Mi"}) for n in range(5)]
    info, there = NodeInfo(node()), set()
    for add, index in steps:
        if add:
            info.add(PodDemand(pods[index]))
            there.add(index)
        else:
            info.remove(pods[index].metadata.uid)
            there.discard(index)
    assert info.pod_count == len(there)
    assert info.requested.get("cpu", 0) == sum(n * 100 for n in there)
    fresh = NodeInfo(node(), [pods[index] for index in there])
    assert info.scored == fresh.scored

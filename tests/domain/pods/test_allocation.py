"""What a Pod runs with while its spec asks for something else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api.codec import from_plain
from podium.api.types.core_v1 import Node, Pod, PodStatus
from podium.domain.pods.allocation import (
    Allocation,
    ResizePending,
    Room,
    allocation_of,
    decide,
    granted,
    reported_allocation,
    retry_order,
)
from support.objects import container, pod


def asking(cpu: str, *, init: str = "", of_pod: str = "") -> Pod:
    spec: dict[str, Any] = {"containers": [container(name="c", resources=requests(cpu))]}
    if init:
        spec["initContainers"] = [container(name="i", resources=requests(init))]
    if of_pod:
        spec["resources"] = requests(of_pod)
    return pod(spec)


def requests(cpu: str) -> dict[str, Any]:
    return {"requests": {"cpu": cpu}}


cpus = st.sampled_from(["100m", "0.1", "1", "2"])
pods = st.builds(
    asking, cpus, init=st.sampled_from(["", "1", "2"]), of_pod=st.sampled_from(["", "3", "4"])
)


@given(pods)
def test_what_is_asked_for_is_granted_unchanged(asked: Pod) -> None:
    assert granted(asked, allocation_of(asked)) is asked


@given(pods, pods)
def test_a_pod_as_granted_has_what_was_granted_and_nothing_else_changed(
    before: Pod, after: Pod
) -> None:
    allocation = allocation_of(before)
    run = granted(after, allocation)
    for part in (*run.spec.containers, *run.spec.init_containers):
        if part.name in allocation.containers:
            assert part.resources == allocation.containers[part.name]
    assert run.spec.resources == before.spec.resources
    assert granted(run, allocation_of(after)) == after


def test_granting_leaves_the_pod_of_the_api_alone() -> None:
    asked = asking("2", init="2")
    granted(asked, allocation_of(asking("1", init="1")))
    assert asked == asking("2", init="2")


def node(cpu: str) -> Node:
    return from_plain(
        Node,
        {
            "metadata": {"name": "n"},
            "status": {"allocatable": {"cpu": cpu, "memory": "1Gi", "pods": "10"}},
        },
    )


@pytest.mark.parametrize(
    ("cpu", "others", "why"),
    [
        pytest.param("2", [], None, id="fits"),
        pytest.param("2", ["500m"], None, id="fits-beside-others"),
        pytest.param(
            "2", ["1"],
            ResizePending(
                "Deferred",
                "Node didn't have enough resource: cpu, requested: 2000, used: 1000, "
                "capacity: 2500",
            ),
            id="others-are-in-the-way",
        ),
        pytest.param(
            "2501m", ["1"],
            ResizePending(
                "Infeasible",
                "Node didn't have enough capacity: cpu, requested: 2501, capacity: 2500",
            ),
            id="never",
        ),
    ],
)  # fmt: skip
def test_what_there_is_room_for(cpu: str, others: list[str], why: ResizePending | None) -> None:
    asked = asking(cpu)
    asked.status = from_plain(
        PodStatus, {"containerStatuses": [{"name": "c", "resources": requests("4")}]}
    )
    around = []
    for number, amount in enumerate(others):
        other = asking(amount)
        other.metadata.uid = f"other-{number}"
        around.append(other)
    assert decide(asked, Room(node("2500m"), around)) == why


def test_static_pods_stay_as_they_are() -> None:
    asked = asking("1")
    asked.metadata.annotations["kubernetes.io/config.source"] = "file"
    assert decide(asked, Room(node("2"), [])) == ResizePending(
        "Infeasible", "In-place resize of static-pods is not supported"
    )


def test_what_the_pod_asks_for_as_a_whole_counts() -> None:
    refused = decide(asking("1", of_pod="3"), Room(node("2"), []))
    assert refused is not None
    assert (
        refused.message == "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000"
    )


def test_the_order_in_which_resizes_get_room() -> None:
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    whole = {"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "1Gi"}}
    important, guaranteed = asking("2"), pod({"containers": [container(resources=whole)]})
    important.spec.priority = 10
    has = asking("1")
    keys = [
        retry_order(asking("500m"), has, late),
        retry_order(important, has, late),
        retry_order(guaranteed, has, late),
        retry_order(asking("2"), has, early),
        retry_order(asking("2"), has, late),
    ]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_the_status_tells_what_a_running_pod_was_granted() -> None:
    made = asking("2", init="3")
    running = {"name": "c", "resources": requests("1")}
    made.status = from_plain(PodStatus, {"containerStatuses": [running]})
    known = allocation_of(asking("1", init="3"))
    assert reported_allocation(made) == known


def test_a_pod_without_statuses_was_granted_what_it_asks_for() -> None:
    made = asking("2")
    assert reported_allocation(made) == Allocation(allocation_of(made).containers)

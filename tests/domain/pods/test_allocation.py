"""What a Pod runs with while its spec asks for something else."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from podium.api.codec import from_plain
from podium.api.types.core_v1 import Pod, PodStatus
from podium.domain.pods.allocation import (
    Allocation,
    ResizePending,
    allocation_of,
    decide,
    granted,
    reported_allocation,
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
    assert decide(asked, allocation_of(asked)) == allocation_of(asked)


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


@given(pods, pods)
def test_a_change_is_infeasible_on_this_node(before: Pod, after: Pod) -> None:
    allocation = allocation_of(before)
    decision = decide(after, allocation)
    if allocation_of(after) == allocation:
        assert decision == allocation
    else:
        assert decision == ResizePending(
            "Infeasible", "In-place resize of Pods is not supported on this node"
        )


def test_the_status_tells_what_a_running_pod_was_granted() -> None:
    made = asking("2", init="3")
    running = {"name": "c", "resources": requests("1")}
    made.status = from_plain(PodStatus, {"containerStatuses": [running]})
    known = allocation_of(asking("1", init="3"))
    assert reported_allocation(made) == known


def test_a_pod_without_statuses_was_granted_what_it_asks_for() -> None:
    made = asking("2")
    assert reported_allocation(made) == Allocation(allocation_of(made).containers)

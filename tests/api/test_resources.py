"""Sums of requests and limits, and QoS classes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api.codec import from_plain
from podium.api.resources import pod_limits, pod_requests, qos_class, requests_in_use
from podium.api.types.core_v1 import PodStatus
from support.objects import container, pod

BOTH = {"cpu": "1", "memory": "1Gi"}


def asks(requests: dict[str, str] | None = None, limits: dict[str, str] | None = None) -> Any:
    return {"requests": requests or {}, "limits": limits or {}}


@pytest.mark.parametrize(
    ("containers", "expected"),
    [
        pytest.param([asks()], "BestEffort", id="nothing-asked"),
        pytest.param([asks(limits=BOTH)], "Guaranteed", id="limits-become-requests"),
        pytest.param([asks(BOTH, BOTH)], "Guaranteed", id="requests-equal-limits"),
        pytest.param([asks({"cpu": "1000m", "memory": "1024Mi"}, BOTH)], "Guaranteed",
                     id="equal-amounts-written-otherwise"),
        pytest.param([asks({"cpu": "500m"}, BOTH)], "Burstable", id="less-requested-than-limited"),
        pytest.param([asks(limits={"cpu": "1"})], "Burstable", id="memory-is-not-limited"),
        pytest.param([asks(limits=BOTH), asks()], "Burstable", id="one-container-asks-nothing"),
        pytest.param([asks({"cpu": "0"})], "BestEffort", id="zero-is-nothing"),
        pytest.param([asks({"ephemeral-storage": "1Gi"})], "BestEffort", id="other-resources"),
    ],
)  # fmt: skip
def test_qos_class(containers: list[Any], expected: str) -> None:
    made = [container(name=f"c{i}", resources=part) for i, part in enumerate(containers)]
    assert qos_class(pod({"containers": made})) == expected


def test_an_init_container_counts_for_the_class() -> None:
    made = pod({
        "containers": [container(resources=asks(limits=BOTH))],
        "initContainers": [container(name="i")],
    })  # fmt: skip
    assert qos_class(made) == "Burstable"


@pytest.mark.parametrize(
    ("init", "regular", "expected"),
    [
        pytest.param([], ["100m", "200m"], 300, id="regular-containers-run-together"),
        pytest.param(["250m", "150m"], ["100m"], 250, id="init-containers-run-one-by-one"),
        pytest.param(["50m"], ["100m"], 100, id="the-larger-phase-counts"),
        pytest.param(["+50m"], ["100m"], 150, id="a-sidecar-stays"),
        pytest.param(["+50m", "120m"], ["100m"], 170, id="a-sidecar-runs-beside-later-ones"),
        pytest.param(["120m", "+50m"], ["100m"], 150, id="but-not-beside-earlier-ones"),
    ],
)
def test_pod_requests(init: list[str], regular: list[str], expected: int) -> None:
    starting = [
        container(
            name=f"i{i}",
            resources=asks({"cpu": amount.lstrip("+")}),
            **({"restartPolicy": "Always"} if amount.startswith("+") else {}),
        )
        for i, amount in enumerate(init)
    ]
    running = [
        container(name=f"c{i}", resources=asks({"cpu": amount})) for i, amount in enumerate(regular)
    ]
    made = pod({"containers": running, "initContainers": starting})
    assert pod_requests(made) == {"cpu": expected}


def test_overhead_comes_on_top_of_requests_and_of_what_is_limited() -> None:
    made = pod({
        "containers": [container(resources=asks(limits={"cpu": "1"}))],
        "overhead": {"cpu": "250m", "memory": "64Mi"},
    })  # fmt: skip
    assert pod_requests(made) == {"cpu": 1250, "memory": 64 * 2**20 * 1000}
    assert pod_limits(made) == {"cpu": 1250}


def test_pod_level_resources_stand_for_the_sum() -> None:
    made = pod({
        "containers": [container(resources=asks({"cpu": "100m"}))],
        "resources": asks({"cpu": "1"}, {"cpu": "2"}),
    })  # fmt: skip
    assert pod_requests(made) == {"cpu": 1000}
    assert pod_limits(made) == {"cpu": 2000}
    assert qos_class(made) == "Burstable"


amounts = st.lists(st.tuples(st.integers(0, 5000), st.booleans()), max_size=5)


@given(init=amounts, regular=st.lists(st.integers(0, 5000), min_size=1, max_size=4))
def test_requests_cover_every_moment_of_the_pods_life(
    init: list[tuple[int, bool]], regular: list[int]
) -> None:
    """A dumb twin: go through the moments and add up what runs at each."""
    starting = [
        container(name=f"i{i}", resources=asks({"cpu": f"{amount}m"}),
                  **({"restartPolicy": "Always"} if sidecar else {}))
        for i, (amount, sidecar) in enumerate(init)
    ]  # fmt: skip
    running = [
        container(name=f"c{i}", resources=asks({"cpu": f"{amount}m"}))
        for i, amount in enumerate(regular)
    ]
    moments = []
    staying = 0
    for amount, sidecar in init:
        moments.append(staying + amount)
        staying += amount if sidecar else 0
    moments.append(staying + sum(regular))
    made = pod({"containers": running, "initContainers": starting})
    assert pod_requests(made)["cpu"] == max(moments)


INFEASIBLE = {"type": "PodResizePending", "status": "True", "reason": "Infeasible"}
DEFERRED = {"type": "PodResizePending", "status": "True", "reason": "Deferred"}


def resized(*, asked: str, allocated: str, in_force: str, conditions: list[Any]) -> Any:
    status = {
        "name": "c",
        "allocatedResources": {"cpu": allocated},
        "resources": {"requests": {"cpu": in_force}},
    }
    made = pod({"containers": [container(name="c", resources=asks({"cpu": asked}))]})
    reported = {"containerStatuses": [status], "conditions": conditions}
    made.status = from_plain(PodStatus, reported)
    return made


@pytest.mark.parametrize(
    ("asked", "allocated", "in_force", "conditions", "expected"),
    [
        pytest.param("1", "1", "1", [], 1000, id="nothing-was-resized"),
        pytest.param("2", "1", "1", [], 2000, id="more-is-asked-for-than-granted"),
        pytest.param("1", "2", "2", [], 2000, id="less-is-asked-for-than-granted"),
        pytest.param("1", "1", "2", [], 2000, id="granted-but-not-yet-in-force"),
        pytest.param("2", "1", "1", [DEFERRED], 2000, id="room-is-kept-for-what-is-deferred"),
        pytest.param("9", "1", "1", [INFEASIBLE], 1000, id="what-is-infeasible-takes-nothing"),
        pytest.param("1", "2", "2", [INFEASIBLE], 2000, id="what-is-infeasible-frees-nothing"),
    ],
)
def test_requests_in_use_of_a_resized_pod(
    asked: str, allocated: str, in_force: str, conditions: list[Any], expected: int
) -> None:
    made = resized(asked=asked, allocated=allocated, in_force=in_force, conditions=conditions)
    assert requests_in_use(made) == {"cpu": expected}


def test_a_pod_without_a_status_takes_what_it_asks_for() -> None:
    made = pod({"containers": [container(name="c", resources=asks({"cpu": "1"}))]})
    assert requests_in_use(made) == pod_requests(made)

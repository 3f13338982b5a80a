from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api.types.core_v1 import Pod
from podium.domain.pods.preemption import victims
from podium.domain.scheduling.node_info import PodDemand
from support.pods import make_pod

MEGA = 1000 << 20  # thousandths of a MiB


def pod(name: str, cpu: str = "", memory: str = "", *, limited: bool = False, **spec: Any) -> Pod:
    requests = {k: v for k, v in (("cpu", cpu), ("memory", memory)) if v}
    resources = {"requests": requests} | ({"limits": requests} if limited else {})
    made = make_pod({"name": "c", "image": "i", "resources": resources}, **spec)
    made.metadata.name = name
    return made


CRITICAL = pod("critical", priority=2_000_000_000)
BEST = pod("best")
SMALL, LARGE = pod("small", "100m", "100Mi"), pod("large", "300m", "300Mi")
SURE = pod("sure", "100m", "100Mi", limited=True)
LARGE_SURE = pod("large-sure", "400m", "400Mi", limited=True)
EQUAL = pod("equal", "1", "1Gi", priority=2_000_000_000)
HIGHER = pod("higher", "1", "1Gi", priority=2_000_001_000)


@pytest.mark.parametrize(
    ("running", "lacking", "gone"),
    [
        pytest.param([BEST, SMALL, SURE], {"memory": 50 * MEGA}, ["small"], id="burstable-first"),
        pytest.param([SURE, LARGE], {"memory": 50 * MEGA}, ["large"], id="however-large"),
        pytest.param([SMALL, LARGE], {"memory": 100 * MEGA}, ["small"], id="the-smaller-one"),
        pytest.param([SMALL, LARGE], {"memory": 101 * MEGA}, ["large"], id="one-for-two"),
        pytest.param(
            [SMALL, LARGE], {"cpu": 350}, ["large", "small"], id="the-one-that-brings-more-first"
        ),
        pytest.param(
            [BEST, SMALL, LARGE_SURE],
            {"cpu": 450},
            ["small", "large-sure"],
            id="guaranteed-last",
        ),
        pytest.param([BEST, SMALL, SURE], {"pods": 1000}, ["best"], id="a-place"),
        pytest.param([SMALL, EQUAL], {"cpu": 200}, None, id="not-those-as-important"),
        pytest.param([BEST], {"memory": 1}, None, id="nothing-to-have"),
    ],
)
def test_who_makes_room(running, lacking, gone):
    chosen = victims(CRITICAL, running, lacking)
    assert (chosen and [one.metadata.name for one in chosen]) == gone


def test_of_critical_ones_the_less_important():
    assert victims(HIGHER, [EQUAL], {"cpu": 200}) == [EQUAL]
    assert victims(pod("ordinary", priority=1000), [SMALL], {"cpu": 1}) is None


def pods() -> st.SearchStrategy[list[Pod]]:
    one = st.builds(
        pod,
        st.uuids().map(str),
        st.sampled_from(["", "50m", "100m", "700m"]),
        st.sampled_from(["", "50Mi", "300Mi"]),
        limited=st.booleans(),
        priority=st.sampled_from([None, 0, 1000, 2_000_000_000, 2_000_001_000]),
    )
    return st.lists(one, max_size=8)


LACKS = st.dictionaries(st.sampled_from(["cpu", "pods"]), st.integers(1, 3000))


@given(pods(), LACKS)
def test_what_goes_is_enough_and_nobody_goes_who_need_not(running, lacking):
    may_go = [one for one in running if (one.spec.priority or 0) < 2_000_000_000]

    def enough(those: list[Pod]) -> bool:
        cpu = sum(PodDemand(one).requests.get("cpu", 0) for one in those)
        freed = {"cpu": cpu, "pods": 1000 * len(those)}
        return all(freed[name] >= amount for name, amount in lacking.items())

    chosen = victims(CRITICAL, running, lacking)
    assert (chosen is not None) == enough(may_go)
    if chosen is not None:
        assert enough(chosen)
        assert all(one in may_go for one in chosen)
        assert not chosen or not enough(chosen[:-1]) or not enough(chosen[1:])

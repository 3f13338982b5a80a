from __future__ import annotations

from typing import Any

import pytest

from podium.api.types.core_v1 import Pod
from podium.domain.pods.preemption import victims
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

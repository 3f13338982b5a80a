"""How long a Pod may stay on a node with NoExecute taints."""

from __future__ import annotations

import pytest

from podium.api.types.core_v1 import Taint, Toleration
from podium.domain.pods.taint_eviction import seconds_left

A = Taint(key="a", value="1", effect="NoExecute")
B = Taint(key="b", effect="NoExecute")
MILD = Taint(key="c", effect="NoSchedule")
EVER = Toleration(key="a", operator="Exists")


def only(key: str, seconds: int) -> Toleration:
    return Toleration(key=key, operator="Exists", toleration_seconds=seconds)


@pytest.mark.parametrize(
    ("taints", "tolerations", "left"),
    [
        pytest.param([], [], None, id="no-taints"),
        pytest.param([MILD], [], None, id="not-to-be-executed"),
        pytest.param([A], [], 0, id="not-tolerated"),
        pytest.param([A], [EVER], None, id="for-ever"),
        pytest.param([A], [only("a", 30)], 30, id="for-a-time"),
        pytest.param([A, B], [EVER], 0, id="one-of-two"),
        pytest.param([A, B], [EVER, only("b", 30)], 30, id="the-shortest-counts"),
        pytest.param([A], [only("a", 30), only("a", 10)], 10, id="the-shortest-of-one"),
        pytest.param([A], [only("a", -5)], 0, id="none-left"),
        pytest.param([A], [Toleration(key="a", value="1")], None, id="by-value"),
        pytest.param([A], [Toleration(key="a", value="2")], 0, id="by-another-value"),
        pytest.param([A, B], [Toleration(operator="Exists")], None, id="everything"),
        pytest.param([A], [only("a", 30), only("b", 5)], 30, id="others-do-not-count"),
    ],
)
def test_seconds_left(taints, tolerations, left):
    assert seconds_left(taints, tolerations) == left

"""How many Pods a disruption budget wants to stay."""

from __future__ import annotations

import pytest

from podium.api.meta import ObjectMeta
from podium.api.types.policy_v1 import PodDisruptionBudget, PodDisruptionBudgetSpec
from podium.domain.disruption import Expectation, expect


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"max_unavailable": 3}, Expectation(10, 7)),
        ({"max_unavailable": "25%"}, Expectation(10, 7)),
        ({"max_unavailable": "0%"}, Expectation(10, 10)),
        ({"max_unavailable": 11}, Expectation(10, 0)),
        ({"min_available": "25%"}, Expectation(10, 3)),
        pytest.param({"min_available": "0" * 5_000 + "25%"}, Expectation(10, 3), id="many-zeros"),
        ({"min_available": 4}, Expectation(0, 4)),
    ],
)
def test_what_a_budget_wants(spec, expected):
    budget = PodDisruptionBudget(metadata=ObjectMeta(), spec=PodDisruptionBudgetSpec(**spec))
    assert expect(budget, (), 10) == expected

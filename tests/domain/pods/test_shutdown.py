from __future__ import annotations

import pytest

from podium.domain.pods.shutdown import ShutdownGrace, by_criticality, shutdown_groups
from support.pods import make_pod

CLASSES = (ShutdownGrace(0, 20), ShutdownGrace(1000, 30), ShutdownGrace(2_000_000_000, 10))


@pytest.mark.parametrize(
    ("priority", "seconds"),
    [
        pytest.param(None, 20, id="none-is-zero"),
        pytest.param(-7, 20, id="below-all-classes"),
        pytest.param(0, 20, id="at-a-boundary"),
        pytest.param(999, 20, id="between-two"),
        pytest.param(1000, 30, id="at-the-next-boundary"),
        pytest.param(2_000_001_000, 10, id="above-all"),
    ],
)
def test_which_class_a_pod_is_in(priority, seconds):
    pod = make_pod("a", priority=priority, terminationGracePeriodSeconds=300)
    [group] = shutdown_groups(CLASSES, [pod])
    assert (group.seconds, group.graces) == (seconds, ((pod, float(seconds)),))


def test_the_least_important_end_first_and_classes_without_pods_are_not_waited_for():
    critical = make_pod("a", priority=2_000_001_000)
    ordinary = make_pod("a", terminationGracePeriodSeconds=3)
    groups = shutdown_groups(CLASSES, [critical, ordinary])
    assert [group.graces for group in groups] == [((ordinary, 3.0),), ((critical, 10.0),)]


def test_two_periods_are_two_classes():
    assert by_criticality(30.0, 10.0) == (ShutdownGrace(0, 20), ShutdownGrace(2_000_000_000, 10))
    assert by_criticality(0.0, 0.0) == ()

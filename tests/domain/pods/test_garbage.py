from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.domain.pods.garbage import (
    DeadContainer,
    DeadContainerPolicy,
    beyond,
    superfluous,
    superfluous_sandboxes,
)
from support.pods import NOW, make_pod, observed, run, sandbox

POD = make_pod("a", "b")


def dead(name: str, attempt: int, ended: float = 100.0):
    return run(POD, name, 1, attempt=attempt, ended=ended - attempt)


RUNNING = run(POD, "a", attempt=4)
DEAD = [dead("a", attempt) for attempt in range(4)]


@pytest.mark.parametrize(
    ("records", "policy", "gone"),
    [
        pytest.param([RUNNING, *DEAD], DeadContainerPolicy(), {"a0", "a1", "a2"}, id="one-stays"),
        pytest.param(DEAD, DeadContainerPolicy(), {"a0", "a1", "a2"}, id="one-of-a-dead-one-too"),
        pytest.param(
            [RUNNING, *DEAD], DeadContainerPolicy(0), {"a0", "a1", "a2", "a3"}, id="none-stays"
        ),
        pytest.param(DEAD, DeadContainerPolicy(0), {"a0", "a1", "a2"}, id="but-the-last-run-does"),
        pytest.param([RUNNING, *DEAD], DeadContainerPolicy(3), {"a0"}, id="three-stay"),
        pytest.param([RUNNING, *DEAD], DeadContainerPolicy(-1), set(), id="all-stay"),
        pytest.param(
            [dead("a", 0), dead("b", 0)], DeadContainerPolicy(), set(), id="each-for-itself"
        ),
    ],
)
def test_dead_runs(records, policy, gone):
    found, later = superfluous(observed(sandbox(), *records), NOW, policy)
    assert (set(found), later) == (gone, None)


def test_young_ones_stay_for_a_while():
    old = [dead("a", 0, 40.0), dead("a", 1, 31.0), dead("a", 2, 12.0)]
    there = observed(sandbox(), RUNNING, *old)
    found, later = superfluous(there, NOW, DeadContainerPolicy(0, minimum_age=30.0))
    assert set(found) == {"a0", "a1"}
    assert later == NOW + timedelta(seconds=20)


@pytest.mark.parametrize(
    ("most", "gone"),
    [
        pytest.param(-1, set(), id="any-number"),
        pytest.param(6, set(), id="not-too-many"),
        pytest.param(5, {"x0", "x1"}, id="everybody-keeps-the-same-number"),
        pytest.param(2, {"x0", "x1", "x2", "y0"}, id="one-each"),
        pytest.param(1, {"x0", "x1", "x2", "y0", "x3"}, id="the-oldest-of-all"),
        pytest.param(0, {"x0", "x1", "x2", "x3", "y0", "y4"}, id="none"),
    ],
)
def test_the_bound_of_the_node(most, gone):
    there = [DeadContainer(f"x{age}", "x", age) for age in range(4)]
    there += [DeadContainer("y0", "y", 0), DeadContainer("y4", "y", 4)]
    assert set(beyond(there, most)) == gone


def test_sandboxes_that_hold_nothing_any_more():
    new, old, older = sandbox(2), sandbox(1, ready=False), sandbox(0, ready=False)
    there = observed(new, old, older, run(POD, "a", 1, sandbox_id=old.id))
    assert superfluous_sandboxes(there) == [older.id]


CONTAINERS = st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 9)), unique=True)


@given(CONTAINERS, st.integers(-1, 12))
def test_no_more_stay_than_may_and_the_newest_of_each_as_long_as_there_is_room(there, most):
    dead = [DeadContainer(f"{owner}{age}", owner, age) for owner, age in there]
    gone = set(beyond(dead, most))
    left = [container for container in dead if container.id not in gone]
    if most < 0:
        assert not gone
        return
    assert len(left) <= most
    if most >= len({owner for owner, _ in there}):
        newest = {owner: max(age for name, age in there if name == owner) for owner, _ in there}
        assert {(c.owner, c.created_at) for c in left} >= set(newest.items())

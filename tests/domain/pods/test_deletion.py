"""domain.pods.deletion: the steps of a Pod's end, and which of them may be left for later."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest

from podium.domain.pods.deletion import (
    BOUND,
    KILL,
    LIMITS,
    UNSTARTED,
    Ending,
    Step,
    left,
    may_be_left,
    next_step,
    waiting,
)

NODE = (Step.VOLUMES, Step.CGROUP)
ALL = (*NODE, Step.STATUS, Step.REMAINS, Step.OBJECT)


@pytest.mark.parametrize(
    ("ending", "step"),
    [
        pytest.param(Ending(runs=True, sandbox=True), Step.CONTAINERS, id="something-runs"),
        pytest.param(Ending(sandbox=True), Step.SANDBOX, id="nothing-runs"),
        pytest.param(
            Ending(runs=True, settled=ALL), Step.CONTAINERS, id="what-runs-after-all-comes-first"
        ),
        pytest.param(
            Ending(sandbox=True, settled=[Step.SANDBOX]), Step.VOLUMES, id="sandbox-given-up"
        ),
        pytest.param(Ending(), Step.VOLUMES, id="sandbox-stopped"),
        pytest.param(Ending(settled=NODE[:1]), Step.CGROUP, id="volumes-gone"),
        pytest.param(Ending(settled=NODE), Step.STATUS, id="node-swept"),
        pytest.param(Ending(settled=NODE, deleted=False), None, id="over-but-not-deleted"),
        pytest.param(Ending(settled=NODE, gone=True), Step.REMAINS, id="gone-has-no-status"),
        pytest.param(Ending(settled=(*NODE, Step.REMAINS), gone=True), None, id="gone-and-removed"),
        pytest.param(Ending(settled=ALL[:3]), Step.REMAINS, id="status-taken"),
        pytest.param(Ending(settled=ALL[:4]), Step.OBJECT, id="nothing-left-on-the-node"),
        pytest.param(Ending(settled=ALL), None, id="deleted"),
        pytest.param(Ending(settled=ALL, finalizers=True), Step.FINALIZERS, id="finalizers"),
    ],
)
def test_next_step(ending, step):
    assert next_step(ending) is step


@pytest.mark.parametrize(
    ("step", "processes", "left_behind"),
    [
        pytest.param(Step.LOOK, 0, False, id="something-may-run"),
        pytest.param(Step.WORK, 0, False, id="work-may-still-start-something"),
        pytest.param(Step.CONTAINERS, 1, False, id="a-process-that-does-not-die"),
        pytest.param(Step.SANDBOX, 0, True, id="its-address-stays-taken"),
        pytest.param(Step.VOLUMES, 0, True, id="its-directories-are-no-other-pods"),
        pytest.param(Step.CGROUP, 0, True, id="an-empty-cgroup"),
        pytest.param(Step.CGROUP, 1, False, id="a-process-in-its-cgroup"),
        pytest.param(Step.STATUS, 0, False, id="the-api"),
        pytest.param(Step.REMAINS, 0, True, id="dead-files"),
        pytest.param(Step.OBJECT, 0, False, id="the-object"),
        pytest.param(Step.FINALIZERS, 0, False, id="somebody-elses"),
    ],
)
def test_what_may_be_left(step, processes, left_behind):
    assert may_be_left(step, processes) is left_behind


def test_the_end_comes_within_the_bound_whichever_steps_hang():
    """All mixes of steps that never succeed: each takes its limit, and the Pod goes."""
    for stuck in product([False, True], repeat=len(LIMITS)):
        hanging = {step for step, hangs in zip(LIMITS, stuck, strict=True) if hangs}
        settled, spent = set(), UNSTARTED + KILL
        while step := next_step(Ending(sandbox=Step.SANDBOX in hanging, settled=settled)):
            if step in hanging:
                assert may_be_left(step, 0)
                spent += LIMITS[step]
            settled.add(step)
        assert Step.OBJECT in settled
        assert spent <= BOUND


def test_every_order_of_steps_ends():
    """From any set of settled steps on there are at most as many steps as are not settled."""
    for chosen in product([False, True], repeat=len(Step)):
        settled = {step for step, done in zip(Step, chosen, strict=True) if done}
        left_over = len(Step) - len(settled)
        while step := next_step(Ending(sandbox=True, settled=settled, finalizers=True)):
            assert step not in settled
            settled.add(step)
            left_over -= 1
        assert left_over >= 0


def test_what_is_told():
    since = datetime(2025, 1, 13, 7, 30, tzinfo=UTC)
    assert waiting(Step.FINALIZERS, since, "a, b") == (
        "Deletion waits for its finalizers since 2025-01-13T07:30:00Z: a, b"
    )
    assert waiting(Step.OBJECT, since, "").endswith("to delete it since 2025-01-13T07:30:00Z")
    assert left(Step.CGROUP, "busy") == (
        "Deletion no longer waits for its cgroup to go, after 5 s: busy; the node tries again"
    )

from __future__ import annotations

from datetime import timedelta

import pytest

from podium.domain.pods.container_status import Waiting
from podium.domain.pods.plan import CreateSandbox, KillContainer, StartContainer, plan
from support.pods import NOW, make_pod, observed, run, sandbox

ONE = make_pod("a")
TWO = make_pod("a", "b")
NEVER = make_pod("a", restartPolicy="Never")
ON_FAILURE = make_pod("a", restartPolicy="OnFailure")
CHANGED = "Container a definition changed, will be restarted"
REPLACED = KillContainer("a0", "a", 30.0, CHANGED, restart=True)


@pytest.mark.parametrize(
    ("pod", "there", "actions"),
    [
        pytest.param(ONE, [], [CreateSandbox(0)], id="a-new-pod-gets-its-sandbox-first"),
        pytest.param(
            TWO,
            [sandbox()],
            [StartContainer("a", 0, 0.0), StartContainer("b", 0, 0.0)],
            id="all-containers-start-in-the-order-of-the-spec",
        ),
        pytest.param(ONE, [sandbox(), run(ONE, "a")], [], id="nothing-to-do-while-it-runs"),
        pytest.param(
            ONE,
            [sandbox(), run(ONE, "a", 1)],
            [StartContainer("a", 1, 10.0)],
            id="the-first-restart-is-immediate",
        ),
        pytest.param(
            ONE,
            [sandbox(), run(ONE, "a", 0, attempt=3, back_off=40, ended=41)],
            [StartContainer("a", 4, 80.0)],
            id="a-restart-after-the-back-off-doubles-it",
        ),
        pytest.param(
            ONE,
            [sandbox(), run(ONE, "a", 0, attempt=9, back_off=300, ended=301)],
            [StartContainer("a", 10, 300.0)],
            id="back-off-stays-at-five-minutes",
        ),
        pytest.param(
            ONE,
            [sandbox(), run(ONE, "a", 1, attempt=9, back_off=300, ended=0, lasted=601)],
            [StartContainer("a", 10, 10.0)],
            id="a-run-of-ten-minutes-is-forgiven",
        ),
        pytest.param(
            ONE,
            [sandbox(), run(ONE, "a", 1, attempt=2, back_off=20, ended=-3600)],
            [StartContainer("a", 3, 40.0)],
            id="a-clock-that-was-set-back-is-not-waited-for",
        ),
        pytest.param(
            ONE,
            [sandbox(), run(ONE, "a", 1, attempt=2, back_off=20, hash="old")],
            [StartContainer("a", 3, 10.0)],
            id="a-new-image-does-not-wait-for-the-old-one's-back-off",
        ),
        pytest.param(NEVER, [sandbox(), run(NEVER, "a", 1)], [], id="never-means-never"),
        pytest.param(
            ON_FAILURE, [sandbox(), run(ON_FAILURE, "a", 0)], [], id="on-failure-success-stays"
        ),
        pytest.param(
            ON_FAILURE,
            [sandbox(), run(ON_FAILURE, "a", 1)],
            [StartContainer("a", 1, 10.0)],
            id="on-failure-failure-restarts",
        ),
        pytest.param(
            TWO,
            [sandbox(), run(TWO, "a"), run(TWO, "b", 1)],
            [StartContainer("b", 1, 10.0)],
            id="the-other-container-is-left-alone",
        ),
        pytest.param(
            ONE,
            [sandbox(), run(ONE, "a", hash="old")],
            [REPLACED],
            id="a-changed-image-replaces-the-running-container",
        ),
        pytest.param(
            ONE,
            [sandbox(ready=False), run(ONE, "a")],
            [KillContainer("a0", "a", 30.0)],
            id="a-dead-sandbox-takes-its-containers-along",
        ),
        pytest.param(
            ONE,
            [sandbox(ready=False), run(ONE, "a", 137)],
            [CreateSandbox(1)],
            id="a-dead-sandbox-is-replaced",
        ),
        pytest.param(
            NEVER,
            [sandbox(ready=False), run(NEVER, "a", 137)],
            [],
            id="a-pod-that-ran-and-never-restarts-gets-no-second-sandbox",
        ),
    ],
)
def test_actions(pod, there, actions):
    assert list(plan(pod, observed(*there), NOW).actions) == actions


def test_a_container_that_was_killed_for_its_new_image_starts_again_whatever_the_policy():
    there = observed(sandbox(), run(NEVER, "a", 0, hash="old"))
    assert plan(NEVER, there, NOW, {"a0"}).actions == (StartContainer("a", 1, 0.0),)


def test_back_off_is_waited_for_and_told():
    there = observed(sandbox(), run(ONE, "a", 1, attempt=2, back_off=20, ended=5))

    step = plan(ONE, there, NOW)

    assert step.actions == ()
    assert step.look_again == NOW + timedelta(seconds=15)
    assert step.waiting == {
        "a": Waiting(
            "CrashLoopBackOff",
            "back-off 20s restarting failed container=a "
            "pod=kuard_default(7c1f3c70-52d8-4f0a-8a3f-3f4a5d0f8f11)",
        )
    }


def test_a_crash_loop_restarts_at_once_then_after_10_20_40_seconds_up_to_five_minutes():
    waits, record = [], None
    for _ in range(9):
        there = observed(sandbox(), record) if record else observed(sandbox())
        step = plan(ONE, there, NOW)
        if step.look_again is not None:
            waits.append((step.look_again - NOW).total_seconds())
            ended = (step.look_again - NOW).total_seconds()
            there = observed(sandbox(), run(ONE, "a", 1, attempt=record.attempt,
                                            back_off=record.back_off, ended=ended))  # fmt: skip
            step = plan(ONE, there, NOW)
        [start] = step.actions
        record = run(ONE, "a", 1, attempt=start.attempt, back_off=start.back_off)
    assert waits == [10, 20, 40, 80, 160, 300, 300]

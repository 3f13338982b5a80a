"""What is done about a run that a probe gave up on."""

from __future__ import annotations

import pytest

from podium.api.types.core_v1 import Pod
from podium.domain.pods.plan import KillContainer, StartContainer, plan
from podium.domain.pods.probes import ProbeKind, RunHealth
from support.pods import NOW, make_pod, observed, run, sandbox

ALIVE = {"livenessProbe": {"exec": {"command": ["true"]}}}
STARTED = {"startupProbe": {"exec": {"command": ["true"]}}}
OWN_GRACE = {"livenessProbe": {**ALIVE["livenessProbe"], "terminationGracePeriodSeconds": 2}}
LIVENESS, STARTUP = ProbeKind.LIVENESS, ProbeKind.STARTUP


def pod(probes: dict[str, object], *others: str, **spec: object) -> Pod:
    return make_pod({"name": "a", "image": "kuard:1", **probes}, *others, **spec)


@pytest.mark.parametrize(
    ("given", "failed", "kill"),
    [
        pytest.param(
            pod(ALIVE),
            LIVENESS,
            KillContainer(
                "a0", "a", 30.0, "Container a failed liveness probe, will be restarted", True
            ),
            id="restarted-by-default",
        ),
        pytest.param(
            pod(STARTED, restartPolicy="OnFailure"),
            STARTUP,
            KillContainer(
                "a0", "a", 30.0, "Container a failed startup probe, will be restarted", True
            ),
            id="on-failure-too",
        ),
        pytest.param(
            pod(OWN_GRACE, terminationGracePeriodSeconds=60),
            LIVENESS,
            KillContainer(
                "a0", "a", 2.0, "Container a failed liveness probe, will be restarted", True
            ),
            id="the-probe's-own-grace-period-goes-first",
        ),
        pytest.param(
            pod(OWN_GRACE, restartPolicy="Never", terminationGracePeriodSeconds=60),
            LIVENESS,
            KillContainer("a0", "a", 60.0),
            id="never-and-alone-it-is-the-pod-that-ends",
        ),
        pytest.param(
            pod(OWN_GRACE, "b", restartPolicy="Never"),
            LIVENESS,
            KillContainer("a0", "a", 2.0, "Container a failed liveness probe"),
            id="never-but-not-alone",
        ),
    ],
)
def test_it_is_killed(given: Pod, failed: ProbeKind, kill: KillContainer):
    runs = [run(given, container.name) for container in given.spec.containers]
    health = {"a0": RunHealth(True, True, failed)}
    assert plan(given, observed(sandbox(), *runs), NOW, health=health).actions == (kill,)


def test_what_is_healthy_or_not_ready_is_left_alone():
    given = pod(ALIVE)
    there = observed(sandbox(), run(given, "a"))
    for health in (RunHealth(), RunHealth(ready=False), RunHealth(started=False, ready=False)):
        assert plan(given, there, NOW, health={"a0": health}).actions == ()


@pytest.mark.parametrize(
    ("lasted", "starts"),
    [
        pytest.param(41, True, id="a-run-as-long-as-its-back-off-is-followed-at-once"),
        pytest.param(39, False, id="a-shorter-one-waits"),
    ],
)
def test_back_off_of_killed_runs(lasted: int, starts: bool):
    given = pod(ALIVE)
    ended = run(given, "a", 137, attempt=3, back_off=40, ended=1, lasted=lasted)
    step = plan(given, observed(sandbox(), ended), NOW, replaced={ended.id})
    if starts:
        assert step.actions == (StartContainer("a", 4, 80.0),)
    else:
        assert step.actions == ()
        assert step.waiting["a"].reason == "CrashLoopBackOff"


@pytest.mark.parametrize(
    ("lasted", "starts"),
    [
        pytest.param(21, True, id="with-the-wait-before-it-as-long-as-its-back-off"),
        pytest.param(19, False, id="shorter"),
    ],
)
def test_the_wait_before_a_killed_run_counts_as_well(lasted: int, starts: bool):
    """Upstream looks at how long ago it is that the run before had ended."""
    given = pod(ALIVE)
    before = run(given, "a", 137, attempt=2, back_off=20, ended=lasted + 20, lasted=5)
    ended = run(given, "a", 137, attempt=3, back_off=40, ended=0, lasted=lasted)
    step = plan(given, observed(sandbox(), ended, before), NOW, replaced={ended.id})
    assert bool(step.actions) is starts


def test_a_first_run_that_was_killed_does_not_count():
    """Upstream reckons back-off from what had ended before the kill; then, that was nothing."""
    given = pod(ALIVE)
    first = run(given, "a", 137, attempt=0, back_off=0, ended=0, lasted=3)
    step = plan(given, observed(sandbox(), first), NOW, replaced={first.id})
    assert step.actions == (StartContainer("a", 1, 0.0),)
    second = run(given, "a", 137, attempt=1, back_off=0, ended=0, lasted=3)
    step = plan(given, observed(sandbox(), second, first), NOW, replaced={second.id})
    assert step.actions == (StartContainer("a", 2, 10.0),)
    third = run(given, "a", 137, attempt=2, back_off=10, ended=0, lasted=3)
    step = plan(given, observed(sandbox(), third, second), NOW, replaced={third.id})
    assert step.waiting["a"].message.startswith("back-off 10s")

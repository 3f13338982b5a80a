"""What probes decide, as tables and as laws."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api.types.core_v1 import Container, ExecAction, Pod, Probe
from podium.api.types.meta_v1 import ObjectMeta
from podium.domain.pods.probes import (
    PERIODS_ANNOTATION,
    ProbedRun,
    ProbeKind,
    ProbeState,
    Result,
    RunHealth,
    adopted,
    after,
    due,
    kill_grace,
    period,
    probe_periods,
    probed,
    run_health,
    slack,
    too_early,
    tried_early,
)
from podium.domain.pods.termination import LONGEST_GRACE

START = datetime(2025, 1, 13, 7, 30, tzinfo=UTC)
STARTUP, READINESS, LIVENESS = ProbeKind.STARTUP, ProbeKind.READINESS, ProbeKind.LIVENESS
RESULTS = {"+": Result.SUCCESS, "-": Result.FAILURE, "?": Result.UNKNOWN, "!": Result.WARNING}


def a_probe(success: int = 1, failure: int = 3, delay: int = 0, every: int = 10) -> Probe:
    return Probe(
        success_threshold=success,
        failure_threshold=failure,
        initial_delay_seconds=delay,
        period_seconds=every,
        timeout_seconds=1,
    )


def container(*kinds: ProbeKind, probe: Probe | None = None) -> Container:
    made = Container(name="web")
    for kind in kinds:
        setattr(made, f"{kind.value.lower()}_probe", probe or a_probe())
    return made


def played(kind: ProbeKind, probe: Probe, results: str) -> ProbeState:
    state = ProbeState()
    for letter in results:
        state = after(state, kind, probe, RESULTS[letter])
    return state


@pytest.mark.parametrize(
    ("kind", "success", "failure", "results", "passes"),
    [
        pytest.param(READINESS, 1, 3, "", None, id="nothing-known-before-the-first"),
        pytest.param(READINESS, 1, 3, "+", True, id="one-success-is-enough-by-default"),
        pytest.param(READINESS, 3, 3, "++", None, id="below-success-threshold"),
        pytest.param(READINESS, 3, 3, "+++", True, id="success-threshold-reached"),
        pytest.param(READINESS, 3, 3, "++-++", None, id="successes-have-to-be-in-a-row"),
        pytest.param(READINESS, 1, 3, "+--", True, id="below-failure-threshold-stays-ready"),
        pytest.param(READINESS, 1, 3, "+---", False, id="failure-threshold-reached"),
        pytest.param(READINESS, 1, 3, "+---+", True, id="readiness-comes-back"),
        pytest.param(READINESS, 1, 3, "+--+--", True, id="failures-have-to-be-in-a-row"),
        pytest.param(READINESS, 1, 2, "-?-", False, id="a-probe-not-made-interrupts-nothing"),
        pytest.param(LIVENESS, 1, 1, "???", None, id="a-probe-not-made-kills-nobody"),
        pytest.param(READINESS, 1, 3, "!", True, id="a-warning-is-a-success"),
        pytest.param(LIVENESS, 1, 2, "+--", False, id="liveness-fails"),
        pytest.param(LIVENESS, 1, 2, "--++", False, id="what-is-to-be-killed-stays-so"),
        pytest.param(STARTUP, 1, 2, "-+", True, id="startup-succeeds-late"),
    ],
)
def test_thresholds(kind: ProbeKind, success: int, failure: int, results: str, passes: bool | None):
    assert played(kind, a_probe(success, failure), results).passes is passes


PASSED, FAILED = ProbeState(passes=True), ProbeState(passes=False)


@pytest.mark.parametrize(
    ("kinds", "states", "health"),
    [
        pytest.param([], {}, RunHealth(True, True, None), id="no-probes-no-doubt"),
        pytest.param([READINESS], {}, RunHealth(True, False, None), id="not-ready-until-told"),
        pytest.param([LIVENESS], {}, RunHealth(True, True, None), id="alive-until-told"),
        pytest.param([STARTUP], {}, RunHealth(False, False, None), id="not-started-until-told"),
        pytest.param(
            [STARTUP], {STARTUP: PASSED}, RunHealth(True, True, None), id="started-is-ready"
        ),
        pytest.param(
            [STARTUP, READINESS],
            {STARTUP: PASSED},
            RunHealth(True, False, None),
            id="started-not-yet-ready",
        ),
        pytest.param(
            [READINESS], {READINESS: FAILED}, RunHealth(True, False, None), id="unready-not-killed"
        ),
        pytest.param(
            [LIVENESS], {LIVENESS: FAILED}, RunHealth(True, True, LIVENESS), id="not-alive"
        ),
        pytest.param(
            [STARTUP], {STARTUP: FAILED}, RunHealth(False, False, STARTUP), id="never-started"
        ),
    ],
)
def test_health(kinds: list[ProbeKind], states: dict[ProbeKind, ProbeState], health: RunHealth):
    assert run_health(container(*kinds), states) == health


def seconds(when: datetime | None) -> float | None:
    return None if when is None else (when - START).total_seconds()


@pytest.mark.parametrize(
    ("kinds", "kind", "states", "at"),
    [
        pytest.param([LIVENESS], LIVENESS, {}, 5.0, id="first-when-the-delay-is-over"),
        pytest.param(
            [LIVENESS],
            LIVENESS,
            {LIVENESS: ProbeState(probed_at=START + timedelta(seconds=5))},
            15.0,
            id="then-every-period",
        ),
        pytest.param([STARTUP, LIVENESS], LIVENESS, {}, None, id="liveness-waits-for-startup"),
        pytest.param([STARTUP, READINESS], READINESS, {}, None, id="readiness-waits-for-startup"),
        pytest.param([STARTUP, LIVENESS], STARTUP, {}, 5.0, id="startup-comes-first"),
        pytest.param(
            [STARTUP, LIVENESS], LIVENESS, {STARTUP: PASSED}, 5.0, id="liveness-once-started"
        ),
        pytest.param([STARTUP], STARTUP, {STARTUP: PASSED}, None, id="startup-only-once"),
        pytest.param([STARTUP], STARTUP, {STARTUP: FAILED}, None, id="failed-startup-is-on-hold"),
        pytest.param([LIVENESS], LIVENESS, {LIVENESS: FAILED}, None, id="failed-liveness-too"),
        pytest.param([READINESS], READINESS, {READINESS: FAILED}, 5.0, id="readiness-never"),
    ],
)
def test_when_a_probe_is_due(
    kinds: list[ProbeKind], kind: ProbeKind, states: dict[ProbeKind, ProbeState], at: float | None
):
    run = ProbedRun(container(*kinds, probe=a_probe(delay=5)), START)
    assert seconds(due(run, kind, states)) == at


def early_times(probe: Probe) -> list[float]:
    """When a probe is made that does not succeed, up to and including the first that counts."""
    run = ProbedRun(container(READINESS, probe=probe), START)
    state, times = ProbeState(), []
    while True:
        when = due(run, READINESS, {READINESS: state})
        assert when is not None
        times.append(round((when - START).total_seconds(), 3))
        state = probed(state, when, when, 10.0)
        if not too_early(run, state, Result.FAILURE, when):
            return times
        state = tried_early(state)


def test_failures_of_the_first_second_do_not_count_and_are_tried_again_soon():
    assert early_times(a_probe()) == [0.0, 0.05, 0.15, 0.35, 0.75, 1.0]


def test_commands_are_tried_again_less_often():
    probe = a_probe()
    probe.exec = ExecAction(command=["false"])
    assert early_times(probe) == [0.0, 0.25, 0.75, 1.0]


def test_with_an_initial_delay_the_first_failure_counts():
    assert early_times(a_probe(delay=1)) == [1.0]


def test_a_success_counts_at_any_time_and_what_follows_it_too():
    run = ProbedRun(container(READINESS), START)
    assert not too_early(run, ProbeState(), Result.SUCCESS, START)
    assert not too_early(run, ProbeState(last=True, streak=1), Result.FAILURE, START)


def test_missed_periods_are_left_out_and_the_rhythm_stays():
    late = START + timedelta(seconds=37)
    state = probed(ProbeState(), START, late, 10.0)
    assert seconds(state.probed_at) == 30.0


def test_a_clock_that_was_set_back_moves_nothing():
    state = probed(ProbeState(), START, START - timedelta(hours=1), 10.0)
    assert state.probed_at == START


def test_a_new_kubelet_takes_over_what_was_published_and_the_rhythm():
    run = ProbedRun(container(READINESS, LIVENESS), START)
    states = adopted(run, started=True, ready=True, now=START + timedelta(seconds=25))
    assert run_health(run.container, states) == RunHealth(True, True, None)
    assert seconds(due(run, READINESS, states)) == 30.0
    assert seconds(due(run, LIVENESS, states)) == 30.0


def test_a_container_that_was_not_ready_is_not_for_a_new_kubelet_either():
    run = ProbedRun(container(STARTUP, READINESS), START)
    states = adopted(run, started=False, ready=False, now=START + timedelta(seconds=25))
    assert run_health(run.container, states) == RunHealth(False, False, None)


def test_a_probe_may_have_a_grace_period_of_its_own():
    probe = a_probe()
    assert kill_grace(container(LIVENESS, probe=probe), LIVENESS, 30.0) == 30.0
    probe.termination_grace_period_seconds = 2
    assert kill_grace(container(LIVENESS, probe=probe), LIVENESS, 30.0) == 2.0
    probe.termination_grace_period_seconds = 2**63 - 1
    assert kill_grace(container(LIVENESS, probe=probe), LIVENESS, 30.0) == LONGEST_GRACE


def annotated(text: str) -> Pod:
    return Pod(metadata=ObjectMeta(annotations={PERIODS_ANNOTATION: text}))


def test_periods_by_annotation():
    pod = annotated("web.readiness=250ms, web.liveness=2s,other.startup=1.5s")
    assert probe_periods(pod, "web") == {READINESS: 0.25, LIVENESS: 2.0}
    assert probe_periods(pod, "other") == {STARTUP: 1.5}
    run = ProbedRun(container(READINESS), START, probe_periods(pod, "web"))
    assert period(run, READINESS, a_probe()) == 0.25


COMMAND = Probe(exec=ExecAction(command=["true"]))
WELL = ProbeState(passes=True, last=True)


@pytest.mark.parametrize(
    ("state", "probe", "seconds", "late"),
    [
        pytest.param(WELL, Probe(), 1.0, 0.05, id="a-twentieth-of-the-period"),
        pytest.param(WELL, Probe(), 60.0, 0.25, id="a-quarter-of-a-second-at-most"),
        pytest.param(WELL, COMMAND, 1.0, 0.0, id="commands-are-not-run-all-at-once"),
        pytest.param(None, Probe(), 1.0, 0.0, id="the-first-is-made-in-time"),
        pytest.param(ProbeState(last=True), Probe(), 1.0, 0.0, id="so-is-what-makes-ready"),
        pytest.param(ProbeState(True, False), Probe(), 1.0, 0.0, id="so-is-what-makes-unready"),
        pytest.param(ProbeState(False, False), Probe(), 1.0, 0.0, id="so-is-what-heals"),
    ],
)
def test_who_is_well_may_be_asked_later(
    state: ProbeState | None, probe: Probe, seconds: float, late: float
):
    assert slack(state, probe, seconds) == late


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("web=1s", id="no-probe"),
        pytest.param("web.health=1s", id="no-such-probe"),
        pytest.param("web.readiness=1", id="no-unit"),
        pytest.param("web.readiness=1h", id="unknown-unit"),
        pytest.param("web.readiness=soon", id="no-number"),
        pytest.param("web.readiness=1ms", id="too-short"),
        pytest.param("web.readiness=nans", id="not-a-number"),
    ],
)
def test_periods_that_are_none(text: str):
    with pytest.raises(ValueError, match="is not"):
        probe_periods(annotated(text), "web")


SOME_RESULTS = st.text(alphabet="+-?!", max_size=40)
THRESHOLDS = st.integers(1, 5)


@given(SOME_RESULTS, THRESHOLDS, THRESHOLDS)
def test_readiness_is_what_the_last_long_enough_row_says(results: str, success: int, failure: int):
    """Against a dumb twin, which looks for rows in the whole history."""
    seen = results.replace("?", "").replace("!", "+")
    expected, row = None, ""
    for letter in seen:
        row = row + letter if row.endswith(letter) else letter
        if len(row) >= (success if letter == "+" else failure):
            expected = letter == "+"
    assert played(READINESS, a_probe(success, failure), results).passes is expected


@given(SOME_RESULTS, SOME_RESULTS, THRESHOLDS)
def test_a_run_that_failed_is_never_saved(before: str, later: str, failure: int):
    for kind in (LIVENESS, STARTUP):
        probe = a_probe(failure=failure)
        if played(kind, probe, before).passes is False:
            assert played(kind, probe, before + later).passes is False


@given(
    st.floats(0, 1e6, allow_nan=False),
    st.floats(0.05, 3600, allow_nan=False),
)
def test_the_next_probe_is_in_the_future_and_less_than_a_period_away(late: float, every: float):
    now = START + timedelta(seconds=late)
    state = probed(ProbeState(), START, now, every)
    assert state.probed_at is not None
    until = (state.probed_at - now).total_seconds() + every
    assert -1e-3 <= until <= every + 1e-3

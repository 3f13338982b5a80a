"""What probes decide: when a container has started, is ready, or is to be killed.

Pure: results and times go in, the next state of one probe of one run of a container comes out. The
rules are those of ``pkg/kubelet/prober/worker.go``, but for the times: the first probe is made as
soon as initialDelaySeconds are over, not within a period of that, and the periods are counted from
there. A program that has only just begun may need a moment before it listens: what fails within a
run's first second is made again shortly, and counts for nothing.

https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from podium.api.types.core_v1 import Container, Pod, Probe
from podium.domain.pods.termination import bounded_grace

#: Periods of single probes, also below a second: ``web.readiness=250ms,web.liveness=2s``.
PERIODS_ANNOTATION = "podium.io/probe-periods"
SHORTEST_PERIOD = 0.05
#: Seconds from a run's start in which failures do not count.
SETTLING = 1.0
_FIRST_RETRY, _FIRST_EXEC_RETRY = 0.05, 0.25
_SLACK, _MOST_SLACK = 0.05, 0.25
_UNITS = {"ms": 0.001, "s": 1.0}


class ProbeKind(StrEnum):
    """The values are the words that events begin with."""

    STARTUP = "Startup"
    READINESS = "Readiness"
    LIVENESS = "Liveness"


class Result(StrEnum):
    """What one probe found; ``UNKNOWN``, a probe that could not be made, counts for nothing."""

    SUCCESS = "Success"
    WARNING = "Warning"
    FAILURE = "Failure"
    UNKNOWN = "Unknown"


class Outcome(msgspec.Struct, frozen=True):
    """A result, and what the event says about it."""

    result: Result
    text: str = ""


class ProbeState(msgspec.Struct, frozen=True):
    """What is known from one probe of one run of a container.

    ``passes`` is None until a threshold is reached; ``streak`` counts the latest results, all of
    the same kind; ``probed_at`` is when the latest probe was due; ``early`` counts failures while
    the run was settling.
    """

    passes: bool | None = None
    last: bool | None = None
    streak: int = 0
    probed_at: datetime | None = None
    early: int = 0


_UNKNOWN = ProbeState()


class RunHealth(msgspec.Struct, frozen=True):
    """What the probes of a run add up to; ``failed`` is the kind that wants it killed."""

    started: bool = True
    ready: bool = True
    failed: ProbeKind | None = None


States = Mapping[ProbeKind, ProbeState]
#: Nothing is known of any run.
NO_HEALTH: Mapping[str, RunHealth] = MappingProxyType({})


class ProbedRun(msgspec.Struct, frozen=True):
    """One run of a container in its prime: ``started_at`` is when it began to run."""

    container: Container
    started_at: datetime
    periods: Mapping[ProbeKind, float] = msgspec.field(default_factory=dict)


def probes_of(container: Container) -> Iterator[tuple[ProbeKind, Probe]]:
    for kind in ProbeKind:
        probe = _probe(container, kind)
        if probe is not None:
            yield kind, probe


def _probe(container: Container, kind: ProbeKind) -> Probe | None:
    if kind is ProbeKind.STARTUP:
        return container.startup_probe
    return container.readiness_probe if kind is ProbeKind.READINESS else container.liveness_probe


def run_health(container: Container, states: States) -> RunHealth:
    """Return what holds for a running container; *states* without a probe's kind: none made yet."""
    begun, ready, alive = (states.get(kind, _UNKNOWN).passes for kind in ProbeKind)
    started = container.startup_probe is None or bool(begun)
    failed = None
    if alive is False:
        failed = ProbeKind.LIVENESS
    elif begun is False:
        failed = ProbeKind.STARTUP
    return RunHealth(
        started, started and (container.readiness_probe is None or bool(ready)), failed
    )


def after(state: ProbeState, kind: ProbeKind, probe: Probe, result: Result) -> ProbeState:
    """Return the state that follows one more *result*."""
    state = replace(state, early=0)
    if result is Result.UNKNOWN:
        return state
    success = result is not Result.FAILURE
    streak = state.streak + 1 if state.last is success else 1
    enough = probe.success_threshold if success else probe.failure_threshold
    if streak < enough:
        return replace(state, last=success, streak=streak)
    if kind is ProbeKind.READINESS or state.passes is not False:
        return replace(state, last=success, streak=streak, passes=success)
    return state  # failed for good: this run is on its way out


def due(run: ProbedRun, kind: ProbeKind, states: States) -> datetime | None:
    """When the probe *kind* is to be made next; None while there is nothing to find out.

    A startup probe is over once it has succeeded, the others wait for it; a liveness or startup
    probe that has failed is not made again in the same run.
    """
    probe = _probe(run.container, kind)
    assert probe is not None
    state = states.get(kind, _UNKNOWN)
    if kind is not ProbeKind.READINESS and state.passes is False:
        return None
    started = run_health(run.container, states).started
    if started is (kind is ProbeKind.STARTUP):
        return None
    first = run.started_at + timedelta(seconds=probe.initial_delay_seconds)
    if state.probed_at is None:
        return first
    if state.early:
        step = _FIRST_RETRY if probe.exec is None else _FIRST_EXEC_RETRY
        again = state.probed_at + timedelta(seconds=step * 2.0 ** (state.early - 1))
        return min(again, run.started_at + timedelta(seconds=SETTLING))
    return max(state.probed_at + timedelta(seconds=period(run, kind, probe)), first)


def too_early(run: ProbedRun, state: ProbeState, result: Result, began: datetime) -> bool:
    """Whether a probe that *began* then only found that the run is still settling."""
    if result in (Result.SUCCESS, Result.WARNING) or state.last is not None:
        return False
    return began < run.started_at + timedelta(seconds=SETTLING)


def tried_early(state: ProbeState) -> ProbeState:
    """The state after a probe that was made too early."""
    return replace(state, early=state.early + 1)


def probed(state: ProbeState, was_due: datetime, now: datetime, seconds: float) -> ProbeState:
    """Note that a probe begins *now*. Periods that were missed meanwhile are left out, not made
    up for: the next one keeps the rhythm of the first."""
    missed = max(int((now - was_due).total_seconds() // seconds), 0)
    return replace(state, probed_at=was_due + timedelta(seconds=missed * seconds))


def period(run: ProbedRun, kind: ProbeKind, probe: Probe) -> float:
    """Seconds between two probes."""
    return run.periods.get(kind, float(max(probe.period_seconds, 1)))


def slack(state: ProbeState | None, probe: Probe, seconds: float) -> float:
    """By how many seconds a probe with that period may be late, so that a node's are made together.

    None where something may change with it: only who is well is asked a little later. Commands
    cost too much to be run all at once.
    """
    if state is None or not (state.passes and state.last) or probe.exec is not None:
        return 0.0
    return min(seconds * _SLACK, _MOST_SLACK)


def kill_grace(container: Container, kind: ProbeKind, otherwise: float) -> float:
    """Seconds that a run gets which the probe *kind* wants killed."""
    seconds = dict(probes_of(container))[kind].termination_grace_period_seconds
    return otherwise if seconds is None else bounded_grace(seconds)


def adopted(
    run: ProbedRun, *, started: bool, ready: bool, now: datetime
) -> dict[ProbeKind, ProbeState]:
    """What a new kubelet takes over of a run whose status the last one published.

    The probes keep their rhythm: they are not all made at once.
    """
    passed = {ProbeKind.STARTUP: started, ProbeKind.READINESS: ready, ProbeKind.LIVENESS: False}
    states: dict[ProbeKind, ProbeState] = {}
    for kind, probe in probes_of(run.container):
        state = ProbeState(passes=True if passed[kind] else None)
        first = run.started_at + timedelta(seconds=probe.initial_delay_seconds)
        if first < now:
            state = probed(state, first, now, period(run, kind, probe))
        states[kind] = state
    return states


def probe_periods(pod: Pod, container: str) -> dict[ProbeKind, float]:
    """The periods that the Pod's annotation gives for a container's probes, in seconds.

    Raises ValueError, which says what is wrong.
    """
    found = {}
    for entry in pod.metadata.annotations.get(PERIODS_ANNOTATION, "").split(","):
        if not entry.strip():
            continue
        name, kind, seconds = _period_entry(entry.strip())
        if name == container:
            found[kind] = seconds
    return found


def _period_entry(entry: str) -> tuple[str, ProbeKind, float]:
    target, equals, duration = entry.partition("=")
    name, dot, word = target.rpartition(".")
    kinds = {kind.value.lower(): kind for kind in ProbeKind}
    if not (equals and dot and word in kinds):
        raise ValueError(f"{entry!r} is not CONTAINER.PROBE=PERIOD")
    number = duration.rstrip("ms")
    try:
        seconds = float(number) * _UNITS[duration[len(number) :]]
    except (ValueError, KeyError):
        raise ValueError(f"{duration!r} is not a period such as 250ms or 2s") from None
    if not SHORTEST_PERIOD <= seconds < 86400:
        raise ValueError(f"{duration!r} is not between 50ms and a day")
    return name, kinds[word], seconds

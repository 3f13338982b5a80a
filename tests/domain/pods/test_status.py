from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from msgspec.structs import replace

from podium.api.types.core_v1 import PodCondition, PodStatus
from podium.domain.pods.container_status import Waiting
from podium.domain.pods.observed import RunState
from podium.domain.pods.status import (
    StatusInput,
    Verdict,
    contradicted,
    pod_status,
    rejected_status,
)
from support.pods import NOW, make_pod, observed, run, sandbox


def status_of(pod, *there, previous=None, waiting=None, verdict=None, ended=False, now=NOW):
    given = StatusInput(
        pod=pod,
        observed=observed(*there),
        previous=previous or PodStatus(),
        host_ip="192.0.2.10",
        waiting=waiting or {},
        verdict=verdict,
        ended=ended,
    )
    return pod_status(given, now)


def conditions(status):
    return {
        c.type: " ".join(filter(None, (c.status, c.reason, c.message))) for c in status.conditions
    }


BACK_OFF = {"a": Waiting("CrashLoopBackOff", "back-off 10s")}


@pytest.mark.parametrize(
    ("policy", "codes", "phase"),
    [
        pytest.param("Always", [None, None], "Running", id="all-run"),
        pytest.param("Always", [0, None], "Running", id="one-runs"),
        pytest.param("Always", [0, 0], "Running", id="always-is-never-over"),
        pytest.param("OnFailure", [0, 0], "Succeeded", id="nothing-left-to-retry"),
        pytest.param("OnFailure", [0, 1], "Running", id="will-be-retried"),
        pytest.param("Never", [0, 0], "Succeeded", id="all-succeeded"),
        pytest.param("Never", [0, 1], "Failed", id="one-failure-is-enough"),
        pytest.param("Never", [1, None], "Running", id="failure-waits-for-the-others"),
        pytest.param("Never", ["missing", None], "Pending", id="one-still-to-start"),
    ],
)
def test_phase(policy, codes, phase):
    pod = make_pod("a", "b", restartPolicy=policy)
    there = [run(pod, n, c) for n, c in zip("ab", codes, strict=True) if c != "missing"]
    assert status_of(pod, sandbox(), *there).phase == phase


def test_a_pod_that_may_restart_is_never_declared_over_by_itself():
    pod = make_pod("a", "b", "c")
    for codes in product((None, 0, 1, "missing"), repeat=3):
        there = [run(pod, n, c) for n, c in zip("abc", codes, strict=True) if c != "missing"]
        assert status_of(pod, sandbox(), *there).phase in ("Pending", "Running")


def test_a_new_pod_waits_for_its_containers():
    status = status_of(make_pod("a", "b"))
    assert status.phase == "Pending"
    assert [s.state.waiting.reason for s in status.container_statuses] == ["ContainerCreating"] * 2
    unready = "False ContainersNotReady containers with unready status: [a b]"
    assert conditions(status) == {
        "PodReadyToStartContainers": "False",
        "Initialized": "True",
        "Ready": unready,
        "ContainersReady": unready,
        "PodScheduled": "True",
    }


def test_a_running_pod():
    pod = make_pod({"name": "a", "image": "kuard:1", "resources": {"requests": {"cpu": "100m"}}})

    status = status_of(pod, sandbox(), run(pod, "a"))

    assert (status.phase, status.pod_ip, status.host_ip) == ("Running", "10.42.0.2", "192.0.2.10")
    assert (status.qos_class, status.observed_generation) == ("Burstable", 1)
    [container] = status.container_statuses
    assert container.state.running.started_at == NOW - timedelta(seconds=1)
    assert (container.ready, container.started, container.restart_count) == (True, True, 0)
    assert container.container_id == "podium://a0"
    assert container.image == "docker.io/library/kuard:1"
    assert container.allocated_resources == {"cpu": "100m"}
    assert conditions(status)["Ready"] == "True"
    assert conditions(status)["PodReadyToStartContainers"] == "True"


def test_back_off_shows_the_last_end_and_keeps_the_phase():
    pod = make_pod("a")
    there = [sandbox(), run(pod, "a", 1, attempt=1, ended=1), run(pod, "a", 1, ended=5)]

    status = status_of(pod, *there, waiting=BACK_OFF)

    assert status.phase == "Running"
    [container] = status.container_statuses
    assert container.state.waiting.reason == "CrashLoopBackOff"
    assert container.last_state.terminated.exit_code == 1
    assert container.last_state.terminated.container_id == "podium://a1"
    assert (container.ready, container.started, container.restart_count) == (False, False, 1)


def test_back_off_is_not_told_of_a_pod_that_is_deleted():
    pod = make_pod("a", deleted=30)
    status = status_of(pod, sandbox(), run(pod, "a", 1), waiting=BACK_OFF)
    assert status.container_statuses[0].state.terminated.exit_code == 1


def test_a_restarted_container_shows_how_the_run_before_ended():
    pod = make_pod("a")
    status = status_of(pod, sandbox(), run(pod, "a", attempt=1), run(pod, "a", 3, ended=9))
    [container] = status.container_statuses
    assert container.restart_count == 1
    assert container.last_state.terminated.exit_code == 3


@pytest.mark.parametrize(
    ("code", "phase", "reason"), [(0, "Succeeded", "PodCompleted"), (1, "Failed", "PodFailed")]
)
def test_a_pod_that_is_over(code, phase, reason):
    pod = make_pod("a", restartPolicy="Never")
    running = status_of(pod, sandbox(), run(pod, "a"))

    status = status_of(pod, sandbox(ready=False), run(pod, "a", code), previous=running)

    assert status.phase == phase
    assert conditions(status)["Ready"] == f"False {reason}"
    assert conditions(status)["ContainersReady"] == f"False {reason}"
    assert status.pod_ip == running.pod_ip, "the address stays on record"


def test_a_final_phase_is_final():
    pod = make_pod("a")
    pod.status.phase = "Failed"
    assert status_of(pod, sandbox(), run(pod, "a"), previous=pod.status).phase == "Failed"


def test_transition_times_change_only_with_the_status_of_a_condition():
    pod = make_pod("a")
    before = status_of(pod, sandbox())
    later = NOW + timedelta(minutes=5)

    after = status_of(pod, sandbox(), run(pod, "a"), previous=before, now=later)

    moved = {c.type for c in after.conditions if c.last_transition_time == later}
    assert moved == {"Ready", "ContainersReady"}
    assert after.start_time == before.start_time


def test_conditions_of_others_are_kept_and_readiness_gates_decide():
    pod = make_pod("a", readinessGates=[{"conditionType": "example.com/lb"}])
    missing = status_of(pod, sandbox(), run(pod, "a"))
    assert conditions(missing)["Ready"] == (
        "False ReadinessGatesNotReady corresponding condition of pod readiness gate "
        '"example.com/lb" does not exist.'
    )
    condition = missing.conditions[0].__class__(type="example.com/lb", status="True")
    pod.status.conditions = [condition]
    present = status_of(pod, sandbox(), run(pod, "a"))
    assert conditions(present)["Ready"] == "True"
    assert conditions(present)["example.com/lb"] == "True"


def test_a_verdict_fails_the_pod_with_its_reason_once_nothing_runs():
    pod = make_pod("a")
    verdict = Verdict("DeadlineExceeded", "too long")
    status = status_of(pod, sandbox(), run(pod, "a"), verdict=verdict)
    assert (status.phase, status.reason, status.message) == ("Pending", "", "")
    ready = {c.type: c for c in status.conditions}["Ready"]
    assert (ready.status, ready.reason) == ("False", "PodFailed")
    status = status_of(pod, sandbox(), run(pod, "a", 0), verdict=verdict)
    assert (status.phase, status.reason, status.message) == (
        "Failed", "DeadlineExceeded", "too long",
    )  # fmt: skip
    again = status_of(pod, sandbox(ready=False), run(pod, "a", 137), previous=status)
    assert (again.phase, again.reason) == ("Failed", "DeadlineExceeded")


def test_a_pod_that_the_node_ends_for_its_own_sake_says_so():
    pod = make_pod("a")
    verdict = Verdict("Terminated", "bye", disruption="bye")
    running = status_of(pod, sandbox(), run(pod, "a"), verdict=verdict)
    assert "DisruptionTarget" not in {c.type for c in running.conditions}
    status = status_of(pod, sandbox(), run(pod, "a", 0), verdict=verdict)
    told = {c.type: c for c in status.conditions}["DisruptionTarget"]
    assert (told.status, told.reason, told.message) == ("True", "TerminationByKubelet", "bye")


def test_a_container_that_the_runtime_has_lost_counts_as_ended():
    pod = make_pod("a")
    running = status_of(pod, sandbox(), run(pod, "a"))
    status = status_of(pod, previous=running)
    [container] = status.container_statuses
    assert container.last_state.terminated.reason == "ContainerStatusUnknown"
    assert container.last_state.terminated.exit_code == 137
    assert container.restart_count == 1
    assert status.phase == "Running"


def test_a_run_of_unknown_state_that_was_running_is_told_as_lost():
    pod = make_pod("a", restartPolicy="Never")
    running = status_of(pod, sandbox(), run(pod, "a"))
    lost = status_of(pod, sandbox(), run(pod, "a", state=RunState.UNKNOWN), previous=running)
    assert lost.container_statuses[0].state.terminated.reason == "ContainerStatusUnknown"


LOST = (
    "ContainerStatusUnknown",
    137,
    "The container could not be located when the pod was terminated",
)
DEADLINE = Verdict("DeadlineExceeded", "too long")


def test_what_an_ended_pod_never_started_counts_as_lost():
    pod = make_pod("a", "b", restartPolicy="Never")
    there = [sandbox(), run(pod, "b", 0)]
    pulling = {"a": Waiting("ImagePullBackOff", "Back-off pulling image")}

    status = status_of(pod, *there, waiting=pulling, verdict=DEADLINE, ended=True)

    assert [terminated(each) for each in status.container_statuses] == [
        LOST,
        ("Completed", 0, ""),
    ]
    for waiting in ({}, pulling):
        again = status_of(
            pod, *there, previous=status, waiting=waiting, verdict=DEADLINE, ended=True
        )
        assert again.container_statuses == status.container_statuses


def test_a_pod_that_is_ended_in_back_off_tells_how_the_run_before_ended():
    pod = make_pod("a")
    there = [sandbox(), run(pod, "a", 3, attempt=1)]

    [container] = status_of(
        pod, *there, waiting=BACK_OFF, verdict=DEADLINE, ended=True
    ).container_statuses

    assert terminated(container) == LOST
    assert (container.last_state.terminated.exit_code, container.restart_count) == (3, 1)


@pytest.mark.parametrize(
    ("there", "waiting", "ended"),
    [
        pytest.param([], {}, ["lost", "waits", "waits"], id="nothing-began"),
        pytest.param([("i", 1)], {}, [1, "waits", "waits"], id="the-first-failed"),
        pytest.param([("i", 0)], {}, [0, "waits", "waits"], id="the-second-never-began"),
        pytest.param([("i", 0), ("j", 0)], {}, [0, 0, "lost"], id="initialized"),
        pytest.param(
            [("i", 0), ("j", 2)], {"j": Waiting("CrashLoopBackOff")}, [0, "lost", "waits"],
            id="the-second-in-back-off",
        ),
    ],
)  # fmt: skip
def test_what_an_ended_pod_tells_of_its_initialization(there, waiting, ended):
    pod = make_pod("c", initContainers=[{"name": "i"}, {"name": "j"}])
    runs = [run(pod, name, code) for name, code in there]

    status = status_of(pod, sandbox(), *runs, waiting=waiting, verdict=DEADLINE, ended=True)

    def told(state):
        if state.terminated is None:
            return "waits"
        return "lost" if state.terminated.reason == LOST[0] else state.terminated.exit_code

    all_statuses = (*status.init_container_statuses, *status.container_statuses)
    assert [told(each.state) for each in all_statuses] == ended


@pytest.mark.parametrize(("code", "told"), [(0, "lost"), (137, "lost"), (None, "waits")])
def test_a_sidecar_that_comes_last_has_initialized_the_pod_once_it_ran(code, told):
    sidecar = {"name": "s", "restartPolicy": "Always"}
    pod = make_pod("c", initContainers=[{"name": "i"}, sidecar])
    runs = [run(pod, "i", 0)] + ([run(pod, "s", code)] if code is not None else [])

    status = status_of(pod, sandbox(), *runs, verdict=DEADLINE, ended=True)

    [regular] = status.container_statuses
    assert ("lost" if regular.state.terminated else "waits") == told


def test_a_sidecar_in_back_off_that_ended_well_is_told_as_ended():
    """Upstream takes it for an init container that is done."""
    pod = make_pod("c", initContainers=[{"name": "s", "restartPolicy": "Always"}])
    back_off = {"s": Waiting("CrashLoopBackOff", "back-off 10s")}
    for code, told in ((0, None), (1, "CrashLoopBackOff")):
        there = [sandbox(), run(pod, "c"), run(pod, "s", code, attempt=1)]
        [status] = status_of(pod, *there, waiting=back_off).init_container_statuses
        assert (status.state.waiting and status.state.waiting.reason) == told


@pytest.mark.parametrize(("policy", "told"), [("Never", 128), ("Always", "RunContainerError")])
def test_an_init_container_waits_only_where_it_starts_again(policy, told):
    pod = make_pod("c", restartPolicy=policy, initContainers=[{"name": "i"}])
    failed = {"i": Waiting("RunContainerError", "not found")}
    [state] = [
        each.state
        for each in status_of(
            pod, sandbox(), run(pod, "i", 128), waiting=failed
        ).init_container_statuses
    ]
    assert (state.waiting.reason if state.waiting else state.terminated.exit_code) == told


def test_a_deleted_pod_that_a_finalizer_keeps_is_over_though_nothing_ran():
    pod = make_pod("a", deleted=30)
    status = status_of(pod, ended=True)
    assert status.phase == "Failed"
    assert terminated(status.container_statuses[0]) == LOST


def terminated(status):
    ended = status.state.terminated
    return ended.reason, ended.exit_code, ended.message


def test_a_rejected_pod_has_failed_and_nothing_else_is_claimed():
    pod = make_pod("a")
    pod.status.conditions = [
        PodCondition(type="PodScheduled", status="True"),
        PodCondition(type="example.com/lb", status="True"),
    ]
    status = rejected_status(pod, Verdict("OutOfcpu", "Node didn't have enough resource"), NOW)
    assert (status.phase, status.reason) == ("Failed", "OutOfcpu")
    assert status.message == "Pod Node didn't have enough resource"
    assert status.container_statuses == []
    assert [condition.type for condition in status.conditions] == ["example.com/lb"]


def test_a_container_that_could_not_be_started_began_at_the_epoch():
    pod = make_pod("a", restartPolicy="Never")
    never = replace(run(pod, "a", 128), started_at=None, reason="StartError")
    (container,) = status_of(pod, sandbox(), never).container_statuses
    assert container.state.terminated.started_at == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("containers", "length"), [(1, 4096), (3, 4096), (4, 3072), (16, 768)])
def test_the_termination_messages_of_a_pod_are_not_longer_than_twelve_kibibytes(containers, length):
    names = [f"c{number}" for number in range(containers)]
    pod = make_pod(*names, restartPolicy="Never")
    runs = [run(pod, name, 1, message="ä" * 2048) for name in names]
    status = status_of(pod, sandbox(), *runs)
    found = {len(c.state.terminated.message.encode()) for c in status.container_statuses}
    assert found == {length}


@pytest.mark.parametrize(
    ("theirs", "denied"),
    [
        pytest.param({}, False, id="the-same"),
        pytest.param({"Ready": "False"}, True, id="declared-unready"),
        pytest.param({"example.com/gate": "False"}, False, id="what-is-others"),
        pytest.param({"phase": "Failed", "Ready": "False"}, False, id="over"),
        pytest.param({"phase": "Pending"}, True, id="another-phase"),
    ],
)
def test_what_others_write_may_deny_what_the_node_said(theirs, denied):
    pod = make_pod("a")
    ours = status_of(pod, sandbox(), run(pod, "a"))
    changed = copy.deepcopy(ours)
    changed.phase = theirs.pop("phase", ours.phase)
    for condition in changed.conditions:
        condition.status = theirs.pop(condition.type, condition.status)
    changed.conditions += [PodCondition(type=name, status=text) for name, text in theirs.items()]
    assert contradicted(ours, changed) is denied

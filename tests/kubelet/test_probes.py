"""Probes and lifecycle hooks in the lives of Pods, on virtual time."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from podium.api import scheme
from podium.runtime.memory_script import Command
from support.tcp import tcp_server

EXEC = {"exec": {"command": ["check"]}}


class Patient:
    """What the command ``check`` finds in any container; *seconds* is how long it takes."""

    def __init__(self, node) -> None:
        self.healthy, self.seconds, self.times = True, 0.0, []
        self._clock, self._start = node.clock, node.clock.monotonic()
        node.runtime.commands = self._run

    def _run(self, _config, words) -> Command:
        if words != ["check"] and tuple(words) != ("check",):
            return Command(missing=True)
        self.times.append(self._clock.monotonic() - self._start)
        said = "" if self.healthy else "sick\n"
        return Command(self.seconds, 0 if self.healthy else 1, said)


@pytest.fixture
def patient(node) -> Patient:
    return Patient(node)


def container_status(node):
    statuses = node.pod().status.container_statuses
    return statuses[0] if statuses else None


def is_ready(node) -> bool:
    return {c.type: c.status for c in node.pod().status.conditions}.get("Ready") == "True"


def count(node, text: str) -> int:
    """How often an event was told."""
    return sum(e.count for e in node.events.list() if f"{e.reason}: {e.message}" == text)


async def test_a_container_is_killed_after_failure_threshold_and_another_run_follows(node, patient):
    probe = {**EXEC, "periodSeconds": 2, "failureThreshold": 3}
    await node.create({"args": ["trap", "0"], "livenessProbe": probe})
    await node.running()
    await node.pass_time(3)
    patient.healthy = False
    patient.times.clear()

    await node.until(lambda: "running r1" in node.states["p/c"], step=0.5)

    assert node.states["p/c"] == ["running r0", "running r1"]
    assert patient.times[:3] == [4.0, 6.0, 8.0]
    killing = "Killing: Container c failed liveness probe, will be restarted"
    await node.until(lambda: killing in node.messages())
    assert count(node, "Unhealthy: Liveness probe failed: sick\n") >= 3
    assert count(node, killing) == 1
    assert container_status(node).last_state.terminated.exit_code == 0


async def test_readiness_that_fails_leaves_the_container_running_and_not_ready(node, patient):
    probe = {**EXEC, "periodSeconds": 1, "failureThreshold": 2}
    await node.create({"readinessProbe": probe})
    await node.running()
    await node.until(lambda: is_ready(node), step=0.1)
    patient.healthy = False

    await node.until(lambda: not is_ready(node), step=0.5)

    conditions = {c.type: c for c in node.pod().status.conditions}
    for kind in ("Ready", "ContainersReady"):
        assert conditions[kind].reason == "ContainersNotReady"
        assert conditions[kind].message == "containers with unready status: [c]"
    assert (container_status(node).ready, container_status(node).started) == (False, True)
    patient.healthy = True
    await node.until(lambda: is_ready(node), step=0.5)
    assert node.states["p/c"] == ["running r0"]


async def test_the_first_probe_comes_when_the_initial_delay_is_over(node, patient):
    probe = {**EXEC, "periodSeconds": 60, "initialDelaySeconds": 7}
    await node.create({"readinessProbe": probe})
    await node.running()

    await node.until(lambda: is_ready(node), step=1.0)

    assert patient.times == [7.0]


async def test_liveness_and_readiness_wait_for_startup(node, patient):
    patient.healthy = False
    startup = {**EXEC, "periodSeconds": 10, "failureThreshold": 30}
    other = {"exec": {"command": ["nosuchcommand"]}, "periodSeconds": 1}
    container = {"startupProbe": startup, "livenessProbe": other, "readinessProbe": other}
    await node.create(container)
    await node.running()
    await node.pass_time(30)
    assert (container_status(node).ready, container_status(node).started) == (False, False)
    assert {words for _, words in node.runtime.executed} == {("check",)}

    patient.healthy = True
    await node.until(lambda: container_status(node).started, step=1.0)

    await node.until(lambda: ("c", ("nosuchcommand",)) in node.runtime.executed, step=0.5)
    assert not container_status(node).ready


async def test_a_startup_probe_that_never_succeeds_kills(node, patient):
    patient.healthy = False
    probe = {**EXEC, "periodSeconds": 1, "failureThreshold": 3, "terminationGracePeriodSeconds": 2}
    await node.create({"startupProbe": probe}, terminationGracePeriodSeconds=600)
    await node.running()

    await node.until(lambda: "running r1" in node.states["p/c"], step=0.5)

    text = "Killing: Container c failed startup probe, will be restarted"
    await node.until(lambda: text in node.messages())
    # Threshold reached in the third second, and the probe's own grace period after that.
    assert patient.times[-1] < 8


async def test_with_restart_policy_never_the_pod_ends(node, patient):
    patient.healthy = False
    probe = {**EXEC, "periodSeconds": 1, "failureThreshold": 1}
    await node.create({"livenessProbe": probe}, restartPolicy="Never")

    pod = await node.phase("Failed")

    assert pod.status.container_statuses[0].state.terminated.exit_code == 137
    await node.until(lambda: "Killing: Stopping container c" in node.messages())


async def test_a_probe_that_cannot_be_made_counts_for_nothing(node):
    probe = {"exec": {"command": ["nosuchcommand"]}, "periodSeconds": 1, "failureThreshold": 1}
    await node.create({"livenessProbe": probe})
    await node.running()

    await node.pass_time(10)

    assert node.states["p/c"] == ["running r0"]
    text = "Unhealthy: Liveness probe errored: rpc error: code = Unknown desc = failed to exec"
    await node.until(lambda: any(m.startswith(text) for m in node.messages()))


async def test_a_slow_probe_delays_no_other_and_fails_at_its_timeout(node, patient):
    patient.seconds = 100.0
    slow = {**EXEC, "periodSeconds": 5, "timeoutSeconds": 3, "failureThreshold": 100}
    quick = {"exec": {"command": ["nosuchcommand"]}, "periodSeconds": 1}
    await node.create({"livenessProbe": slow, "readinessProbe": quick})
    await node.running()

    await node.pass_time(10)

    quick_runs = [words for _, words in node.runtime.executed if words == ("nosuchcommand",)]
    assert len(quick_runs) >= 9
    text = 'Unhealthy: Liveness probe failed: command "check" timed out'
    await node.until(lambda: text in node.messages())


async def test_a_period_below_a_second_by_annotation(node, patient):
    await node.create({"readinessProbe": EXEC}, name="p")
    await node.running()
    await node.delete(grace=1)
    await node.gone()
    patient.times.clear()
    annotations = {"podium.io/probe-periods": "c.readiness=250ms"}
    await node.create_annotated(annotations, {"readinessProbe": EXEC})
    await node.running()

    await node.pass_time(1.6)

    assert [round(b - a, 3) for a, b in zip(patient.times, patient.times[1:], strict=False)][
        :5
    ] == [0.25] * 5


async def test_a_kubelet_that_comes_back_keeps_what_was_ready_ready(node, patient):
    await node.create({"readinessProbe": {**EXEC, "periodSeconds": 10}})
    await node.running()
    await node.until(lambda: is_ready(node), step=0.1)
    seen: list[bool] = []
    node.pods.on_change(lambda _old, new: seen.append(is_ready(node)) if new else None)
    await node.stop()

    await node.start()
    await node.pass_time(30)

    assert all(seen)
    assert len(patient.times) >= 3


async def test_the_end_of_a_pod_is_quiet(node, patient):
    """Nobody is told that a container that is being ended does not answer any more."""
    probe = {**EXEC, "periodSeconds": 1, "failureThreshold": 1}
    await node.create({"args": ["trap", "0", "5"], "livenessProbe": probe})
    await node.running()
    await node.pass_time(2)
    patient.healthy = False
    await node.delete(grace=20)
    await node.gone()

    assert not [m for m in node.messages() if m.startswith("Unhealthy")]
    assert not [m for m in node.messages() if "failed liveness probe" in m]


def web_server(answers: list[bytes]) -> contextlib.AbstractAsyncContextManager[int]:
    """A server on loopback that gives *answers* in turn, the last one for ever; its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answers.pop(0) if len(answers) > 1 else answers[0])
        await writer.drain()

    return tcp_server(answer)


async def test_http_liveness(node):
    good = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    bad = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
    async with web_server([good, good, bad]) as port:
        get = {"host": "127.0.0.1", "port": port, "path": "/healthy"}
        probe = {"httpGet": get, "periodSeconds": 1, "failureThreshold": 1, "timeoutSeconds": 60}
        await node.create({"args": ["trap", "0"], "livenessProbe": probe})
        await node.running()

        await node.until(lambda: "running r1" in node.states["p/c"], step=0.5)

    text = "Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 503"
    await node.until(lambda: text in node.messages())
    assert node.states["p/c"][0] == "running r0"


# -- hooks


async def test_a_container_runs_once_its_post_start_hook_is_done(node, patient):
    patient.seconds = 5.0
    await node.create({"lifecycle": {"postStart": EXEC}}, {"name": "second"})
    await node.until(lambda: node.runtime.executed)
    await node.pass_time(4)
    assert node.phase_of() in ("", "Pending")
    assert len(await node.runtime.list_containers()) == 1

    await node.phase("Running", step=0.5)

    await node.until(lambda: "running r0" in node.states.get("p/second", []), step=0.5)
    assert set(node.states["p/c"]) <= {"ContainerCreating r0", "running r0"}


async def test_a_post_start_hook_that_fails_ends_the_container(node, patient):
    patient.healthy = False
    lifecycle = {"postStart": EXEC}
    await node.create({"args": ["trap", "0"], "lifecycle": lifecycle}, restartPolicy="Never")

    pod = await node.phase("Succeeded")

    assert "running r0" not in node.states["p/c"]
    uid = pod.metadata.uid
    text = (
        'FailedPostStartHook: Exec lifecycle hook ([check]) for Container "c" in Pod '
        f"\"p_default({uid})\" failed - error: command 'check' exited with 1: , "
        'message: "sick\\n"'
    )
    await node.until(lambda: "Killing: FailedPostStartHook" in node.messages())
    assert text in node.messages()


async def test_a_container_that_ends_during_its_post_start_hook_has_that_told(node, patient):
    """The hook's command dies with the container, so it has failed."""
    patient.seconds, patient.healthy = 5.0, False
    await node.create({"args": ["sleep", "2", "exit", "0"], "lifecycle": {"postStart": EXEC}},
                      restartPolicy="Never")  # fmt: skip

    await node.phase("Succeeded", step=0.5)

    assert "running r0" not in node.states["p/c"]
    await node.until(lambda: "Killing: FailedPostStartHook" in node.messages())
    assert any(m.startswith("FailedPostStartHook: Exec lifecycle") for m in node.messages())


async def test_a_container_whose_hook_fails_waits_for_that_until_its_next_hook_is_done(
    node, patient
):
    patient.seconds, patient.healthy = 1.0, False
    await node.create({"args": ["trap", "0"], "lifecycle": {"postStart": EXEC}})

    await node.until(lambda: "CrashLoopBackOff r1" in node.states.get("p/c", []), step=0.5)

    told = {state.split()[0] for state in node.states["p/c"]}
    assert told <= {"ContainerCreating", "PostStartHookError", "CrashLoopBackOff"}


async def test_a_pod_whose_time_is_over_during_a_hook_has_not_failed_before_its_end(node, patient):
    patient.seconds = 1000.0
    await node.create(
        {"args": ["trap", "0", "3"], "lifecycle": {"postStart": EXEC}}, activeDeadlineSeconds=5
    )

    pod = await node.phase("Failed", step=0.5)

    assert pod.status.reason == "DeadlineExceeded"
    assert pod.status.container_statuses[0].state.terminated is not None


async def test_a_hook_by_https_that_is_answered_by_http_is_asked_for_again(node):
    """Without the header that is not for everybody to read."""
    asked = []

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = await reader.read(65536)  # all of it: what is left unread resets the connection
        if said.startswith(b"GET /"):
            asked.append(said)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    headers = [{"name": "authorization", "value": "secret"}, {"name": "X-Hook", "value": "1"}]
    async with tcp_server(plain) as port:
        get = {"host": "127.0.0.1", "port": port, "path": "/", "scheme": "HTTPS"}
        hook = {"httpGet": {**get, "httpHeaders": headers}}
        await node.create({"lifecycle": {"postStart": hook}})
        await node.running()

    text = (
        f"LifecycleHTTPFallback: request to HTTPS lifecycle hook 127.0.0.1:{port} "
        "got HTTP response, retry with HTTP succeeded"
    )
    await node.until(lambda: text in node.messages())
    assert b"X-Hook: 1" in asked[0]
    assert b"secret" not in asked[0]


async def test_pre_stop_runs_first_and_within_the_grace_period(node, patient):
    patient.seconds = 3.0
    await node.create({"args": ["trap", "0", "1"], "lifecycle": {"preStop": EXEC}})
    await node.running()
    start = node.clock.monotonic()

    await node.delete(grace=30)
    await node.gone(step=0.25)

    assert 4.0 <= node.clock.monotonic() - start < 30  # time goes on while the API is slow
    assert node.states["p/c"][-1] == "Completed 0 r0"
    assert len(patient.times) == 1


async def test_a_pre_stop_hook_that_fails_is_told_and_the_end_goes_on(node, patient):
    patient.healthy = False
    await node.create({"args": ["trap", "0"], "lifecycle": {"preStop": EXEC}})
    pod = await node.running()

    await node.delete()
    await node.gone()

    text = (
        'FailedPreStopHook: Exec lifecycle hook ([check]) for Container "c" in Pod '
        f"\"p_default({pod.metadata.uid})\" failed - error: command 'check' exited with 1: , "
        'message: "sick\\n"'
    )
    await node.until(lambda: text in node.messages())


async def test_a_pre_stop_hook_gets_no_longer_than_the_grace_period(node, patient):
    patient.seconds = 1000.0
    await node.create({"lifecycle": {"preStop": EXEC}})
    await node.running()
    start = node.clock.monotonic()

    await node.delete(grace=5)
    await node.gone(step=0.25)

    assert 7.0 <= node.clock.monotonic() - start < 100  # and two seconds for the signal
    assert not [m for m in node.messages() if "FailedPreStopHook" in m]


async def test_a_grace_period_shortened_under_way_cuts_the_hook_short(node):
    hook = {"sleep": {"seconds": 100}}
    await node.create({"args": ["trap", "0"], "lifecycle": {"preStop": hook}},
                      terminationGracePeriodSeconds=200)  # fmt: skip
    await node.running()
    start = node.clock.monotonic()
    await node.delete(grace=200)
    await node.until(lambda: node.pod().metadata.deletion_timestamp)
    await node.pass_time(5)

    await node.delete(grace=3)
    await node.gone(step=0.25)

    assert 8.0 <= node.clock.monotonic() - start < 20


async def test_a_container_that_a_probe_gave_up_on_has_its_pre_stop_hook_run(node, patient):
    probe = {**EXEC, "periodSeconds": 1, "failureThreshold": 1}
    hook = {"exec": {"command": ["nosuchcommand"]}}
    await node.create(
        {"args": ["trap", "0"], "livenessProbe": probe, "lifecycle": {"preStop": hook}}
    )
    await node.running()
    await node.pass_time(2)
    patient.healthy = False

    await node.until(lambda: "running r1" in node.states["p/c"], step=0.5)

    assert ("c", ("nosuchcommand",)) in node.runtime.executed


async def test_periods_that_became_senseless_are_those_of_the_spec(node, patient):
    annotations = {"podium.io/probe-periods": "c.liveness=500ms"}
    probe = {**EXEC, "periodSeconds": 3, "failureThreshold": 3}
    await node.create_annotated(annotations, {"args": ["trap", "0"], "livenessProbe": probe})
    await node.running()
    await node.pass_time(2)
    patch = {"metadata": {"annotations": {"podium.io/probe-periods": "soon"}}}
    await node.client.patch(scheme.PODS, "p", patch, namespace="default")
    patient.healthy = False
    await node.until(lambda: "running r1" in node.states["p/c"], step=0.5)
    patient.healthy = True
    patient.times.clear()

    await node.pass_time(10)

    spaces = [b - a for a, b in zip(patient.times, patient.times[1:], strict=False)]
    assert spaces[1:] == [3.0] * len(spaces[1:])
    assert len(patient.times) >= 3


async def test_a_container_may_name_its_stop_signal(node):
    lifecycle = {"stopSignal": "SIGUSR1"}
    await node.create({"lifecycle": lifecycle}, os={"name": "linux"})
    await node.running()
    [container] = await node.runtime.list_containers()
    assert node.runtime.config(container.id).stop_signal == "SIGUSR1"

"""Init containers, sidecars, ephemeral containers and single containers' restart policies."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from podium.domain.pods.initialization import run_in_sandbox
from podium.domain.pods.observed import RunState
from podium.domain.pods.plan import CreateSandbox, KillContainer, StartContainer, is_finished, plan
from podium.domain.pods.probes import ProbeKind, RunHealth
from podium.domain.pods.restart import restarts
from podium.domain.pods.termination import due_to_stop
from support.pods import NOW, make_pod, observed, run, sandbox


def init(name: str, **more):
    return {"name": name, "image": "kuard:1", **more}


def sidecar(name: str, **more):
    return init(name, restartPolicy="Always", **more)


def pod_with(*inits, **spec):
    return make_pod("a", initContainers=list(inits), **spec)


PLAIN = pod_with(init("i"), init("j"))
MIXED = pod_with(init("i"), sidecar("s"), init("j"))
PROBED = pod_with(sidecar("s", startupProbe={"tcpSocket": {"port": 1}}), init("j"))


def starts(pod, *there, **more):
    step = plan(pod, observed(*there), NOW, **more)
    return [action.name for action in step.actions if isinstance(action, StartContainer)]


@pytest.mark.parametrize(
    ("pod", "there", "names"),
    [
        pytest.param(PLAIN, [], ["i"], id="the-first-starts-alone"),
        pytest.param(PLAIN, [("i", None)], [], id="the-second-waits-for-the-first"),
        pytest.param(PLAIN, [("i", 0)], ["j"], id="the-second-follows-the-first"),
        pytest.param(PLAIN, [("i", 1)], ["i"], id="a-failed-one-is-tried-again"),
        pytest.param(PLAIN, [("i", 0), ("j", None)], [], id="the-regular-ones-wait"),
        pytest.param(PLAIN, [("i", 0), ("j", 0)], ["a"], id="then-the-regular-ones"),
        pytest.param(
            PLAIN, [("i", 0), ("j", 0), ("a", 1)], ["a"], id="none-is-run-twice-for-a-crash"
        ),
        pytest.param(MIXED, [("i", 0)], ["s"], id="a-sidecar-has-its-turn"),
        pytest.param(MIXED, [("i", 0), ("s", None)], ["j"], id="a-running-sidecar-lets-go-on"),
        pytest.param(
            MIXED, [("i", 0), ("s", 0), ("j", None)], ["s"], id="a-sidecar-that-ended-starts-again"
        ),
        pytest.param(
            MIXED, [("i", 0), ("s", 1), ("j", 0)], ["s", "a"], id="and-holds-up-nothing-any-more"
        ),
        pytest.param(
            MIXED,
            [("i", 0), ("s", 1), ("j", 0), ("a", None)],
            ["s"],
            id="sidecars-are-kept-running-beside-the-regular-ones",
        ),
    ],
)
def test_what_starts_next(pod, there, names):
    runs = [run(pod, name, code) for name, code in there]
    assert starts(pod, sandbox(), *runs) == names


@pytest.mark.parametrize("policy", ["Always", "OnFailure"])
def test_a_failed_init_container_is_restarted_with_back_off(policy):
    pod = pod_with(init("i"), restartPolicy=policy)
    failed = run(pod, "i", 1, attempt=1, back_off=10, ended=4)

    step = plan(pod, observed(sandbox(), failed), NOW)

    assert step.actions == ()
    assert step.look_again == NOW + timedelta(seconds=6)
    assert step.waiting["i"].reason == "CrashLoopBackOff"


def test_a_failed_init_container_ends_a_pod_that_never_restarts():
    pod = pod_with(init("i"), sidecar("s"), restartPolicy="Never")
    assert is_finished(pod, observed(sandbox(), run(pod, "i", 1)))
    assert not is_finished(pod, observed(sandbox(), run(pod, "i", 0), run(pod, "s", 1)))


def test_a_new_sandbox_is_initialised_from_the_start_and_counts_on():
    pod = PLAIN
    old = [run(pod, name, 0, sandbox_id="sandbox0") for name in ("i", "j", "a")]
    there = observed(sandbox(0, ready=False), sandbox(1), *old)
    assert plan(pod, there, NOW).actions == (StartContainer("i", 1, 0.0),)


def test_sidecars_wait_for_their_startup_probe():
    running = run(PROBED, "s")
    assert starts(PROBED, sandbox(), running) == []
    passed = {running.id: RunHealth(started=True)}
    assert starts(PROBED, sandbox(), running, health=passed) == ["j"]


def test_a_sidecar_that_fails_its_probe_is_replaced_whatever_the_pods_policy():
    pod = pod_with(sidecar("s"), restartPolicy="Never")
    running = run(pod, "s")
    health = {running.id: RunHealth(failed=ProbeKind.LIVENESS)}
    pod.spec.init_containers[0].liveness_probe = PROBED.spec.init_containers[0].startup_probe

    step = plan(pod, observed(sandbox(), running, run(pod, "a")), NOW, health=health)

    text = "Init container s failed liveness probe"
    assert step.actions == (KillContainer("s0", "s", 30.0, text, restart=True),)


def test_sidecars_do_not_keep_a_pod_alive():
    pod = pod_with(sidecar("s"), restartPolicy="OnFailure")
    there = [sandbox(), run(pod, "s")]
    assert is_finished(pod, observed(*there, run(pod, "a", 0)))
    assert not is_finished(pod, observed(*there, run(pod, "a", 1)))
    assert not is_finished(pod, observed(*there, run(pod, "a")))


def test_sidecars_end_last_and_in_reverse_order():
    pod = make_pod("a", "b", initContainers=[sidecar("s"), init("i"), sidecar("t")])
    runs = {name: run(pod, name) for name in ("s", "t", "a", "b")}

    order = []
    while runs:
        due = due_to_stop(pod, list(runs.values()))
        order.append({record.name for record in due})
        for record in due:
            del runs[record.name]

    assert order == [{"a", "b"}, {"t"}, {"s"}]


def test_ephemeral_containers_start_at_once_and_only_once():
    pod = make_pod("a", initContainers=[init("i")], ephemeralContainers=[init("e")])
    assert starts(pod, sandbox()) == ["e", "i"]
    assert starts(pod, sandbox(), run(pod, "e", 1), run(pod, "i")) == []
    assert plan(pod, observed(), NOW).actions == (CreateSandbox(0),)


def test_an_ephemeral_container_does_not_keep_a_pod_alive():
    pod = make_pod("a", ephemeralContainers=[init("e")], restartPolicy="Never")
    assert is_finished(pod, observed(sandbox(), run(pod, "a", 0), run(pod, "e")))


RULES = [
    {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}},
    {"action": "Restart", "exitCodes": {"operator": "NotIn", "values": [0, 1, 42]}},
]


@pytest.mark.parametrize(
    ("policy", "own", "rules", "code", "again"),
    [
        pytest.param("Always", None, [], 0, True, id="the-pods-policy"),
        pytest.param("Always", "Never", [], 1, False, id="its-own-goes-before-the-pods"),
        pytest.param("Never", "OnFailure", [], 1, True, id="on-failure"),
        pytest.param("Never", "OnFailure", [], 0, False, id="on-failure-success"),
        pytest.param("Never", "Never", RULES, 42, True, id="a-rule-that-names-the-code"),
        pytest.param("Never", "Never", RULES, 7, True, id="a-rule-that-names-all-others"),
        pytest.param("Never", "Never", RULES, 1, False, id="no-rule-no-restart"),
        pytest.param("Never", "Always", RULES, 1, True, id="no-rule-falls-to-its-own-policy"),
    ],
)
def test_restart_policies_of_single_containers(policy, own, rules, code, again):
    fields = {} if own is None else {"restartPolicy": own, "restartPolicyRules": rules}
    pod = make_pod({"name": "a", "image": "kuard:1", **fields}, restartPolicy=policy)
    assert restarts(pod, pod.spec.containers[0], code) is again
    assert is_finished(pod, observed(sandbox(), run(pod, "a", code))) is not again


# -- laws, over whole lives

KINDS = st.lists(st.sampled_from(["init", "sidecar", "probed"]), max_size=4)


@settings(max_examples=300, deadline=None)
@given(
    kinds=KINDS,
    policy=st.sampled_from(["Always", "OnFailure", "Never"]),
    moves=st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0, 1, "started"])), max_size=12),
)
def test_a_regular_container_never_starts_before_all_init_containers_are_done_or_started(
    kinds, policy, moves
):
    inits = []
    for number, kind in enumerate(kinds):
        container = init(f"i{number}") if kind == "init" else sidecar(f"i{number}")
        if kind == "probed":
            container["startupProbe"] = {"tcpSocket": {"port": 1}}
        inits.append(container)
    pod = make_pod("a", "b", initContainers=inits, restartPolicy=policy)
    life = _Life(pod)
    life.turn()
    for index, what in moves:
        life.move(index, what)
        life.turn()
    assert life.runs, "something was started, and each start was looked at by then"


class _Life:
    """Carries plans out at once, and checks what they start against what there is."""

    def __init__(self, pod):
        self.pod, self.runs, self.health = pod, {}, {}
        self.started = set()

    def observed(self):
        return observed(sandbox(), *self.runs.values())

    def turn(self):
        if is_finished(self.pod, self.observed()):
            return
        for _ in range(20):
            step = plan(self.pod, self.observed(), NOW, health=self.health)
            if not step.actions:
                return
            for action in step.actions:
                assert isinstance(action, StartContainer)
                self.start(action)
        raise AssertionError("a plan that is carried out comes to an end")

    def start(self, action):
        names = [container.name for container in self.pod.spec.init_containers]
        before = names[: names.index(action.name)] if action.name in names else names
        again = run_in_sandbox(self.observed(), action.name) is not None
        initialised = any(container.name in self.runs for container in self.pod.spec.containers)
        if not again and not initialised:
            for name in before:
                assert self.passed(name), f"{action.name} started before {name} was done"
        latest = self.runs.get(action.name)
        assert latest is None or not latest.is_running
        assert action.attempt == (latest.attempt + 1 if latest else 0)
        fresh = run(self.pod, action.name, attempt=action.attempt)
        self.runs[action.name] = fresh
        probe = next(
            (c.startup_probe for c in self.pod.spec.init_containers if c.name == action.name), None
        )
        self.health[fresh.id] = RunHealth(started=probe is None)
        if probe is None:
            self.started.add(action.name)

    def passed(self, name):
        """Whether it is done or, a sidecar, has started in one of its runs."""
        record = self.runs.get(name)
        container = next(c for c in self.pod.spec.init_containers if c.name == name)
        if record is None:
            return False
        if container.restart_policy != "Always":
            return record.state is RunState.EXITED and record.exit_code == 0
        return name in self.started

    def move(self, index, what):
        names = sorted(self.runs)
        if not names:
            return
        record = self.runs[names[index % len(names)]]
        if not record.is_running:
            return
        if what == "started":
            self.health[record.id] = RunHealth(started=True)
            self.started.add(record.name)
        else:
            self.runs[record.name] = replace(
                record, state=RunState.EXITED, exit_code=what, finished_at=NOW
            )

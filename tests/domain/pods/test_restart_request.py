from __future__ import annotations

import json

import pytest

from podium.api.types.core_v1 import ContainerStatus, Pod
from podium.domain.pods.plan import KillContainer, StartContainer, is_finished, plan
from podium.domain.pods.restart_request import ANNOTATION, CannotRestart, request, requested
from support.pods import NOW, make_pod, observed, run, sandbox


def make(*, ran: str = "ab", phase: str = "Running", asked: str = "", **spec: object) -> Pod:
    init = [{"name": "i", "image": "x"}, {"name": "s", "image": "x", "restartPolicy": "Always"}]
    pod = make_pod("a", "b", initContainers=init, **spec)
    pod.status.phase = phase
    pod.status.container_statuses = [
        ContainerStatus(name=name, container_id=f"podium://{name}0" if name in ran else "")
        for name in "ab"
    ]
    pod.status.init_container_statuses = [
        ContainerStatus(name=name, container_id=f"podium://{name}0") for name in "is"
    ]
    if asked:
        pod.metadata.annotations = {ANNOTATION: asked}
    return pod


@pytest.mark.parametrize(
    ("pod", "names", "runs"),
    [
        pytest.param(make(), ["a"], {"a": "podium://a0"}, id="one"),
        pytest.param(
            make(),
            [],
            {"a": "podium://a0", "b": "podium://b0", "s": "podium://s0"},
            id="all-are-sidecars-too-but-what-runs-once-is-not",
        ),
        pytest.param(make(ran="a"), [], {"a": "podium://a0", "s": "podium://s0"}, id="what-ran"),
        pytest.param(
            make(asked='{"b":"podium://b0"}'),
            ["a"],
            {"a": "podium://a0", "b": "podium://b0"},
            id="another-request-that-waits-is-kept",
        ),
        pytest.param(
            make(asked='{"b":"podium://old"}'), ["a"], {"a": "podium://a0"}, id="one-done-is-not"
        ),
    ],
)
def test_what_is_asked_for(pod, names, runs):
    assert json.loads(request(pod, names)) == runs


@pytest.mark.parametrize(
    ("pod", "names", "text", "conflict"),
    [
        (make(), ["c"], "container c is not valid for pod kuard", False),
        (make(), ["i"], "container i of pod kuard runs only once", False),
        (make(ran="a"), ["b"], "container b of pod kuard has not run yet", True),
        (make(phase="Succeeded"), [], "pod kuard is over (Succeeded)", True),
        (make(deleted=30), [], "pod kuard is being deleted", True),
    ],
)
def test_what_cannot_be_restarted(pod, names, text, conflict):
    with pytest.raises(CannotRestart) as caught:
        request(pod, names)
    assert (str(caught.value), caught.value.conflict) == (text, conflict)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"a": 1}', "[" * 100_000])
def test_an_annotation_that_is_no_request_asks_for_nothing(text):
    assert requested(make(asked=text)) == {}


def asked_pod(run_id: str = "a0", **spec: object) -> Pod:
    pod = make_pod("a", **spec)
    pod.metadata.annotations = {ANNOTATION: json.dumps({"a": f"podium://{run_id}"})}
    return pod


WHY = "Container a was asked to restart, will be restarted"


@pytest.mark.parametrize(
    ("pod", "there", "actions"),
    [
        pytest.param(
            asked_pod(),
            [run(asked_pod(), "a")],
            (KillContainer("a0", "a", 30.0, WHY, restart=True),),
            id="the-run-is-ended-with-the-pod's-grace",
        ),
        pytest.param(
            asked_pod(),
            [run(asked_pod(), "a", 137, attempt=0, back_off=0)],
            (StartContainer("a", 1, 0.0),),
            id="and-followed-at-once-without-a-penalty",
        ),
        pytest.param(
            asked_pod("a7"),
            [run(asked_pod(), "a", 1, attempt=7, back_off=300, ended=1)],
            (StartContainer("a", 8, 0.0),),
            id="back-off-is-cut-short-and-forgotten",
        ),
        pytest.param(
            asked_pod(restartPolicy="Never"),
            [run(asked_pod(), "a", 0)],
            (StartContainer("a", 1, 0.0),),
            id="also-where-nothing-restarts-by-itself",
        ),
        pytest.param(
            asked_pod(),
            [run(asked_pod(), "a", attempt=1)],
            (),
            id="another-run-is-not-meant",
        ),
    ],
)
def test_what_the_node_does(pod, there, actions):
    found = observed(sandbox(), *there)
    assert not is_finished(pod, found)
    assert plan(pod, found, NOW).actions == actions

from __future__ import annotations

from datetime import timedelta

import pytest

from podium.domain.pods.backoff import (
    ANNOTATION,
    UPSTREAM,
    RestartBackOff,
    back_off_until,
    next_back_off,
    pod_back_off,
)
from podium.domain.pods.identity import container_hash
from support.pods import NOW, make_pod, run

POD = make_pod("a")
HASH = container_hash(POD.spec.containers[0])
QUICK = RestartBackOff(start=1.0, maximum=5.0, reset=60.0)


@pytest.mark.parametrize(
    ("curve", "waits"),
    [
        (UPSTREAM, [10, 20, 40, 80, 160, 300, 300]),
        (QUICK, [1, 2, 4, 5, 5, 5, 5]),
        (RestartBackOff(maximum=4.0), [4, 4, 4, 4, 4, 4, 4]),
    ],
)
def test_waits_double_up_to_the_maximum(curve, waits):
    found, last = [], 0.0
    for _ in waits:
        last = next_back_off(run(POD, "a", 1, back_off=last), HASH, curve)
        found.append(last)
    assert found == waits


@pytest.mark.parametrize(
    ("curve", "lasted", "wait"),
    [(UPSTREAM, 600, 80), (UPSTREAM, 601, 10), (QUICK, 60, 5), (QUICK, 61, 1)],
)
def test_a_run_that_lasted_is_forgiven(curve, lasted, wait):
    ended = run(POD, "a", 1, back_off=40, lasted=lasted)
    assert next_back_off(ended, HASH, curve) == wait


def test_a_maximum_that_was_lowered_counts_at_once():
    ended = run(POD, "a", 1, back_off=300, ended=0)
    assert back_off_until(ended, HASH, QUICK) == NOW + timedelta(seconds=5)


def annotated(text: str):
    pod = make_pod("a")
    pod.metadata.annotations = {ANNOTATION: text}
    return pod


@pytest.mark.parametrize(
    ("text", "curve"),
    [
        ("", UPSTREAM),
        ("start=1s,maximum=5s,reset=1m", QUICK),
        (" maximum=30s ,", RestartBackOff(maximum=30.0)),
        ("start=250ms,maximum=2s", RestartBackOff(start=1.0, maximum=2.0)),
        ("reset=100ms", RestartBackOff(reset=1.0)),
    ],
)
def test_a_pod_says_how_long_it_waits_but_no_less_than_a_second(text, curve):
    assert pod_back_off(annotated(text), UPSTREAM) == curve


def test_a_node_may_allow_less():
    eager = RestartBackOff(least=0.25)
    found = pod_back_off(annotated("start=100ms,reset=5s"), eager)
    assert (found.start, found.reset) == (0.25, 5.0)


@pytest.mark.parametrize("text", ["1s", "begin=1s", "start=soon", "start=1ms", "maximum=25h"])
def test_what_a_pod_cannot_say(text):
    with pytest.raises(ValueError, match=text.partition("=")[2] or text):
        pod_back_off(annotated(text), UPSTREAM)

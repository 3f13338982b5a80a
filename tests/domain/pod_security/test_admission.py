"""Which updates are looked at, and what is said of the Pods that a namespace has."""

from __future__ import annotations

from typing import Any

import pytest

from podium.api.types.core_v1 import Pod
from podium.domain.pod_security import admission
from podium.domain.pod_security.admission import concerns_present_pods, is_significant, present_pods
from podium.domain.pod_security.levels import LevelVersion, Policy
from support.objects import container, pod

BASELINE, RESTRICTED = LevelVersion("baseline"), LevelVersion("restricted")
DEBUGGER = {"ephemeralContainers": [container(name="e")]}


@pytest.mark.parametrize(
    ("old", "new", "significant"),
    [
        pytest.param({}, {"labels": {"a": "b"}}, False, id="labels"),
        pytest.param({}, {"spec": {"activeDeadlineSeconds": 5}}, False, id="deadline"),
        pytest.param({}, {"spec": {"containers": [container(image="app:2")]}}, True, id="image"),
        pytest.param({"spec": {"initContainers": [container(name="i")]}},
                     {"spec": {"initContainers": [container(name="i", image="app:2")]}}, True,
                     id="init-image"),
        pytest.param({}, {"spec": {"containers": [container(), container(name="d")]}}, True,
                     id="one-more"),
        pytest.param({}, {"spec": DEBUGGER}, True, id="a-debugger"),
        pytest.param({"spec": DEBUGGER}, {"spec": DEBUGGER}, False, id="the-same-debugger"),
        pytest.param({}, {"annotations": {"seccomp.security.alpha.kubernetes.io/pod": "x"}}, True,
                     id="seccomp"),
        pytest.param({}, {"annotations": {"container.seccomp.security.alpha.kubernetes.io/c": "x"}},
                     True, id="seccomp-of-a-container"),
        pytest.param({}, {"annotations": {"other": "x"}}, False, id="annotations"),
    ],
)  # fmt: skip
def test_significant_updates(old: dict[str, Any], new: dict[str, Any], significant: bool) -> None:
    assert is_significant(pod(**new), pod(**old)) is significant


@pytest.mark.parametrize(
    ("new", "old", "concerns"),
    [
        pytest.param(BASELINE, LevelVersion(), True, id="raised"),
        pytest.param(RESTRICTED, BASELINE, True, id="raised-further"),
        pytest.param(BASELINE, BASELINE, False, id="the-same"),
        pytest.param(BASELINE, RESTRICTED, False, id="relaxed"),
        pytest.param(LevelVersion(), RESTRICTED, False, id="given-up"),
        pytest.param(LevelVersion("baseline", 24), RESTRICTED, True, id="another-version"),
        pytest.param(LevelVersion("privileged", 24), RESTRICTED, False, id="privileged"),
    ],
)
def test_when_present_pods_matter(new: LevelVersion, old: LevelVersion, concerns: bool) -> None:
    assert concerns_present_pods(Policy(enforce=new), Policy(enforce=old)) is concerns


def host(name: str, owner: str = "", **spec: Any) -> Pod:
    owners = [{"uid": owner, "name": owner, "controller": True}] if owner else []
    return pod({"hostNetwork": True, **spec}, name=name, ownerReferences=owners)


def test_pods_that_offend_alike_are_told_together() -> None:
    pods = [host("d", hostPID=True), host("c"), pod(name="fine"), host("b"), host("a")]
    pods += [host("f", volumes=[{"name": "v", "hostPath": {"path": "/"}}]) for _ in range(2)]
    assert present_pods("ns", BASELINE, pods) == [
        'existing pods in namespace "ns" violate the new PodSecurity enforce level '
        '"baseline:latest"',
        "a (and 3 other pods): host namespaces",
        "f (and 1 other pod): host namespaces, hostPath volumes",
    ]


def test_one_pod() -> None:
    assert present_pods("ns", BASELINE, [host("a")])[1:] == ["a: host namespaces"]


def test_nothing_is_said_where_all_are_fine() -> None:
    assert present_pods("ns", BASELINE, [pod(name="a"), pod(name="b")]) == []


def test_one_of_each_controller_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "MOST_PODS", 2)
    pods = [pod(name=f"a{i}", ownerReferences=[
        {"uid": "u", "name": "u", "controller": True}]) for i in range(3)]  # fmt: skip
    assert present_pods("ns", BASELINE, [*pods, host("b", "other")]) == [
        "new PodSecurity enforce level only checked against the first 2 of 4 existing pods",
        'existing pods in namespace "ns" violate the new PodSecurity enforce level '
        '"baseline:latest"',
        "b: host namespaces",
    ]

"""What Pods require of the Pods around them: affinity, anti-affinity, an even spread."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from podium.api.types.core_v1 import Node, Pod
from podium.domain.scheduling.decision import Placed, Unschedulable, decide
from podium.domain.scheduling.node_info import NodeInfo, PodDemand

NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"
_TIME = datetime(2026, 1, 1, tzinfo=UTC)
X = {"matchLabels": {"app": "x"}}


@pytest.fixture
def labelled(pod):
    def make(namespace: str = "default", labels: dict[str, str] | None = None, **spec: Any) -> Pod:
        made: Pod = pod(**spec)
        made.metadata.namespace, made.metadata.labels = namespace, labels or {}
        return made

    return make


def term(key: str = "zone", selector: Any = X, **more: Any) -> dict[str, Any]:
    return {"topologyKey": key, "labelSelector": selector, **more}


def required(kind: str, *terms: dict[str, Any]) -> dict[str, Any]:
    return {"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}}}


def near(*terms: dict[str, Any]) -> dict[str, Any]:
    return required("podAffinity", *terms)


def apart(*terms: dict[str, Any]) -> dict[str, Any]:
    return required("podAntiAffinity", *terms)


def spread(key: str = "zone", skew: int = 1, **more: Any) -> dict[str, Any]:
    constraint = {
        "topologyKey": key,
        "maxSkew": skew,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": X,
        **more,
    }
    return {"topologySpreadConstraints": [constraint]}


def places(wanted: Pod, *nodes: tuple[Node, list[Pod]]) -> set[str]:
    """Every node that *wanted* might be given."""
    infos = [NodeInfo(node, pods) for node, pods in nodes]
    found: set[str] = set()
    while True:
        left = [info for info in infos if info.name not in found]
        for info in infos:  # those that were chosen before are full, and still there
            info.set_node(info.node)
            if info.name in found:
                info.allocatable["pods"] = 0
        decision = decide(PodDemand(wanted), infos)
        if not isinstance(decision, Placed):
            return found
        assert decision.node in {info.name for info in left}
        found.add(decision.node)


def refused(wanted: Pod, *nodes: tuple[Node, list[Pod]]) -> str:
    decision = decide(PodDemand(wanted), [NodeInfo(node, pods) for node, pods in nodes])
    assert isinstance(decision, Unschedulable)
    return decision.message


def message(reason: str, remedy: str) -> str:
    return f"0/1 nodes are available: 1 {reason}. preemption: 0/1 nodes are available: 1 {remedy}."


@pytest.fixture
def zones(node):
    """Two nodes in zone a, one in zone b, one in none."""
    return [
        node("a1", labels={"zone": "a"}),
        node("a2", labels={"zone": "a"}),
        node("b1", labels={"zone": "b"}),
        node("out"),
    ]


@pytest.mark.parametrize(
    ("asked", "labels", "there", "expected"),
    [
        pytest.param(near(term()), {}, {"a1": {"app": "x"}}, {"a1", "a2"}, id="near"),
        pytest.param(near(term()), {}, {"out": {"app": "x"}}, set(), id="near-one-without-label"),
        pytest.param(near(term()), {}, {}, set(), id="near-nobody"),
        pytest.param(near(term()), {"app": "x"}, {}, {"a1", "a2", "b1"}, id="the-first-of-a-group"),
        pytest.param(
            near(term()), {"app": "x"}, {"b1": {"app": "x"}}, {"b1"}, id="the-next-of-a-group"
        ),
        pytest.param(
            near(term(), term(selector={"matchLabels": {"tier": "1"}})),
            {},
            {"a1": {"app": "x"}, "b1": {"app": "x", "tier": "1"}},
            {"b1"},
            id="near-one-that-has-all",
        ),
        pytest.param(near(term(selector=None)), {}, {"a1": {"app": "x"}}, set(), id="no-selector"),
        pytest.param(apart(term()), {}, {"a1": {"app": "x"}}, {"b1", "out"}, id="apart"),
        pytest.param(
            apart(term()), {"app": "x"}, {}, {"a1", "a2", "b1", "out"}, id="apart-from-itself-only"
        ),
        pytest.param(
            apart(term(), term(selector={"matchLabels": {"tier": "1"}})),
            {},
            {"a1": {"app": "x"}, "b1": {"tier": "1"}},
            {"out"},
            id="apart-from-each",
        ),
        pytest.param(
            spread(), {"app": "x"}, {"a1": {"app": "x"}}, {"b1"}, id="spread-to-the-emptier"
        ),
        pytest.param(
            spread(skew=2), {"app": "x"}, {"a1": {"app": "x"}}, {"a1", "a2", "b1"}, id="looser"
        ),
        pytest.param(spread(), {}, {"a1": {"app": "x"}}, {"a1", "a2", "b1"}, id="not-one-of-them"),
        pytest.param(
            spread(minDomains=3), {"app": "x"}, {"a1": {"app": "x"}, "b1": {"app": "x"}}, set(),
            id="too-few-zones",
        ),
        pytest.param(
            spread(labelSelector={}), {"app": "x"}, {"a1": {"app": "x"}}, {"a1", "a2", "b1"},
            id="an-empty-selector-counts-nobody",
        ),
        pytest.param(
            spread() | {"nodeSelector": {"zone": "a"}}, {"app": "x"}, {"a1": {"app": "x"}},
            {"a1", "a2"}, id="only-nodes-that-it-may-use-count",
        ),
        pytest.param(
            spread(nodeAffinityPolicy="Ignore") | {"nodeSelector": {"zone": "a"}}, {"app": "x"},
            {"a1": {"app": "x"}}, set(), id="all-nodes-count",
        ),
    ],
)  # fmt: skip
def test_where_a_pod_may_go(labelled, zones, asked, labels, there, expected):
    nodes = [
        (each, [labelled(labels=there[each.metadata.name])] if each.metadata.name in there else [])
        for each in zones
    ]
    assert places(labelled(labels=labels, **asked), *nodes) == expected


@pytest.mark.parametrize(
    ("namespaces", "kept_away"),
    [
        pytest.param({}, False, id="its-own"),
        pytest.param({"namespaces": ["other"]}, True, id="named"),
        pytest.param({"namespaceSelector": {}}, True, id="all"),
    ],
)
def test_a_term_is_about_its_namespaces(labelled, node, namespaces, kept_away):
    there = labelled("other", {"app": "x"})
    wanted = labelled(**apart(term(**namespaces)))
    found = places(wanted, (node("n", labels={"zone": "a"}), [there]))
    assert found == (set() if kept_away else {"n"})


def test_who_is_there_keeps_others_away(labelled, zones):
    repelling = labelled(**apart(term()))
    nodes = [(each, [repelling] if each.metadata.name == "a2" else []) for each in zones]
    assert places(labelled(labels={"app": "x"}), *nodes) == {"b1", "out"}
    assert places(labelled(labels={"app": "y"}), *nodes) == {"a1", "a2", "b1", "out"}


def test_who_is_about_to_go_is_not_counted_in_a_spread(labelled, node):
    there = labelled(labels={"app": "x"})
    there.metadata.deletion_timestamp = _TIME
    nodes = ((node("a", labels={"zone": "a"}), [there]), (node("b", labels={"zone": "b"}), []))
    assert places(labelled(labels={"app": "x"}, **spread()), *nodes) == {"a", "b"}


def test_a_taint_that_counts(labelled, node):
    tainted = node("b", labels={"zone": "b"}, taints=[{"key": "k", "effect": "NoSchedule"}])
    nodes = ((node("a", labels={"zone": "a"}), [labelled(labels={"app": "x"})]), (tainted, []))
    like = {"app": "x"}
    assert places(labelled(labels=like, **spread()), *nodes) == set()
    honoured = spread(nodeTaintsPolicy="Honor")
    assert places(labelled(labels=like, **honoured), *nodes) == {"a"}


def test_the_words(labelled, node):
    there = labelled(labels={"app": "x"})
    at = node("n", labels={"zone": "a"})
    assert refused(labelled(**near(term())), (at, [])) == message(
        "node(s) didn't match pod affinity rules", NOT_HELPFUL
    )
    assert refused(labelled(**apart(term())), (at, [there])) == message(
        "node(s) didn't match pod anti-affinity rules", NO_VICTIMS
    )
    assert refused(there, (at, [labelled(**apart(term()))])) == message(
        "node(s) didn't satisfy existing pods anti-affinity rules", NO_VICTIMS
    )
    assert refused(labelled(**spread("other")), (at, [])) == message(
        "node(s) didn't match pod topology spread constraints (missing required label)", NOT_HELPFUL
    )
    other = node("m", labels={"zone": "b"}, unschedulable=True)
    uneven = refused(labelled(labels={"app": "x"}, **spread()), (at, [there]), (other, []))
    assert "1 node(s) didn't match pod topology spread constraints, " in uneven

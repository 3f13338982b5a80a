"""What a node's conditions and its silence entail."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from podium.api.types.core_v1 import Node
from podium.controllers.node_health import any_healthy, silent_conditions, wanted_taints

NOW = datetime(2025, 1, 1, tzinfo=UTC)
CREATED = datetime(2024, 1, 1, tzinfo=UTC)
PREFIX = "node.kubernetes.io/"


def make_node(*conditions: tuple[str, str], taints=(), unschedulable=False) -> Node:
    return msgspec.convert(
        {
            "metadata": {"name": "n", "creationTimestamp": CREATED},
            "spec": {
                "unschedulable": unschedulable,
                "taints": [{"key": key, "effect": effect} for key, effect in taints],
            },
            "status": {
                "conditions": [
                    {"type": t, "status": s, "lastHeartbeatTime": CREATED} for t, s in conditions
                ]
            },
        },
        Node,
    )


def taints(node: Node, *, evict: bool = True) -> set[tuple[str, str]]:
    found = wanted_taints(node, evict=evict, now=NOW)
    return {(taint.key.removeprefix(PREFIX), taint.effect) for taint in found}


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        pytest.param(make_node(("Ready", "True")), set(), id="ready"),
        pytest.param(make_node(), set(), id="never-reported"),
        pytest.param(
            make_node(("Ready", "False")),
            {("not-ready", "NoSchedule"), ("not-ready", "NoExecute")},
            id="not-ready",
        ),
        pytest.param(
            make_node(("Ready", "Unknown"), ("MemoryPressure", "Unknown")),
            {("unreachable", "NoSchedule"), ("unreachable", "NoExecute")},
            id="unreachable",
        ),
        pytest.param(
            make_node(("Ready", "True"), ("MemoryPressure", "True"), ("DiskPressure", "False")),
            {("memory-pressure", "NoSchedule")},
            id="memory-pressure",
        ),
        pytest.param(
            make_node(("Ready", "True"), unschedulable=True),
            {("unschedulable", "NoSchedule")},
            id="cordoned",
        ),
        pytest.param(
            make_node(
                ("Ready", "True"),
                taints=[
                    (PREFIX + "not-ready", "NoExecute"),
                    (PREFIX + "not-ready", "NoSchedule"),
                    (PREFIX + "unschedulable", "NoSchedule"),
                    ("dedicated", "NoExecute"),
                    (PREFIX + "out-of-service", "NoExecute"),
                ],
            ),
            {("dedicated", "NoExecute"), ("out-of-service", "NoExecute")},
            id="healthy-again-keeps-what-others-put-there",
        ),
        pytest.param(
            make_node(("Ready", "Unknown"), taints=[(PREFIX + "not-ready", "NoExecute")]),
            {("unreachable", "NoSchedule"), ("unreachable", "NoExecute")},
            id="one-is-swapped-for-the-other",
        ),
    ],
)
def test_taints(node, expected):
    assert taints(node) == expected


def test_nobody_is_evicted_while_no_node_is_healthy():
    assert taints(make_node(("Ready", "Unknown")), evict=False) == {("unreachable", "NoSchedule")}


def test_taints_that_are_there_stay_as_they_are():
    node = make_node(("Ready", "False"))
    once = wanted_taints(node, evict=True, now=CREATED)
    node.spec.taints = once
    assert wanted_taints(node, evict=True, now=NOW) == once


def test_a_silent_node_is_unknown_in_all_that_it_reported():
    node = make_node(("Ready", "True"), ("MemoryPressure", "False"), ("PIDPressure", "Unknown"))
    changed = {c.type: c for c in silent_conditions(node, NOW)}
    assert set(changed) == {"Ready", "MemoryPressure", "DiskPressure"}
    ready = changed["Ready"]
    assert (ready.status, ready.reason) == ("Unknown", "NodeStatusUnknown")
    assert ready.message == "Kubelet stopped posting node status."
    assert (ready.last_heartbeat_time, ready.last_transition_time) == (CREATED, NOW)
    never = changed["DiskPressure"]
    assert (never.reason, never.message) == (
        "NodeStatusNeverUpdated",
        "Kubelet never posted node status.",
    )


def test_silence_is_told_once():
    types = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
    assert silent_conditions(make_node(*((t, "Unknown") for t in types)), NOW) == []


def test_any_healthy():
    ready, unwell = make_node(("Ready", "True")), make_node(("Ready", "False"))
    assert any_healthy([unwell, ready])
    assert not any_healthy([unwell, make_node()])

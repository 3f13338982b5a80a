"""Which Pod a command reaches into, which ports it forwards, which keys leave it."""

from __future__ import annotations

from typing import Any

import pytest

from podium.kubectl import selectors
from podium.kubectl.attachable import most_active
from podium.kubectl.errors import CommandError
from podium.kubectl.listening import Forwarded, addresses
from podium.kubectl.terminal import DetachKeys


def pod(name: str, phase: str, *, ready: str = "", restarts: int = 0, node: str = "n") -> Any:
    conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": ready}] if ready else []
    return {
        "metadata": {"name": name, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"nodeName": node},
        "status": {
            "phase": phase, "conditions": conditions,
            "containerStatuses": [{"restartCount": restarts}],
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("pods", "chosen"),
    [
        pytest.param([pod("a", "Pending"), pod("b", "Running")], "b", id="runs"),
        pytest.param([pod("a", "Running", node=""), pod("b", "Pending")], "b", id="has-a-node"),
        pytest.param(
            [pod("a", "Running"), pod("b", "Running", ready="2026-01-02T00:00:00Z")], "b",
            id="is-ready",
        ),
        pytest.param(
            [pod("a", "Running", ready="2026-01-03T00:00:00Z"),
             pod("b", "Running", ready="2026-01-02T00:00:00Z")], "b", id="ready-for-longer",
        ),
        pytest.param(
            [pod("a", "Running", restarts=2), pod("b", "Running", restarts=1)], "b",
            id="restarted-less",
        ),
    ],
)  # fmt: skip
def test_the_pod_that_serves_best(pods: list[Any], chosen: str):
    assert most_active(pods)["metadata"]["name"] == chosen
    assert most_active(reversed(pods))["metadata"]["name"] == chosen


def test_selectors():
    selector = {
        "matchLabels": {"b": "2"},
        "matchExpressions": [
            {"key": "a", "operator": "In", "values": ["y", "x"]},
            {"key": "c", "operator": "DoesNotExist"},
            {"key": "b", "operator": "Exists"},
        ],
    }
    assert selectors.as_text(selector) == "a in (x,y),b,b=2,!c"


@pytest.mark.parametrize(
    ("text", "ports"), [("80", (80, 80)), ("8080:80", (8080, 80)), (":80", (0, 80))]
)
def test_ports(text: str, ports: tuple[int, int]):
    assert Forwarded.parse(text) == Forwarded(*ports)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x:80", "error parsing local port 'x': strconv.ParseUint: parsing \"x\": invalid syntax"),
        ("1:65536", 'parsing "65536": value out of range'),
        ("1:0", "remote port must be > 0"),
    ],
)
def test_what_is_no_port(text: str, says: str):
    with pytest.raises(CommandError, match=says.replace("(", r"\(")):
        Forwarded.parse(text)


def test_addresses():
    found = addresses(["localhost", "10.1.2.3", "::1"])
    assert [(one.text, one.needed) for one in found] == [
        ("10.1.2.3", True), ("127.0.0.1", False), ("::1", True),
    ]  # fmt: skip
    assert found[2].at(80) == "[::1]:80"
    with pytest.raises(CommandError, match="example is not a valid IP"):
        addresses(["example"])


def test_keys_that_detach():
    keys = DetachKeys.parse("ctrl-p,ctrl-q")
    assert keys.feed(b"ab") == (b"ab", False)
    assert keys.feed(b"c\x10") == (b"c", False)
    assert keys.feed(b"\x10d") == (b"\x10\x10d", False)
    assert keys.feed(b"e\x10\x11f") == (b"e", True)
    with pytest.raises(CommandError, match="Unknown character: 'ctrl-%'"):
        DetachKeys.parse("ctrl-%")

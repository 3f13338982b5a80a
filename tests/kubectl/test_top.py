"""What ``kubectl top`` makes of metrics."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from podium.kubectl.errors import CommandError
from podium.kubectl.verbs import top
from podium.kubectl.verbs.top import _amounts, _of_node, _shown, _swap_of

USED = _amounts({"cpu": "250m", "memory": "1Gi", "swap": "512Mi"})
ALL = ("cpu", "memory", "swap")


def test_a_pod_without_metrics_for_long_is_told_wherever_it_stands(monkeypatch):
    times = {"new": datetime.now(UTC), "old": datetime.now(UTC) - timedelta(hours=1)}
    pods = [
        {"metadata": {"namespace": "n", "name": name, "creationTimestamp": f"{at:%FT%TZ}"}}
        for name, at in times.items()
    ]
    monkeypatch.setattr(top, "items", lambda *_: pods)
    invocation = SimpleNamespace(session=SimpleNamespace(http=None))
    with pytest.raises(CommandError, match=r"not available for pod n/old, age: 1h0m"):
        top._explain(invocation, "", ())
    pods.pop()
    with pytest.raises(CommandError, match=r"^metrics not available yet$"):
        top._explain(invocation, "", ())


def test_swap_is_shown_where_it_is_asked_for():
    assert _shown(USED, ALL[:2]) == ["250m", "1024Mi"]
    assert _shown(USED, ALL) == ["250m", "1024Mi", "512Mi"]


def test_shares_of_what_a_node_has():
    room = {"cpu": "1", "memory": "4Gi"}
    shown = ["250m", "25%", "1024Mi", "25%"]
    assert _of_node(USED, _amounts(room), ALL) == [*shown, "<unknown>", "<unknown>"]
    node = {"status": {"nodeInfo": {"swap": {"capacity": 1 << 30}}}}
    assert _of_node(USED, _amounts(room | _swap_of(node)), ALL) == [*shown, "512Mi", "50%"]

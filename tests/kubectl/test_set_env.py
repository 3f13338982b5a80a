"""``kubectl set env``: what is behind the sources of variables, and which containers are meant."""

from __future__ import annotations

import pytest

from podium.kubectl.setting.environment import _value
from podium.kubectl.updating import matching

_OBJ = {"metadata": {"name": "d", "labels": {"b": "2", "a": "1"}}}
_CONTAINER = {"name": "c", "resources": {"limits": {"cpu": "1500m", "memory": "64Mi"}}}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ({"fieldRef": {"fieldPath": "metadata.name"}}, "d"),
        ({"fieldRef": {"fieldPath": "metadata.labels['a']"}}, "1"),
        ({"fieldRef": {"fieldPath": "metadata.labels"}}, 'a="1"\nb="2"'),
        ({"fieldRef": {"fieldPath": "metadata.annotations"}}, ""),
        ({"resourceFieldRef": {"resource": "limits.cpu"}}, "2"),
        ({"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}, "64"),
        ({"resourceFieldRef": {"resource": "requests.cpu", "containerName": "x"}}, "2"),
    ],
)
def test_what_is_behind_a_source(source, value):
    assert _value(None, source, _OBJ, _CONTAINER) == value


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ({"fieldRef": {"fieldPath": "spec.nodeName"}}, "unsupported fieldPath: spec.nodeName"),
        ({"resourceFieldRef": {"resource": "x"}}, "unsupported container resource : x"),
    ],
)
def test_sources_with_nothing_behind_them(source, why):
    with pytest.raises(ValueError, match=why):
        _value(None, source, _OBJ, _CONTAINER)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [("*", "c c2 d"), ("c*", "c c2"), ("*2", "c2"), ("c", "c"), ("c?", ""), ("[c]", ""), ("", "")],
)
def test_containers_by_pattern(pattern, names):
    """Stars alone stand for others."""
    containers = [{"name": name} for name in ("c", "c2", "d")]
    assert [one["name"] for one in matching(containers, pattern)] == names.split()

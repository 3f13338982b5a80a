"""``kubectl set env``: what is behind the sources of variables, and which containers are meant."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from podium.kubectl.errors import StatusError
from podium.kubectl.main import main
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
        ({"resourceFieldRef": {"resource": "requests.cpu", "containerName": "x"}}, "0"),
        ({"resourceFieldRef": {"resource": "limits.ephemeral-storage"}}, "0"),
    ],
)
def test_what_is_behind_a_source(source, value):
    assert _value(None, source, _OBJ, _CONTAINER) == value


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ({"fieldRef": {"fieldPath": "spec.nodeName"}}, "unsupported fieldPath: spec.nodeName"),
        ({"resourceFieldRef": {"resource": "x"}}, "unsupported container resource : x"),
        ({}, "invalid valueFrom"),
        ({"secretKeyRef": {"name": "../pods/x", "key": "k"}}, "may not contain '/'"),
        ({"fileKeyRef": {"path": "p", "key": "k", "volumeName": "v"}}, "invalid valueFrom"),
    ],
)
def test_sources_with_nothing_behind_them(source, why):
    session = SimpleNamespace(namespace="n")  # nobody is asked
    with pytest.raises((ValueError, StatusError), match=why):
        _value(session, source, _OBJ, _CONTAINER)


def test_what_cannot_be_resolved_is_told_once(tmp_path, capsys):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    sources = {"B": {}, "A": {"fileKeyRef": {"path": "p", "key": "k", "volumeName": "v"}},
               "C": {"fieldRef": {"fieldPath": "metadata.name"}}}  # fmt: skip
    env = [{"name": name, "valueFrom": source} for name, source in sources.items()]
    pod["spec"] = {"containers": [{"name": "c", "image": "x", "env": [*env, {"name": "D"}]}]}
    (tmp_path / "pod.json").write_text(json.dumps(pod))
    words = ["set", "env", "-f", f"{tmp_path}/pod.json", "--local", "--list", "--resolve"]
    assert main(words) == 0
    said = capsys.readouterr()
    lines = ["# Pod p, container c", "# B from invalid valueFrom", "# A from invalid valueFrom",
             "C=p", "D="]  # fmt: skip
    assert said.out.splitlines() == lines
    assert said.err == "error retrieving reference for A, B: invalid valueFrom\n"


@pytest.mark.parametrize(
    ("pattern", "names"),
    [("*", "c c2 d"), ("c*", "c c2"), ("*2", "c2"), ("c", "c"), ("c?", ""), ("[c]", ""), ("", "")],
)
def test_containers_by_pattern(pattern, names):
    """Stars alone stand for others."""
    containers = [{"name": name} for name in ("c", "c2", "d")]
    assert [one["name"] for one in matching(containers, pattern)] == names.split()

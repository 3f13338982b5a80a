"""Taints as words, and what a node's become."""

from __future__ import annotations

import pytest

from podium.kubectl import taints
from podium.kubectl.taints import TaintError

OLD = [{"key": "a", "value": "b", "effect": "NoSchedule"}, {"key": "c", "effect": "NoExecute"}]


@pytest.mark.parametrize(
    ("words", "new", "did", "missing"),
    [
        (["d=e:NoSchedule"], ["d", "a", "c"], "tainted", []),
        (["a-"], ["c"], "untainted", []),
        (["a:NoSchedule-", "c-"], [], "untainted", []),
        (["a:NoExecute-"], ["a", "c"], "untainted", ['taint "a:NoExecute" not found']),
        (["d:NoSchedule", "e:NoSchedule", "a-"], ["d", "e", "c"], "modified", []),
        (["a=x:NoExecute"], ["a", "a", "c"], "tainted", []),
    ],
)
def test_changes(words, new, did, missing):
    added, removed = taints.parse(words)
    found, called, problems = taints.changed(OLD, added, removed, overwrite=False)
    assert ([one["key"] for one in found], called, problems) == (new, did, missing)


def test_what_is_overwritten_is_modified():
    added, _ = taints.parse(["a=z:NoSchedule"])
    assert taints.existing(OLD, added) == ["a"]
    found, did, _ = taints.changed(OLD, added, [], overwrite=True)
    assert (found[0]["value"], len(found), did) == ("z", 2, "modified")


@pytest.mark.parametrize(
    "word",
    ["a=b:Foo", "a=b", "a:NoSchedule:x", "a=b=c:NoSchedule", "-a:NoSchedule", "a=-:NoExecute"],
)
def test_what_is_no_taint(word):
    with pytest.raises(TaintError):
        taints.parse([word])


def test_the_same_twice():
    with pytest.raises(TaintError, match="duplicated taints"):
        taints.parse(["a=b:NoSchedule", "a=c:NoSchedule"])


def test_added_and_removed_at_once():
    assert taints.contradictions(*taints.parse(["a=b:NoSchedule", "a-"])) == ["a="]

"""What a command's words name; an empty name never means all objects."""

from __future__ import annotations

import pytest

from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError
from podium.kubectl.targets import resolve


class Nothing:
    """No server: what core/v1 has is known without one."""


def named(*words):
    return [(target.type.plural, target.name) for target in resolve(words, Discovery(Nothing()))]


def test_names():
    assert named("po") == [("pods", "")]
    assert named("po,svc", "a", "b") == [("pods", "a"), ("pods", "b"), ("services", "a"),
                                         ("services", "b")]  # fmt: skip
    assert named("pod/a", "svc/b") == [("pods", "a"), ("services", "b")]


@pytest.mark.parametrize(
    "words", [("pod", ""), ("pod", "a", ""), ("pod/",), ("/a",), ("pod/a/b",), ("pod/a", "b")]
)
def test_what_names_nothing_is_refused(words):
    with pytest.raises(CommandError):
        named(*words)


@pytest.mark.parametrize(
    ("place", "says"),
    [
        (("a", ".."), "invalid resource name \"..\": [may not be '..']"),
        (
            ("a", "%2e/x"),
            "invalid resource name \"%2e/x\": [may not contain '/' may not contain '%']",
        ),
        (("a/b", "c"), "invalid namespace \"a/b\": [may not contain '/']"),
        (("a", "b", "c/d"), "invalid subresource \"c/d\": [may not contain '/']"),
    ],
)
def test_names_lead_nowhere_else(place, says):
    """A path such as /api/v1/namespaces/a/pods/.. would be that of all Pods, or of another kind."""
    with pytest.raises(CommandError) as caught:
        Discovery(Nothing()).find("pods").path(*place)
    assert (str(caught.value), caught.value.lines()) == (says, f"error: {says}")

"""What ``kubectl wait --for`` takes for as it should be."""

from __future__ import annotations

import pytest

from podium.kubectl.conditions import GONE, THERE, parse
from podium.kubectl.errors import CommandError

POD = {
    "metadata": {"name": "web", "generation": 2},
    "status": {
        "phase": "Running",
        "conditions": [
            {"type": "Ready", "status": "True", "observedGeneration": 2},
            {"type": "Seen", "status": "True", "observedGeneration": 1},
            {"type": "Failing", "status": "False"},
        ],
    },
}


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("condition=Ready", True),
        ("condition=ready=true", True),
        ("condition=Ready=False", False),
        ("condition=Failing", False),
        ("condition=Failing=False", True),
        ("condition=Other", False),
        pytest.param("condition=Seen", False, id="of-an-older-generation"),
        ("jsonpath={.status.phase}=Running", True),
        ("jsonpath={.status.phase}=Pending", False),
        ("jsonpath={.status.phase}", True),
        ("jsonpath={.status.nothing}", False),
        ('jsonpath={.status.conditions[?(@.type=="Failing")].status}=False', True),
        ("jsonpath=status.phase='Running'", True),
    ],
)
def test_a_condition_is_met_or_not(text, met):
    assert parse(text)(POD) is met


def test_being_there_and_being_gone():
    assert (parse("create"), parse("delete")) == (THERE, GONE)


@pytest.mark.parametrize(
    "text", ["", "foo", "jsonpath=", "jsonpath={.a}=", "jsonpath={.a}=b=c", "jsonpath={.a[x]}"]
)
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(CommandError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("jsonpath={.status.conditions[*].type}", "matches more than one value"),
        ("jsonpath={.status.conditions[7]}", "array index out of bounds: index 7, length 3"),
        ("jsonpath={.status.conditions}=x", "leads to a nested object or list"),
    ],
)
def test_of_some_objects_it_cannot_be_said(text, problem):
    with pytest.raises(CommandError, match=problem):
        parse(text)(POD)

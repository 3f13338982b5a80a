"""What a configuration must not say, in upstream's words."""

from __future__ import annotations

from typing import Any

import pytest

from podium.api.fields.checking import message, offences
from podium.api.fields.shapes import shape_of

POD = shape_of("io.k8s.api.core.v1.Pod")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param({"colour": 1}, ".colour: field not declared in schema", id="unknown"),
        pytest.param(
            {"spec": {"containers": [{"name": "c", "colour": 1}]}},
            '.spec.containers[name="c"].colour: field not declared in schema',
            id="unknown-in-an-item",
        ),
        pytest.param(
            {"spec": {"nodeName": 5}},
            ".spec.nodeName: expected string, got &value.valueUnstructured{Value:5}",
            id="number-for-text",
        ),
        pytest.param(
            {"spec": {"priority": "x"}},
            ".spec.priority: expected numeric (int or float), got string",
            id="text-for-number",
        ),
        pytest.param(
            {"spec": {"hostNetwork": "x"}},
            '.spec.hostNetwork: expected boolean, got "x"',
            id="text-for-truth",
        ),
        pytest.param({"spec": []}, ".spec: expected map, got []", id="list-for-map"),
        pytest.param(
            {"spec": {"containers": {"a": 1}}},
            ".spec.containers: expected list, got {a=1}",
            id="map-for-list",
        ),
        pytest.param(
            {"spec": {"containers": [{"image": "i"}]}},
            ".spec.containers: element 0: associative list with keys has an element that omits "
            'key field "name" (and doesn\'t have default value)',
            id="no-key",
        ),
        pytest.param(
            {"spec": {"containers": [{"name": "c"}, {"name": "c"}]}},
            '.spec.containers: duplicate entries for key [name="c"]',
            id="the-same-key-twice",
        ),
        pytest.param(
            {"metadata": {"finalizers": ["a", "a"]}},
            '.metadata.finalizers: duplicate entries for key [="a"]',
            id="the-same-value-twice",
        ),
        pytest.param(
            {"spec": {"containers": [None]}},
            ".spec.containers: element 0: associative list with keys may not have a null element",
            id="null-item",
        ),
        pytest.param(
            {"metadata": {"finalizers": [{}]}},
            ".metadata.finalizers: element 0: "
            "associative list without keys has an element that's a map type",
            id="map-in-a-set",
        ),
        pytest.param(
            {"spec": {"tolerations": [{"key": True}]}},
            ".spec.tolerations[0].key: expected string, got &value.valueUnstructured{Value:true}",
            id="in-an-atomic-list",
        ),
    ],
)
def test_offences(value: Any, text: str) -> None:
    assert offences(POD, value) == [text]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"spec": None}, id="null-is-anything"),
        pytest.param(
            {"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": 1}}}]}},
            id="quantities-may-be-numbers",
        ),
        pytest.param({"spec": {"terminationGracePeriodSeconds": 3}}, id="number"),
    ],
)
def test_what_fits(value: Any) -> None:
    assert offences(POD, value) == []


def test_several_offences_are_one_text() -> None:
    found = offences(POD, {"spec": {"nodeName": 5, "subdomain": None, "hostname": []}})
    assert message(found) == (
        "errors:\n"
        "  .spec.nodeName: expected string, got &value.valueUnstructured{Value:5}\n"
        "  .spec.hostname: expected string, got &value.valueUnstructured{Value:[]interface {}{}}"
    )

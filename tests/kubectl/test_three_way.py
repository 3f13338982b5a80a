"""What ``kubectl apply`` changes: the file's wishes, and what it wished last and no more."""

from __future__ import annotations

import pytest

from podium.api import schema, scheme
from podium.api.patch import strategic
from podium.kubectl import three_way

POD = schema.definition_of(scheme.PODS.type)


def pod(**spec):
    return {"metadata": {"name": "p"}, "spec": spec}


@pytest.mark.parametrize(
    ("last", "wanted", "current", "becomes"),
    [
        pytest.param(
            pod(a=1), pod(a=1), pod(a=1, b=2), pod(a=1, b=2), id="what-others-added-stays"
        ),
        pytest.param(pod(a=1, b=2), pod(a=1), pod(a=1, b=2), pod(a=1), id="no-longer-wanted-goes"),
        pytest.param(pod(a=1), pod(a=2), pod(a=3), pod(a=2), id="the-file-wins"),
        pytest.param(
            pod(containers=[{"name": "x", "image": "1"}, {"name": "y", "image": "1"}]),
            pod(containers=[{"name": "x", "image": "2"}]),
            pod(
                containers=[{"name": "x", "image": "1", "tty": True}, {"name": "y"}, {"name": "z"}]
            ),
            pod(containers=[{"name": "x", "image": "2", "tty": True}, {"name": "z"}]),
            id="items-by-their-keys",
        ),
        pytest.param(
            pod(containers=[{"name": "x", "tty": True, "image": "1"}]),
            pod(containers=[{"name": "x", "image": "1"}]),
            pod(containers=[{"name": "x", "tty": True, "image": "1", "stdin": True}]),
            pod(containers=[{"name": "x", "image": "1", "stdin": True}]),
            id="a-field-of-an-item-goes",
        ),
    ],
)
def test_strategic(last, wanted, current, becomes):
    patch = three_way.strategic_patch(last, wanted, current, POD)
    assert strategic.apply(current, patch, POD) == becomes


def test_nothing_to_do_is_an_empty_patch():
    same = pod(containers=[{"name": "x", "image": "1"}])
    more = pod(containers=[{"name": "x", "image": "1", "tty": False}], nodeName="n")
    assert three_way.strategic_patch(same, same, more, POD) == {}


@pytest.mark.parametrize(
    ("last", "wanted", "current", "patch"),
    [
        ({"a": 1}, {"a": 2}, {"a": 1, "b": 1}, {"a": 2}),
        ({"a": 1, "b": 1}, {"a": 1}, {"a": 1, "b": 1}, {"b": None}),
        ({"a": {"x": 1, "y": 1}}, {"a": {"x": 1}}, {"a": {"x": 1, "y": 1}}, {"a": {"y": None}}),
        ({"a": 1}, {"a": 1}, {"a": 1, "b": 1}, {}),
        ({"a": [1]}, {"a": [2]}, {"a": [1, 3]}, {"a": [2]}),
    ],
)
def test_merge(last, wanted, current, patch):
    assert three_way.merge_patch(last, wanted, current) == patch

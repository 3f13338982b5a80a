"""What ``kubectl apply`` changes: the file's wishes, and what it wished last and no more."""

from __future__ import annotations

import pytest

from podium.api import schema, scheme
from podium.api.patch import strategic
from podium.kubectl import three_way

POD = schema.definition_of(scheme.PODS.type)


def pod(**spec):
    return {"metadata": {"name": "p"}, "spec": spec}


def env(*variables):
    """A pod whose only container has these variables, of which those without a value have none."""
    items = [{"name": n} | ({"value": v} if v is not None else {}) for n, v in variables]
    return pod(containers=[{"name": "c", "env": items}])


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
        pytest.param(
            env(("old", "1"), ("a", "1"), ("b", None)),
            env(("new", "1"), ("a", None), ("b", "2")),
            env(("old", "1"), ("a", "1"), ("b", None)),
            env(("new", "1"), ("a", None), ("b", "2")),
            id="additions-and-deletions-in-the-order-of-the-file",
        ),
        pytest.param(
            env(("a", "1"), ("b", "1")),
            env(("b", "1"), ("a", "1")),
            env(("z", "1"), ("a", "1"), ("b", "1")),
            env(("z", "1"), ("b", "1"), ("a", "1")),
            id="only-the-order-changes",
        ),
    ],
)
def test_strategic(last, wanted, current, becomes):
    patch = three_way.strategic_patch(last, wanted, current, POD)
    assert strategic.apply(current, patch, POD) == becomes


def test_items_come_in_the_order_the_patch_names():
    last = env(("old", "1"), ("a", "1"), ("b", None))
    patch = three_way.strategic_patch(last, env(("new", "1"), ("a", None), ("b", "2")), last, POD)
    (container,) = patch["spec"]["containers"]
    assert [item["name"] for item in container["env"]] == ["new", "a", "b", "old"]


def test_defaults_of_unions_are_nothing_to_do():
    definition = schema.definition_of(scheme.DEPLOYMENTS.type)
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 2}}
    volume = {"name": "v", "configMap": {"name": "cm"}}

    def deployment(strategy, volume):
        return {"spec": {"strategy": strategy, "template": {"spec": {"volumes": [volume]}}}}

    wanted = deployment(rolling, volume)
    current = deployment(
        {**rolling, "rollingUpdate": {"maxSurge": 2, "maxUnavailable": 1}},
        {**volume, "configMap": {"name": "cm", "defaultMode": 420}},
    )
    assert three_way.strategic_patch(wanted, wanted, current, definition) == {}
    other = deployment({"type": "Recreate"}, {"name": "v", "emptyDir": {}})
    patch = three_way.strategic_patch(wanted, other, current, definition)
    assert strategic.apply(current, patch, definition) == other
    patch = three_way.strategic_patch(other, other, current, definition)
    assert strategic.apply(current, patch, definition) == other


def test_ports_of_two_protocols_share_their_key():
    ports = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
    wanted = {"spec": {"ports": ports}}
    current = {"spec": {"ports": [{**port, "nodePort": 30053} for port in ports]}}
    definition = schema.definition_of(scheme.SERVICES.type)
    assert three_way.strategic_patch(wanted, wanted, current, definition) == {}
    between = {"spec": {"ports": [ports[0], {"port": 80}, {**ports[1], "name": "t"}]}}
    patch = three_way.strategic_patch({}, between, {"spec": {"ports": [{"port": 80}]}}, definition)
    assert patch["spec"]["ports"] == [ports[0], {**ports[1], "name": "t"}]
    patch = three_way.strategic_patch(wanted, between, current, definition)
    assert [port["port"] for port in patch["spec"]["ports"]] == [80, 53]
    fewer = {"spec": {"ports": ports[1:]}}
    patch = three_way.strategic_patch(wanted, fewer, current, definition)
    assert strategic.apply(current, patch, definition) == fewer
    other = {"spec": {"ports": [{**ports[0], "name": "u", "targetPort": 1}]}}
    more = {"spec": {"ports": [{**ports[0], "name": "u"}, {**ports[1], "name": "t"}]}}
    patch = three_way.strategic_patch(more, other, more, definition)
    assert strategic.apply(more, patch, definition) == other


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

"""Strategic merge patch: applied as upstream does, and computed to lead to the new object."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api.patch import strategic
from podium.api.patch.strategic import PatchFailure

POD_SPEC = "io.k8s.api.core.v1.PodSpec"
POD_STATUS = "io.k8s.api.core.v1.PodStatus"
SERVICE_SPEC = "io.k8s.api.core.v1.ServiceSpec"
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
SPEC = {
    "containers": [
        {
            "name": "c",
            "image": "app:1",
            "command": ["a", "b"],
            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            "volumeMounts": [{"name": "v", "mountPath": "/v"}],
        },
        {"name": "d", "image": "app:1"},
    ],
    "volumes": [{"name": "v", "emptyDir": {}}, {"name": "w", "configMap": {"name": "m"}}],
    "nodeSelector": {"x": "y"},
    "tolerations": [{"key": "k", "operator": "Exists"}],
}


def names(items):
    return [item["name"] for item in items]


@pytest.mark.parametrize(
    ("patch", "order"),
    [
        pytest.param([{"name": "d", "$patch": "delete"}], ["c"], id="delete"),
        pytest.param([{"name": "z"}, {"$patch": "replace"}], ["z"], id="replace"),
        pytest.param([{"name": "z"}], ["z", "c", "d"], id="new-ones-come-first"),
        pytest.param([{"name": "d"}, {"name": "z"}], ["c", "d", "z"], id="between-known-ones"),
        pytest.param([{"name": "d"}, {"name": "c"}], ["d", "c"], id="in-the-order-of-the-patch"),
        pytest.param([], ["c", "d"], id="nothing"),
        pytest.param(None, None, id="null-removes-the-list"),
    ],
)
def test_items_of_a_merged_list(patch, order):
    result = strategic.apply(SPEC, {"containers": patch}, POD_SPEC)
    assert (names(result["containers"]) if "containers" in result else None) == order


def test_items_are_merged_by_their_key():
    result = strategic.apply(SPEC, {"containers": [{"name": "c", "image": "app:2"}]}, POD_SPEC)
    assert result["containers"][0] == SPEC["containers"][0] | {"image": "app:2"}
    assert result["containers"][1] == SPEC["containers"][1]


def test_lists_inside_items_are_merged_too():
    env = [{"name": "B", "value": "two"}, {"name": "C"}, {"name": "A", "$patch": "delete"}]
    result = strategic.apply(SPEC, {"containers": [{"name": "c", "env": env}]}, POD_SPEC)
    assert result["containers"][0]["env"] == [{"name": "B", "value": "two"}, {"name": "C"}]


@pytest.mark.parametrize("field", ["command", "tolerations"])
def test_lists_without_a_strategy_are_replaced(field):
    if field == "command":
        result = strategic.apply(SPEC, {"containers": [{"name": "c", field: ["z"]}]}, POD_SPEC)
        assert result["containers"][0][field] == ["z"]
    else:
        result = strategic.apply(SPEC, {field: [{"key": "z"}]}, POD_SPEC)
        assert result[field] == [{"key": "z"}]


@pytest.mark.parametrize(
    ("patch", "selector"),
    [
        ({"n": "m"}, {"x": "y", "n": "m"}),
        ({"x": None, "n": "m"}, {"n": "m"}),
        ({"$patch": "replace", "n": "m"}, {"n": "m"}),
        ({"$patch": "delete"}, {}),
    ],
    ids=str,
)
def test_maps(patch, selector):
    result = strategic.apply(SPEC, {"nodeSelector": patch}, POD_SPEC)
    assert result["nodeSelector"] == selector


def test_retain_keys_clears_what_it_does_not_name():
    volume = {"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/h"}}
    result = strategic.apply(SPEC, {"volumes": [volume]}, POD_SPEC)
    assert result["volumes"][0] == {"name": "v", "hostPath": {"path": "/h"}}


@pytest.mark.parametrize(
    ("patch", "finalizers"),
    [
        ({"finalizers": ["c/d", "a/b"]}, ["c/d", "a/b"]),
        ({"finalizers": ["e/f"]}, ["e/f", "a/b", "c/d"]),
        ({"$deleteFromPrimitiveList/finalizers": ["a/b"]}, ["c/d"]),
        ({"$setElementOrder/finalizers": ["c/d", "a/b"]}, ["c/d", "a/b"]),
        (
            {"finalizers": ["e/f"], "$setElementOrder/finalizers": ["a/b", "e/f"]},
            ["a/b", "e/f", "c/d"],
        ),
    ],
    ids=str,
)
def test_lists_of_plain_values_are_sets(patch, finalizers):
    assert strategic.apply({"finalizers": ["a/b", "c/d"]}, patch, META)["finalizers"] == finalizers


def test_the_order_list_orders_what_it_names():
    patch = {"$setElementOrder/containers": [{"name": "d"}, {"name": "c"}]}
    assert names(strategic.apply(SPEC, patch, POD_SPEC)["containers"]) == ["d", "c"]
    patch["containers"] = [{"name": "c", "image": "new"}]
    result = strategic.apply(SPEC, patch, POD_SPEC)["containers"]
    assert [(item["name"], item["image"]) for item in result] == [("d", "app:1"), ("c", "new")]


def test_ports_of_a_service_are_known_by_their_number():
    spec = {"ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81}]}
    patch = {"ports": [{"port": 80, "targetPort": 8080}, {"name": "c", "port": 82}]}
    assert strategic.apply(spec, patch, SERVICE_SPEC)["ports"] == [
        {"name": "a", "port": 80, "targetPort": 8080},
        {"name": "c", "port": 82},
        {"name": "b", "port": 81},
    ]


def test_directives_do_not_get_into_what_is_added():
    container = {
        "name": "z",
        "env": [{"name": "A", "$patch": "delete"}, {"name": "B"}, {"$patch": "replace"}],
        "$setElementOrder/env": [{"name": "B"}],
        "resources": {"$patch": "replace", "limits": {"cpu": "1"}},
        "lifecycle": {"$patch": "delete"},
        "image": None,
    }
    result = strategic.apply(SPEC, {"containers": [container]}, POD_SPEC)
    assert result["containers"][0] == {
        "name": "z",
        "env": [{"name": "B"}],
        "resources": {"limits": {"cpu": "1"}},
    }


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        (
            {"containers": [{"image": "x"}]},
            "map: map[image:x] does not contain declared merge key: name",
        ),
        (
            {"containers": [{"name": "c", "$patch": "mix"}]},
            "unknown patch type: mix in map: map[$patch:mix name:c]",
        ),
        (
            {"nodeSelector": {"$patch": "mix"}},
            "unknown patch type: mix in map: map[$patch:mix]",
        ),
        (
            {"containers": [{"$patch": "merge"}]},
            "merging lists cannot yet be specified in the patch",
        ),
        (
            {
                "$setElementOrder/containers": [{"name": "d"}],
                "containers": [{"name": "c", "image": "new"}],
            },
            "The order in patch list:\n[map[image:new name:c]]\n doesn't match "
            "$setElementOrder list:\n[map[name:d]]\n",
        ),
        (
            {"volumes": [{"name": "v", "$retainKeys": ["name"], "hostPath": {}}]},
            "invalid patch format of retainKeys",
        ),
        ({"$retainKeys": "name"}, "invalid patch format of retainKeys"),
        ({"$setElementOrder/containers": "c"}, "invalid patch format of setElementOrder list"),
        ({"$setElementOrder": []}, "invalid patch format of setElementOrder list"),
        ({"$deleteFromPrimitiveList": []}, "invalid patch format of primitive list"),
        ({"containers": [[]]}, "lists of lists are not supported"),
    ],
)
def test_patches_that_cannot_be_applied(patch, message):
    with pytest.raises(PatchFailure) as failure:
        strategic.apply(SPEC, patch, POD_SPEC)
    assert str(failure.value) == message


def test_the_inputs_stay_as_they_are():
    patch = {
        "containers": [{"name": "c", "env": [{"name": "A", "$patch": "delete"}]}],
        "$setElementOrder/containers": [{"name": "d"}, {"name": "c"}],
        "volumes": [{"name": "w", "$retainKeys": ["name"]}],
    }
    before = copy.deepcopy((SPEC, patch))
    strategic.apply(SPEC, patch, POD_SPEC)
    assert (SPEC, patch) == before


@pytest.mark.parametrize(
    ("old", "new", "patch"),
    [
        pytest.param({"phase": "Pending"}, {"phase": "Pending"}, {}, id="equal"),
        pytest.param({"phase": "Pending"}, {"phase": "Running"}, {"phase": "Running"}, id="text"),
        pytest.param({"phase": "Pending"}, {}, {"phase": None}, id="gone"),
        pytest.param({}, {"podIPs": []}, {"podIPs": []}, id="empty-list"),
        pytest.param(
            {"conditions": [{"type": "A", "status": "F"}]},
            {"conditions": [{"type": "A", "status": "T"}]},
            {
                "conditions": [{"type": "A", "status": "T"}],
                "$setElementOrder/conditions": [{"type": "A"}],
            },
            id="an-item-changed",
        ),
        pytest.param(
            {"conditions": [{"type": "A"}, {"type": "B"}]},
            {"conditions": [{"type": "B"}]},
            {
                "conditions": [{"type": "A", "$patch": "delete"}],
                "$setElementOrder/conditions": [{"type": "B"}],
            },
            id="an-item-gone",
        ),
        pytest.param(
            {"conditions": [{"type": "A"}, {"type": "B"}]},
            {"conditions": [{"type": "B"}, {"type": "A"}]},
            {"$setElementOrder/conditions": [{"type": "B"}, {"type": "A"}]},
            id="another-order",
        ),
        pytest.param(
            {"containerStatuses": [{"name": "a"}]},
            {"containerStatuses": [{"name": "a", "ready": True}]},
            {"containerStatuses": [{"name": "a", "ready": True}]},
            id="replaced-list",
        ),
    ],
)
def test_diff(old, new, patch):
    assert strategic.diff(old, new, POD_STATUS) == patch


def test_the_difference_of_volumes_names_the_keys_to_retain():
    old = {"volumes": [{"name": "v", "emptyDir": {}}]}
    new = {"volumes": [{"name": "v", "hostPath": {"path": "/h"}}]}
    assert strategic.diff(old, new, POD_SPEC)["volumes"] == [
        {
            "name": "v",
            "hostPath": {"path": "/h"},
            "emptyDir": None,
            "$retainKeys": ["hostPath", "name"],
        }
    ]


def keyed(key, extra):
    """Lists of maps, each with another value of *key*."""
    return st.lists(
        st.fixed_dictionaries({key: st.sampled_from("abcd")}, optional=extra),
        max_size=4,
        unique_by=lambda item: item[key],
    )


CONTAINERS = keyed(
    "name",
    {
        "image": st.sampled_from("xy"),
        "command": st.lists(st.sampled_from("xy"), max_size=2),
        "tty": st.booleans(),
        "env": keyed("name", {"value": st.sampled_from("xy")}),
        "volumeMounts": keyed("mountPath", {"name": st.sampled_from("xy")}),
        "resources": st.fixed_dictionaries(
            {}, optional={"limits": st.dictionaries(st.sampled_from("ab"), st.just("1"))}
        ),
    },
)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "containers": CONTAINERS,
        "volumes": keyed("name", {"emptyDir": st.just({}), "hostPath": st.just({"path": "/"})}),
        "nodeSelector": st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy")),
        "tolerations": st.lists(st.just({"key": "k"}), max_size=2),
        "priority": st.integers(0, 1),
        "hostNetwork": st.booleans(),
    },
)


def without_empty(value):
    """*value* without empty maps and lists, which a decoder does not tell from nothing."""
    if isinstance(value, dict):
        cleaned = {key: without_empty(item) for key, item in value.items()}
        return {key: item for key, item in cleaned.items() if item not in ({}, [])}
    return [without_empty(item) for item in value] if isinstance(value, list) else value


@given(SPECS, SPECS)
def test_the_difference_leads_from_the_old_to_the_new(old, new):
    patched = strategic.apply(old, strategic.diff(old, new, POD_SPEC), POD_SPEC)
    assert without_empty(patched) == without_empty(new)
    assert strategic.diff(new, new, POD_SPEC) == {}


@given(
    st.lists(st.sampled_from("abcd"), unique=True), st.lists(st.sampled_from("abcd"), unique=True)
)
def test_the_difference_of_sets_leads_from_the_old_to_the_new(old, new):
    before, after = {"finalizers": old}, {"finalizers": new}
    patched = strategic.apply(before, strategic.diff(before, after, META), META)
    assert patched.get("finalizers", []) == new

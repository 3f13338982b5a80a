"""JSON patch."""

import contextlib
import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api.patch import json_patch
from podium.api.patch.json_patch import PatchFailure


def op(kind, path, value=None, **members):
    return {"op": kind, "path": path, **({} if value is None else {"value": value}), **members}


DOCUMENT = {"data": {"a": "1", "b": "2"}, "list": [1, 2, 3], "a/b": {"~c": 5}}


@pytest.mark.parametrize(
    ("operations", "where", "result"),
    [
        pytest.param([], "data", {"a": "1", "b": "2"}, id="nothing"),
        pytest.param([op("add", "/data/c", "3")], "data", {"a": "1", "b": "2", "c": "3"}, id="add"),
        pytest.param([op("add", "/data/a", "9")], "data", {"a": "9", "b": "2"}, id="add-replaces"),
        pytest.param([op("add", "/list/-", 4)], "list", [1, 2, 3, 4], id="append"),
        pytest.param([op("add", "/list/0", 0)], "list", [0, 1, 2, 3], id="insert-first"),
        pytest.param([op("add", "/list/3", 4)], "list", [1, 2, 3, 4], id="insert-at-the-end"),
        pytest.param([op("remove", "/list/-1")], "list", [1, 2], id="negative-index"),
        pytest.param([op("remove", "/data/a")], "data", {"b": "2"}, id="remove"),
        pytest.param([op("replace", "/list/1", 9)], "list", [1, 9, 3], id="replace-in-list"),
        pytest.param([op("replace", "/a~1b/~0c", 6)], "a/b", {"~c": 6}, id="escapes"),
        pytest.param(
            [op("move", "/data/c", **{"from": "/data/a"})], "data", {"b": "2", "c": "1"}, id="move"
        ),
        pytest.param(
            [op("copy", "/list/0", **{"from": "/list/2"})], "list", [3, 1, 2, 3], id="copy"
        ),
        pytest.param([op("test", "/list", [1, 2, 3])], "list", [1, 2, 3], id="test-passes"),
        pytest.param([op("add", "data/a", "x")], "a", "x", id="first-part-is-not-looked-at"),
        pytest.param([op("add", "/new", {"x": None})], "new", {"x": None}, id="null-inside"),
    ],
)
def test_apply(operations, where, result):
    before = copy.deepcopy((DOCUMENT, operations))
    assert json_patch.apply(DOCUMENT, operations)[where] == result
    assert (DOCUMENT, operations) == before


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (op("add", "/x/y", 1), "add operation does not apply: doc is missing path: /x/y: "),
        (op("remove", "/x"), "error in remove for path: '/x': Unable to remove nonexistent key: x"),
        (op("replace", "/x", 1), "replace operation does not apply: doc is missing key: /x: "),
        (
            op("move", "/y", **{"from": "/x/z"}),
            "move operation does not apply: doc is missing from path: /x/z: ",
        ),
        (
            op("copy", "/x/y", **{"from": "/data"}),
            "copy operation does not apply: doc is missing destination path: /x/y: ",
        ),
        (op("add", "/list/9", 1), "Unable to access invalid index: 9: invalid index referenced"),
        (op("add", "/list/-9", 1), "Unable to access invalid index: -9: "),
        (op("add", "/list/x", 1), 'strconv.Atoi: parsing "x": invalid syntax'),
        (op("test", "/list", [1, 2]), "testing value /list failed: test failed"),
        (op("test", "/data/z", "1"), "testing value /data/z failed: test failed"),
        (op("test", "/list/0", True), "testing value /list/0 failed: test failed"),
        (op("spoil", "/list"), "Unexpected kind: spoil"),
        ({"path": "/a"}, "Unexpected kind: unknown"),
        (None, "Unexpected kind: unknown"),
        ({"op": "add"}, "add operation failed to decode path: missing value"),
        ({"op": "move", "path": "/a"}, "move operation failed to decode from: missing value"),
    ],
    ids=str,
)
def test_what_does_not_apply(operation, message):
    with pytest.raises(PatchFailure) as failure:
        json_patch.apply(DOCUMENT, [operation])
    assert message in str(failure.value)


def test_nothing_is_done_when_a_later_operation_fails():
    with pytest.raises(PatchFailure):
        json_patch.apply(DOCUMENT, [op("remove", "/data/a"), op("test", "/data/b", "no")])
    assert DOCUMENT["data"] == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ({}, "json: cannot unmarshal object into Go value of type jsonpatch.Patch"),
        ("x", "json: cannot unmarshal string into Go value of type jsonpatch.Patch"),
        ([5], "json: cannot unmarshal number into Go value of type jsonpatch.Operation"),
    ],
    ids=str,
)
def test_what_is_no_patch(patch, message):
    with pytest.raises(ValueError) as failure:  # noqa: PT011 - the whole text is compared
        json_patch.apply(DOCUMENT, patch)
    assert str(failure.value) == message


def test_copies_cannot_double_their_way_up():
    doubling = [op("add", "/x", ["y" * 1000])]
    doubling += [op("copy", "/x/-", **{"from": "/x"})] * 40
    with pytest.raises(PatchFailure, match="accumulated size increase of copy operation"):
        json_patch.apply({}, doubling)


PATHS = st.sampled_from(["/a", "/a/b", "/l/0", "/l/-", "/l/-1", "/x/y", "", "a", "/a~1", "/l/z"])
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), "path": PATHS},
    optional={"from": PATHS, "value": st.sampled_from([1, "x", [], {"b": 2}, None])},
)


@given(st.lists(OPERATIONS, max_size=5))
def test_any_patch_applies_or_is_refused_and_leaves_its_input_alone(operations):
    document = {"a": {"b": 1}, "l": [1, {"c": []}]}
    before = copy.deepcopy(document)
    with contextlib.suppress(PatchFailure):
        json_patch.apply(document, operations)
    assert document == before

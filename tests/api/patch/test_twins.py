"""Patches against a second implementation, naive and from the specifications."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api import schema
from podium.api.patch import json_patch, merge, strategic
from podium.api.patch.json_patch import PatchFailure
from podium.api.schema import Definition
from podium.api.scheme import DEPLOYMENTS, PODS, SERVICES, Resource
from support import naive_patches
from support.fuzzing import examples
from support.generated import documents
from support.naive_patches import Refused

VALUES = st.recursive(
    st.sampled_from([0, 1, 1.0, True, False, None, "", "a", "/"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "b", "~", "/", ""]), inner, max_size=2)
    ),
    max_leaves=6,
)


# ---------------------------------------------------------------------- JSON patch


@st.composite
def json_patches(draw: st.DrawFn) -> tuple[Any, list[dict[str, Any]]]:
    """Draw a document and operations on places that are mostly there."""
    document = draw(st.dictionaries(st.sampled_from(["a", "b", "~", "/"]), VALUES, max_size=3))
    operations = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]))
        operation: dict[str, Any] = {"op": kind, "path": draw(pointers(document))}
        if kind in ("move", "copy"):
            operation["from"] = draw(pointers(document))
        elif kind != "remove":
            operation["value"] = draw(VALUES)
        operations.append(operation)
    return document, operations


@st.composite
def pointers(draw: st.DrawFn, document: Any) -> str:
    """Draw the pointer of a place in *document*, or of one that might be beside it."""
    there, pointer = document, ""
    while True:
        if isinstance(there, dict):
            names = [*sorted(there), "a", "b"]
        elif isinstance(there, list):
            names = [*map(str, range(len(there) + 1)), "-", "00", "x"]
        else:
            names = ["a", "0"]
        name = draw(st.sampled_from(names))
        pointer += "/" + name.replace("~", "~0").replace("/", "~1")
        try:
            there = there[name] if isinstance(there, dict) else there[int(name)]
        except (KeyError, IndexError, ValueError, TypeError):
            return pointer
        if draw(st.booleans()):
            return pointer


@examples(300)
@given(json_patches())
def test_json_patches(made: tuple[Any, list[dict[str, Any]]]) -> None:
    document, operations = made
    try:
        expected = naive_patches.json_patch(document, operations)
    except Refused:
        expected = Refused
    try:
        result = json_patch.apply(document, operations)
    except PatchFailure:
        result = Refused
    assert result == expected or _lenient(operations)


def _lenient(operations: list[dict[str, Any]]) -> bool:
    """Where Go's library, and so a real server, takes more than the RFC: places in lists with
    zeros in front, and tests of what is not there for null."""
    return any(
        "/00" in operation["path"] + operation.get("from", "")
        or (operation["op"] == "test" and operation["value"] is None)
        for operation in operations
    )


# ---------------------------------------------------------------------- merge patch


@examples(100)
@given(VALUES, VALUES)
def test_merge_patches(document: Any, patch: Any) -> None:
    assert merge.apply(document, patch) == naive_patches.merge_patch(document, patch)


# ---------------------------------------------------------------------- strategic merge patch


class _Patcher:
    """Draws a strategic merge patch that makes something of one object towards another."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def one_in(self, count: int) -> bool:
        return self._draw(st.integers(0, count - 1)) == 0

    def patch(self, old: Any, new: Any, found: Definition, retains: bool = False) -> dict[str, Any]:
        patch: dict[str, Any] = {}
        for name in sorted({**old, **new}):
            if self.one_in(3):
                continue
            if name not in new:
                patch[name] = None
                continue
            self._member(patch, name, old.get(name), new[name], schema.field(found, name))
        if self.one_in(12):
            return {**patch, "$patch": "replace"}
        if retains and self.one_in(2):
            patch["$retainKeys"] = sorted({*patch, *(n for n in old if self.one_in(2))})
        return patch

    def _member(
        self, patch: dict[str, Any], name: str, old: Any, new: Any, field: Definition
    ) -> None:
        strategies = field.get("x-kubernetes-patch-strategy", "").split(",")
        key = field.get("x-kubernetes-patch-merge-key", "")
        if isinstance(new, dict) and isinstance(old, dict):
            inner = schema.resolve(field)
            patch[name] = self.patch(old, new, inner, "retainKeys" in strategies)
        elif isinstance(new, list) and "merge" in strategies and _distinct(new, key):
            before = old if isinstance(old, list) and _distinct(old, key) else []
            patch[name] = [self._item(item, before, key, field) for item in new]
            changed = [item.get(key) if key else item for item in patch[name]]
            if key:
                patch[name] += [
                    {"$patch": "delete", key: item[key]}
                    for item in before
                    if item[key] not in changed and self.one_in(2)
                ]
                if self.one_in(10):
                    patch[name].append({"$patch": "replace"})
                elif self.one_in(2):
                    order = [*changed, *(i[key] for i in before if i[key] not in changed)]
                    order = self._draw(st.permutations(order))
                    patch[f"$setElementOrder/{name}"] = [{key: each} for each in order]
                    rank = order.index
                    patch[name].sort(key=lambda item: rank(item[key]))
            elif self.one_in(2):
                gone = [item for item in before if item not in new]
                patch[f"$deleteFromPrimitiveList/{name}"] = gone
        else:
            patch[name] = new

    def _item(self, item: Any, before: list[Any], key: str, field: Definition) -> Any:
        there = next((one for one in before if key and one[key] == item[key]), None)
        if there is None:
            return item
        return {**self.patch(there, item, schema.items(field)), key: item[key]}


def _distinct(items: list[Any], key: str) -> bool:
    if not key:
        return not any(isinstance(item, dict | list) for item in items)
    names = [item.get(key) for item in items if isinstance(item, dict)]
    return len(names) == len(items) == len(set(map(str, names))) and None not in names


@st.composite
def strategic_patches(draw: st.DrawFn) -> tuple[Resource, Any, Any]:
    resource = draw(st.sampled_from([PODS, SERVICES, DEPLOYMENTS]))
    old, new = draw(documents(resource)), draw(documents(resource))
    definition = schema.definition(schema.definition_of(resource.type))
    return resource, old, _Patcher(draw).patch(old, new, definition)


@examples(150)
@given(strategic_patches())
def test_strategic_merge_patches(made: tuple[Resource, Any, Any]) -> None:
    resource, old, patch = made
    definition = schema.definition_of(resource.type)
    try:
        expected = naive_patches.strategic_merge_patch(old, patch, definition)
    except Refused:
        with pytest.raises(strategic.PatchFailure):
            strategic.apply(old, patch, definition)
        return
    result = strategic.apply(old, patch, definition)
    if "$setElementOrder" in str(patch):  # where items that it does not name go, is open
        assert _in_no_order(_without_nulls(result)) == _in_no_order(_without_nulls(expected))
        _check_order(result, patch)
    else:
        assert _without_nulls(result) == _without_nulls(expected)


def _without_nulls(value: Any) -> Any:
    """A field that is null is one that is not there."""
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _in_no_order(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _in_no_order(item) for name, item in value.items()}
    if isinstance(value, list):
        return sorted(map(_in_no_order, value), key=str)
    return value


def _check_order(result: Any, patch: Any) -> None:
    """Items stand as the patch has them ordered, on every level."""
    if not isinstance(patch, dict) or not isinstance(result, dict):
        return
    for name, change in patch.items():
        field = name.removeprefix("$setElementOrder/")
        if field == name:
            _check_order(result.get(name), change)
        elif change:
            (key,) = change[0]
            order = [item[key] for item in change]
            stand = [order.index(item[key]) for item in result.get(field) or []]
            assert stand == sorted(stand)

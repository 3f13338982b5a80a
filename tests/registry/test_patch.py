"""Patches: the three sorts, what is tried again, what is refused in which words."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from podium.api import go_text
from podium.api.errors import ApiError
from podium.api.scheme import CONFIGMAPS, PODS
from podium.registry.patching import JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH
from podium.registry.registry import Registry
from podium.registry.types import FieldValidation, Stored
from support.registries import config_map, context, pod, serving, text


@pytest.mark.parametrize(
    ("patch_type", "change"),
    [
        pytest.param(MERGE_PATCH, {"data": {"a": None, "b": "2"}}, id="merge"),
        pytest.param(STRATEGIC_MERGE_PATCH, {"data": {"a": None, "b": "2"}}, id="strategic"),
        pytest.param(
            JSON_PATCH,
            [
                {"op": "remove", "path": "/data/a"},
                {"op": "add", "path": "/data/b", "value": "2"},
            ],
            id="json",
        ),
    ],
)
async def test_a_patch_changes_what_it_names(patch_type: str, change: Any) -> None:
    async with serving() as registry:
        made = await registry.create(
            CONFIGMAPS, "default", config_map("m", a="1", c="3"), context()
        )
        stored = await _patch(registry, change, patch_type)
        assert stored.obj.data == {"b": "2", "c": "3"}
        assert stored.obj.metadata.uid == made.obj.metadata.uid
        assert (await registry.get(CONFIGMAPS, "default", "m")).data == stored.data


async def test_a_strategic_patch_merges_containers_by_name() -> None:
    async with serving() as registry:
        await registry.create(PODS, "default", pod("p"), context())
        change = {"spec": {"containers": [{"name": "c", "image": "registry.example/app:2"}]}}
        stored = await registry.patch(
            PODS, "default", "p", change, STRATEGIC_MERGE_PATCH, context()
        )
        assert [c.image for c in stored.obj.spec.containers] == ["registry.example/app:2"]


async def test_a_patch_that_changes_nothing_writes_nothing() -> None:
    async with serving() as registry:
        made = await registry.create(CONFIGMAPS, "default", config_map("m", a="1"), context())
        stored = await _patch(registry, {"data": {"a": "1"}})
        assert stored.data == made.data


async def test_patches_at_the_same_time_all_take_effect() -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("m"), context())
        await asyncio.gather(
            *(_patch(registry, {"data": {f"k{number}": "v"}}) for number in range(30))
        )
        stored = await registry.get(CONFIGMAPS, "default", "m")
        assert len(stored.obj.data) == 30
        assert stored.revision == 31


async def test_a_patch_from_an_older_resource_version_is_a_conflict() -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("m"), context())
        await _patch(registry, {"data": {"a": "1"}})
        change = {"metadata": {"resourceVersion": "1"}, "data": {"a": "2"}}
        with pytest.raises(ApiError) as refused:
            await _patch(registry, change)
    assert refused.value.code == 409
    assert "the object has been modified" in refused.value.status.message


async def test_a_patch_may_not_change_what_is_immutable() -> None:
    async with serving() as registry:
        await registry.create(PODS, "default", pod("p"), context())
        with pytest.raises(ApiError) as refused:
            await registry.patch(
                PODS, "default", "p", {"spec": {"schedulerName": "x"}}, MERGE_PATCH, context()
            )
    assert refused.value.code == 422
    assert "pod updates may not change fields other than" in refused.value.status.message


async def test_the_status_of_a_pod_is_patched_through_its_own_door() -> None:
    async with serving() as registry:
        await registry.create(PODS, "default", pod("p"), context())
        change = {"metadata": {"labels": {"a": "b"}}, "status": {"phase": "Running"}}
        stored = await registry.patch(
            PODS, "default", "p", change, STRATEGIC_MERGE_PATCH, context(), subresource="status"
        )
        assert stored.obj.status.phase == "Running"
        assert stored.obj.spec.containers[0].name == "c"


@pytest.mark.parametrize(
    ("patch_type", "change", "code", "message"),
    [
        pytest.param(
            JSON_PATCH,
            [{"op": "test", "path": "/data/a", "value": "2"}],
            422,
            "the server rejected our request due to an error in our request",
            id="test-fails",
        ),
        pytest.param(
            JSON_PATCH,
            [{"op": "replace", "path": "/metadata/name", "value": "other"}],
            400,
            "the name of the object (other) does not match the name on the URL (m)",
            id="another-name",
        ),
        pytest.param(
            JSON_PATCH,
            [{"op": "replace", "path": "/metadata/namespace", "value": "other"}],
            400,
            "the namespace of the provided object does not match the namespace sent on the request",
            id="another-namespace",
        ),
        pytest.param(
            STRATEGIC_MERGE_PATCH,
            {"data": {"a": 3}},
            422,
            ' "" is invalid: patch: Invalid value: "map[data:map[a:3]]": unrecognized type: string',
            id="another-type",
        ),
        pytest.param(
            "application/apply-patch+xml",
            {},
            415,
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json-patch+json, application/merge-patch+json, "
            "application/strategic-merge-patch+json, application/apply-patch+yaml",
            id="a-type-that-is-none",
        ),
    ],
)
async def test_refusals(patch_type: str, change: Any, code: int, message: str) -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("m", a="1"), context())
        with pytest.raises(ApiError) as refused:
            await _patch(registry, change, patch_type)
    assert text(refused.value)[::2] == (code, message)


async def test_another_kind_is_refused_with_the_whole_object() -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("m"), context())
        with pytest.raises(ApiError) as refused:
            await _patch(registry, {"apiVersion": "v2"})
    message = refused.value.status.message
    assert message.startswith(' "" is invalid: patch: Invalid value: "{')
    assert message.endswith(
        'no kind "ConfigMap" is registered for version "v2" in scheme "pkg/runtime/scheme.go:100"'
    )


@pytest.mark.parametrize(
    ("patch_type", "change", "shown"),
    [
        pytest.param(
            MERGE_PATCH,
            {"apiVersion": "v2", "data": {"b": "<"}},
            '{"apiVersion":"v2","data":{"a":"1","b":"\\u003c"},"kind":"ConfigMap",'
            '"metadata":{"name":"m","namespace":"default","uid":',
            id="sorted-where-the-patch-reaches",
        ),
        pytest.param(
            JSON_PATCH,
            [
                {"op": "replace", "path": "/apiVersion", "value": "v2"},
                {"op": "add", "path": "/metadata/generateName", "value": "x-"},
            ],
            '{"apiVersion":"v2","data":{"a":"1"},"kind":"ConfigMap",'
            '"metadata":{"creationTimestamp":',
            id="also-by-json-pointers",
        ),
    ],
)
async def test_errors_quote_the_object_as_gos_library_writes_it(
    patch_type: str, change: Any, shown: str
) -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("m", a="1"), context())
        with pytest.raises(ApiError) as refused:
            await _patch(registry, change, patch_type)
    assert go_text.quote(shown)[:-1] in refused.value.status.message


async def test_a_patch_may_not_take_the_version_away() -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("m"), context())
        with pytest.raises(ApiError) as refused:
            await _patch(registry, {"apiVersion": None})
    assert text(refused.value)[::2] == (
        400,
        "the name of the object (m based on URL) was undeterminable: name must be provided",
    )


async def test_a_kind_that_is_missing_is_the_one_expected() -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("m"), context())
        stored = await _patch(registry, {"kind": None, "data": {"a": "1"}})
        assert (stored.obj.kind, stored.obj.data) == ("ConfigMap", {"a": "1"})


@pytest.mark.parametrize(
    ("validation", "warnings"), [("Warn", ['unknown field "spek"']), ("Ignore", [])]
)
async def test_unknown_fields(validation: FieldValidation, warnings: list[str]) -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("m"), context())
        asked = context(field_validation=validation)
        await registry.patch(CONFIGMAPS, "default", "m", {"spek": 1}, MERGE_PATCH, asked)
        assert asked.warnings == warnings


@pytest.mark.parametrize(
    ("change", "patch_type", "warnings"),
    [
        pytest.param(
            {"zeta": 1, "metadata": {"b": 1}, "alpha": 1},
            MERGE_PATCH,
            ["alpha", "metadata.b", "zeta"],
            id="sorted-where-a-patch-reaches",
        ),
        pytest.param(
            [{"op": "add", "path": f"/{name}", "value": 1} for name in ("z", "metadata/b", "a")],
            JSON_PATCH,
            ["a", "metadata.b", "z"],
            id="so-do-operations",
        ),
        pytest.param(
            {"metadata": {"b": 1}, "alpha": 1},
            STRATEGIC_MERGE_PATCH,
            ["metadata.b", "alpha"],
            id="known-fields-first-where-nothing-is-written",
        ),
    ],
)
async def test_unknown_fields_are_told_in_the_order_of_what_upstream_reads(
    change: Any, patch_type: str, warnings: list[str]
) -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("m"), context())
        asked = context(field_validation="Warn")
        await registry.patch(CONFIGMAPS, "default", "m", change, patch_type, asked)
        assert asked.warnings == [f'unknown field "{name}"' for name in warnings]


async def test_unknown_fields_are_refused_when_asked_for() -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("m"), context())
        with pytest.raises(ApiError) as refused:
            await registry.patch(
                CONFIGMAPS,
                "default",
                "m",
                {"spek": 1},
                STRATEGIC_MERGE_PATCH,
                context(field_validation="Strict"),
            )
    assert text(refused.value)[::2] == (
        422,
        ' "" is invalid: patch: Invalid value: "map[spek:1]": strict decoding error: '
        'unknown field "spek"',
    )


async def test_what_is_not_there_is_not_found() -> None:
    async with serving() as registry:
        with pytest.raises(ApiError) as refused:
            await _patch(registry, {})
    assert text(refused.value) == (404, "NotFound", 'configmaps "m" not found')


async def _patch(registry: Registry, change: Any, patch_type: str = MERGE_PATCH) -> Stored:
    return await registry.patch(CONFIGMAPS, "default", "m", change, patch_type, context())

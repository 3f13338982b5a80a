"""Bodies of patches that are odd, in upstream's words: the sides of ``patch.go``'s decoders."""

from __future__ import annotations

from typing import Any

import pytest

from podium.api.codec import Validation
from podium.api.errors import ApiError
from podium.apiserver import patches
from podium.registry.patching import JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH
from support.apiserver import RunningApiServer

MAP = "of type map[string]interface {}"
TOLD = "error decoding patch: "


def unfit(what: str, into: str) -> str:
    return f"json: cannot unmarshal {what} into Go {into}"


@pytest.mark.parametrize(
    ("patch_type", "body", "validation", "message"),
    [
        (JSON_PATCH, "", "Warn", "error decoding patch: unexpected end of JSON input"),
        (JSON_PATCH, "{", "Ignore", "unexpected end of JSON input"),
        (
            JSON_PATCH,
            "1",
            "Warn",
            f"error decoding patch: {unfit('number', 'value of type []handlers.jsonPatchOp')}",
        ),
        (JSON_PATCH, "{}", "Ignore", unfit("object", "value of type jsonpatch.Patch")),
        (
            JSON_PATCH,
            "[1]",
            "Strict",
            TOLD + unfit("number", "value of type handlers.jsonPatchOp"),
        ),
        (JSON_PATCH, "[[]]", "Ignore", unfit("array", "value of type jsonpatch.Operation")),
        (
            JSON_PATCH,
            '[{"path":"/a","op":1}]',
            "Warn",
            TOLD + unfit("number", "struct field jsonPatchOp.op of type string"),
        ),
        (MERGE_PATCH, "null", "Warn", "Invalid JSON Patch"),
        (MERGE_PATCH, "[]", "Warn", TOLD + unfit("array", f"value {MAP}")),
        (MERGE_PATCH, "{", "Ignore", "Invalid JSON Patch"),
        (MERGE_PATCH, "1", "Ignore", "Invalid JSON Patch"),
        (STRATEGIC_MERGE_PATCH, "[]", "Warn", unfit("array", f"value {MAP}")),
        (STRATEGIC_MERGE_PATCH, "nul", "Ignore", "unexpected end of JSON input"),
    ],
)
def test_what_is_no_patch(patch_type: str, body: str, validation: Validation, message: str) -> None:
    with pytest.raises(ApiError) as failure:
        patches.read(patch_type, body.encode(), validation)
    assert (failure.value.code, str(failure.value)) == (400, message)


@pytest.mark.parametrize(
    ("patch_type", "body", "read"),
    [
        (JSON_PATCH, "null", ([], [])),
        (JSON_PATCH, "[null]", ([{}], [])),
        (STRATEGIC_MERGE_PATCH, "null", ({}, [])),
        (
            JSON_PATCH,
            '[{"op":"add","path":null,"Op":1,"value":{"a":1,"a":2,"b":3},"Op":2}]',
            (
                [{"op": "add", "path": None, "Op": 2, "value": {"a": 2, "b": 3}}],
                [
                    'json patch unknown field "[0].Op"',
                    'json patch duplicate field "[0].value.a"',
                ],
            ),
        ),
    ],
)
def test_what_is_one(patch_type: str, body: str, read: tuple[Any, list[str]]) -> None:
    assert patches.read(patch_type, body.encode(), "Warn") == read


async def test_odd_patches_over_the_wire(api: RunningApiServer) -> None:
    path = "/api/v1/namespaces/default/configmaps"

    async def patch(name: str, body: str, patch_type: str) -> tuple[int, str]:
        headers = {"Content-Type": patch_type}
        async with session.patch(f"{path}/{name}", data=body, headers=headers) as response:
            return response.status, (await response.json()).get("message", "")

    async with api.session() as session:
        async with session.post(path, json={"metadata": {"name": "a"}}) as response:
            assert response.status == 201
        assert await patch("a", "null", STRATEGIC_MERGE_PATCH) == (200, "")
        assert await patch("a", "null", JSON_PATCH) == (200, "")
        assert await patch("a", "[null]", JSON_PATCH) == (
            422,
            "the server rejected our request due to an error in our request",
        )
        assert await patch("b", "{", MERGE_PATCH) == (404, 'configmaps "b" not found')

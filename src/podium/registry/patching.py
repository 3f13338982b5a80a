"""A patch applied to an object, in memory, with the errors that upstream gives."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from podium.api import codec, errors, field, go_json, go_text
from podium.api.errors import ApiError
from podium.api.field import Path
from podium.api.scheme import Resource
from podium.api.types.meta_v1 import StatusDetails

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


class Patched(msgspec.Struct, frozen=True):
    """The patched object as a plain value, and what errors about it show."""

    document: Any
    resource: Resource
    before: Any
    change: Any
    patch_type: str

    def read(self) -> tuple[Any, list[str]]:
        """Return the object and a text for each unknown field. Raises ValueError in Go's words.

        What is wrong is told in the order of the text that the patch library writes.
        """
        struct = self.resource.type
        if self.patch_type == STRATEGIC_MERGE_PATCH:
            return codec.from_plain_checked(struct, self.document)
        try:
            obj, unknown = codec.from_plain_checked(struct, self.document)
        except ValueError:
            pass
        else:
            if len(unknown) < 2:
                return obj, unknown
        return codec.from_plain_checked(struct, go_json.load(self._text().encode()))

    def invalid(self, why: str) -> ApiError:
        """422 for an object that cannot be read, *why* in the words of Go's JSON decoder."""
        if self.patch_type == STRATEGIC_MERGE_PATCH:
            shown, why = go_text.plain(self.change), _converter_text(why)
        else:
            shown = self._text()
        return errors.invalid_kind("", "", "", [field.invalid(Path("patch"), shown, why)])

    def _text(self) -> str:
        from podium.registry import patched_text

        if self.patch_type == JSON_PATCH:
            apply, reached = _json, patched_text.reached_by_operations(self.change)
        else:
            apply, reached = _merge, patched_text.reached_by_merge(self.change)
        return patched_text.text(self.resource, self.before, self.change, apply, reached)


def patched(resource: Resource, document: Any, change: Any, patch_type: str) -> Patched:
    """Apply *change* to *document*. Raises ApiError."""
    if patch_type == STRATEGIC_MERGE_PATCH:
        result = _strategic(resource, document, change)
    else:
        result = (_json if patch_type == JSON_PATCH else _merge)(document, change)
    found = Patched(result, resource, document, change, patch_type)
    if patch_type != STRATEGIC_MERGE_PATCH:
        _check_kind(found)
    return found


# What patches need is loaded with the first of each sort: most servers see strategic ones only.


def _json(document: Any, change: Any) -> Any:
    from podium.api.patch import json_patch

    try:
        return json_patch.apply(document, change)
    except json_patch.PatchFailure as failure:
        raise _unprocessable() from failure
    except ValueError as failure:
        raise errors.bad_request(str(failure)) from failure


def _merge(document: Any, change: Any) -> Any:
    from podium.api.patch import merge

    return merge.apply(document, change)


def _strategic(resource: Resource, document: Any, change: Any) -> Any:
    from podium.api import schema
    from podium.api.patch import strategic

    try:
        return strategic.apply(document, change, schema.definition_of(resource.type))
    except strategic.PatchFailure as failure:
        text = str(failure)
        if text.startswith("invalid patch format of "):
            raise errors.bad_request(text) from failure
        if text == "lists of lists are not supported":
            raise _unprocessable() from failure
        raise errors.failure(500, "", text) from failure


def _unprocessable() -> ApiError:
    return errors.failure(
        422,
        "Invalid",
        "the server rejected our request due to an error in our request",
        StatusDetails(),
    )


def _check_kind(result: Patched) -> None:
    """A patch cannot turn an object into one of another kind. Raises ApiError."""
    document = result.document
    if not isinstance(document, dict):
        raise result.invalid("couldn't get version/kind; json parse error: not an object")
    version, kind = document.get("apiVersion"), document.get("kind")
    if (version, kind) == (result.resource.api_version, result.resource.kind):
        return
    if not version:  # upstream reads it as its internal type then, which has no metadata
        raise errors.undetermined_name(result.before["metadata"]["name"])
    try:
        codec.check_other_kind(result.resource.type, document)
    except ValueError as error:
        raise result.invalid(str(error)) from error


_UNFIT = re.compile(r"json: cannot unmarshal (\w+) into Go (?:struct field \S+|value) of type (.+)")
_KINDS = {"object": "map", "array": "slice", "number": "int64"}
_SCALAR = re.compile(r"string|bool|u?int(32|64)?|float(32|64)")


def _converter_text(why: str) -> str:
    """Say what does not fit as the converter does that upstream reads strategic patches with."""
    match = _UNFIT.fullmatch(why)
    if match is None:
        return why
    there, wanted = _KINDS.get(match[1], match[1]), match[2].removeprefix("*")
    if wanted.startswith("[]"):
        return f"cannot restore slice from {there}"
    if wanted.startswith("map["):
        return f"cannot restore map from {there}"
    if _SCALAR.fullmatch(wanted):
        return f"unrecognized type: {wanted}"
    return f"cannot restore struct from: {there}"

"""Bodies of patches, read as JSON, with the errors that upstream's decoders give. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from podium.api import go_json
from podium.api.errors import bad_request
from podium.registry.patching import JSON_PATCH, MERGE_PATCH

_OBJECT = "map[string]interface {}"


def parse(patch_type: str, body: bytes) -> Any:
    """Return the plain value of a patch. Raises ApiError (400)."""
    prefix = "error decoding patch: " if patch_type == MERGE_PATCH else ""
    try:
        value = _load(body)
    except go_json.SyntaxFailure as error:
        raise bad_request(f"{prefix}{error}") from error
    wanted, go_type = (list, "jsonpatch.Patch") if patch_type == JSON_PATCH else (dict, _OBJECT)
    if not isinstance(value, wanted):
        raise bad_request(
            f"{prefix}json: cannot unmarshal {_go_kind(value)} into Go value of type {go_type}"
        )
    return value


def _load(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return go_json.plain(go_json.load(body))  # tells Go's words for what is wrong


def _go_kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
    return "object"

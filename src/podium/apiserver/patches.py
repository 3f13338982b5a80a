"""Bodies of patches, read as JSON, with the errors that upstream's decoders give. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from podium.api import go_json
from podium.api.codec import Validation
from podium.api.errors import bad_request
from podium.apiserver.errors import too_large
from podium.registry.patching import APPLY_PATCH, JSON_PATCH, MERGE_PATCH

_OBJECT = "map[string]interface {}"
#: Upstream's limit for the operations of a JSON patch.
MAX_OPERATIONS = 10_000


def read(patch_type: str, body: bytes) -> tuple[Any, list[str]]:
    """Return the plain value of a patch, and a text for each repeated key.

    Raises ApiError (400).
    """
    if patch_type == APPLY_PATCH:
        return parse_apply(body)
    value = parse(patch_type, body)
    if msgspec.json.encode(value).count(b":") == body.count(b":"):
        return value, []  # no key is repeated
    prefix = "json patch " if patch_type == JSON_PATCH else ""
    found = dict.fromkeys(_repeated(go_json.load(body), ""))
    return value, [f'{prefix}duplicate field "{path}"' for path in found]


def _repeated(value: Any, path: str) -> Iterator[str]:
    """Yield the path of each repeated key."""
    if isinstance(value, go_json.Pairs):
        seen = set()
        for key, item in value:
            here = f"{path}.{key}" if path else key
            if key in seen:
                yield here
            seen.add(key)
            yield from _repeated(item, here)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _repeated(item, f"{path}[{index}]")


def parse_apply(body: bytes) -> tuple[dict[str, Any], list[str]]:
    """Return the configuration to apply, YAML or JSON, and a text for each repeated key.

    Raises ApiError (400).
    """
    if body[:1] == b"{":
        try:
            quick = msgspec.json.decode(body)
            if msgspec.json.encode(quick).count(b":") == body.count(b":"):
                return quick, []  # no key is repeated
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            pass
    from podium.api import yaml_json  # PyYAML takes its time, and most bodies are JSON

    try:
        value, repeated = yaml_json.load(body)
    except ValueError as error:
        text = f"error decoding YAML: error converting YAML to JSON: {error}"
        raise bad_request(text) from error
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise bad_request(
            "error decoding YAML: error unmarshaling JSON: while decoding JSON: "
            f"json: cannot unmarshal {_go_kind(value)} into Go value of type {_OBJECT}"
        )
    return value, repeated


def judge_repeated(repeated: list[str], validation: Validation) -> list[str]:
    """Return what to warn about in an apply that repeats keys. Raises ApiError (400) if strict."""
    if not repeated or validation == "Ignore":
        return []
    if validation == "Strict":
        lines = "\n  ".join(repeated)
        raise bad_request(
            "error strict decoding YAML: error converting YAML to JSON: "
            f"yaml: unmarshal errors:\n  {lines}"
        )
    return repeated


def parse(patch_type: str, body: bytes) -> Any:
    """Return the plain value of a patch. Raises ApiError (400, or 413 for too many operations)."""
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
    if patch_type == JSON_PATCH and len(value) > MAX_OPERATIONS:
        raise too_large(
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(value)}"
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

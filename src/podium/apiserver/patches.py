"""Bodies of patches, read as JSON, with the errors that upstream's decoders give. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from podium.api import go_json
from podium.api.codec import Validation
from podium.api.errors import bad_request
from podium.apiserver.errors import too_large
from podium.registry.patching import APPLY_PATCH, JSON_PATCH, MERGE_PATCH

_OBJECT = "map[string]interface {}"
#: What upstream reads a JSON patch as, and each of its operations: to judge it, and to apply it.
_JUDGED = ("[]handlers.jsonPatchOp", "handlers.jsonPatchOp")
_PLAIN = ("jsonpatch.Patch", "jsonpatch.Operation")
_NO_MERGE_PATCH = "Invalid JSON Patch"
_TEXT = str | None
#: The members of an operation, and what they may be.
_MEMBERS: Mapping[str, Any] = {"op": _TEXT, "path": _TEXT, "from": _TEXT, "value": object}
#: Upstream's limit for the operations of a JSON patch.
MAX_OPERATIONS = 10_000


def read(patch_type: str, body: bytes, validation: Validation) -> tuple[Any, list[str]]:
    """Return the plain value of a patch, and a text for each repeated key and whatever else is
    odd about it.

    Raises ApiError (400).
    """
    if patch_type == APPLY_PATCH:
        return parse_apply(body)
    value = parse(patch_type, body, validation)
    if patch_type == JSON_PATCH:
        return value, _odd_operations(value, body)
    if _repeats_nothing(value, body):
        return value, []
    found = dict.fromkeys(_repeated(go_json.load(body), ""))
    return value, list(found)


def _repeats_nothing(value: Any, body: bytes) -> bool:
    """Whether that is certain: a look that costs little."""
    return msgspec.json.encode(value).count(b":") == body.count(b":")


def _repeated(value: Any, path: str) -> Iterator[str]:
    """Yield a text for each repeated key."""
    if isinstance(value, go_json.Pairs):
        seen = set()
        for key, item in value:
            here = f"{path}.{key}" if path else key
            if key in seen:
                yield f'duplicate field "{here}"'
            seen.add(key)
            yield from _repeated(item, here)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _repeated(item, f"{path}[{index}]")


def _odd_operations(operations: Sequence[Mapping[str, Any]], body: bytes) -> list[str]:
    """Return a text for each repeated or unknown key of a JSON patch."""
    known = all(_MEMBERS.keys() >= operation.keys() for operation in operations)
    if known and _repeats_nothing(operations, body):
        return []
    read, found = go_json.load(body), dict[str, None]()
    for index, operation in enumerate(read or ()):
        for key, _ in operation or ():
            if key not in _MEMBERS:
                found[f'json patch unknown field "[{index}].{key}"'] = None
        members = go_json.Pairs(pair for pair in operation or () if pair[0] in _MEMBERS)
        found |= dict.fromkeys(f"json patch {text}" for text in _repeated(members, f"[{index}]"))
    return list(found)


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


def parse(patch_type: str, body: bytes, validation: Validation) -> Any:
    """Return the plain value of a patch; a strategic one may say ``null``.

    Raises ApiError (400, or 413 for too many operations). Upstream reads most patches twice, once
    to validate them: who is told depends on whether that is wanted.
    """
    judged = validation != "Ignore"
    apart = judged and patch_type in (MERGE_PATCH, JSON_PATCH)
    prefix = "error decoding patch: " if apart else ""
    try:
        value = _load(body)
        if patch_type == JSON_PATCH:
            return _operations(value, _JUDGED if judged else _PLAIN)
        if not isinstance(value, dict | None):
            raise ValueError(_unfit(value, f"value of type {_OBJECT}"))
    except ValueError as error:
        merges = patch_type == MERGE_PATCH and not judged
        raise bad_request(_NO_MERGE_PATCH if merges else f"{prefix}{error}") from error
    if value is None and patch_type == MERGE_PATCH:
        raise bad_request(_NO_MERGE_PATCH)
    return value or {}


def _operations(value: Any, types: tuple[str, str]) -> list[dict[str, Any]]:
    """Return the operations of a JSON patch. Raises ValueError, or ApiError (413)."""
    whole, single = types
    if not isinstance(value, list | None):
        raise ValueError(_unfit(value, f"value of type {whole}"))
    operations = []
    for operation in value or ():
        if not isinstance(operation, dict | None):
            raise ValueError(_unfit(operation, f"value of type {single}"))
        operations.append(operation or {})
        if types is _JUDGED:
            _check_members(operation or {})
    if len(operations) > MAX_OPERATIONS:
        count = len(operations)
        raise too_large(
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {count}"
        )
    return operations


def _check_members(operation: Mapping[str, Any]) -> None:
    for name, value in operation.items():
        if not isinstance(value, _MEMBERS.get(name, object)):
            raise ValueError(_unfit(value, f"struct field jsonPatchOp.{name} of type string"))


def _unfit(value: Any, into: str) -> str:
    return f"json: cannot unmarshal {_go_kind(value)} into Go {into}"


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

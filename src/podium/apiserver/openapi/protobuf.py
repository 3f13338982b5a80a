"""The OpenAPI 2 document as a protobuf message, which is how kubectl reads it. Pure.

Follows gnostic's ``openapiv2/OpenAPIv2.proto``; the numbers are those of its fields. Only what our
document contains is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

CONTENT_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
#: As clients ask for it; the older name is no valid media type, so it is never answered with.
ACCEPTED = frozenset({CONTENT_TYPE, "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"})

_METHODS = {"get": 2, "put": 3, "post": 4, "delete": 5, "options": 6, "head": 7, "patch": 8}
_API_KEY = ("type", "name", "in", "description")


def encode(document: Mapping[str, Any]) -> bytes:
    """Return *document*, the JSON form as plain values, as a ``Document`` message."""
    info = document["info"]
    paths = (
        _message(2, _named(path, _path_item(item))) for path, item in document["paths"].items()
    )
    definitions = (
        _message(1, _named(name, _schema(schema)))
        for name, schema in document["definitions"].items()
    )
    return b"".join(
        (
            _text(1, document["swagger"]),
            _message(2, _text(1, info["title"]) + _text(2, info["version"])),
            _message(8, b"".join(paths)),
            _message(9, b"".join(definitions)),
            *(_message(12, _requirement(one)) for one in document["security"]),
            _message(13, b"".join(_schemes(document["securityDefinitions"]))),
        )
    )


def _requirement(requirement: Mapping[str, Sequence[str]]) -> bytes:
    return b"".join(
        _message(1, _named(name, b"".join(_texts(1, scopes))))
        for name, scopes in requirement.items()
    )


def _schemes(schemes: Mapping[str, Any]) -> Iterable[bytes]:
    for name, scheme in schemes.items():
        fields = (_text(i, scheme[key]) for i, key in enumerate(_API_KEY, start=1))
        yield _message(1, _named(name, _message(2, b"".join(fields))))


def _schema(schema: Mapping[str, Any]) -> bytes:
    parts = [
        _text(1, schema.get("$ref", "")),
        _text(2, schema.get("format", "")),
        _text(4, schema.get("description", "")),
    ]
    parts += [_text(19, name) for name in schema.get("required", ())]
    parts += [_message(20, _any(value)) for value in schema.get("enum", ())]
    if isinstance(schema.get("additionalProperties"), dict):
        parts.append(_message(21, _message(1, _schema(schema["additionalProperties"]))))
    if "type" in schema:
        parts.append(_message(22, _text(1, schema["type"])))
    if "items" in schema:
        parts.append(_message(23, _message(1, _schema(schema["items"]))))
    if "properties" in schema:
        properties = (
            _message(1, _named(name, _schema(value)))
            for name, value in schema["properties"].items()
        )
        parts.append(_message(25, b"".join(properties)))
    return b"".join((*parts, *_extensions(31, schema)))


def _path_item(item: Mapping[str, Any]) -> bytes:
    operations = (
        _message(number, _operation(item[method]))
        for method, number in _METHODS.items()
        if method in item
    )
    parameters = (_message(9, _parameter(entry)) for entry in item.get("parameters", ()))
    return b"".join((*operations, *parameters))


def _operation(operation: Mapping[str, Any]) -> bytes:
    responses = (
        _message(1, _named(code, _message(1, _response(answer))))
        for code, answer in operation["responses"].items()
    )
    return b"".join(
        (
            *_texts(1, operation["tags"]),
            _text(3, operation["description"]),
            _text(5, operation["operationId"]),
            *_texts(6, operation["produces"]),
            *_texts(7, operation["consumes"]),
            *(_message(8, _parameter(entry)) for entry in operation["parameters"]),
            _message(9, b"".join(responses)),
            *_texts(10, operation["schemes"]),
            *_extensions(13, operation),
        )
    )


def _response(response: Mapping[str, Any]) -> bytes:
    parts = _text(1, response["description"])
    if "schema" in response:
        parts += _message(2, _message(1, _schema(response["schema"])))
    return parts


def _parameter(entry: Mapping[str, Any]) -> bytes:
    """A ``ParametersItem``."""
    if entry["in"] == "body":
        body = b"".join(
            (
                _text(2, entry["name"]),
                _text(3, "body"),
                _flag(4, entry.get("required", False)),
                _message(5, _schema(entry["schema"])),
            )
        )
        return _message(1, _message(1, body))
    is_query = entry["in"] == "query"
    shared = _flag(1, entry.get("required", False))
    shared += _text(2, entry["in"]) + _text(4, entry["name"])
    # The two messages differ by allow_empty_value, which moves what follows by one.
    shared += _text(6 if is_query else 5, entry["type"])
    shared += _flag(20 if is_query else 19, entry.get("uniqueItems", False))
    return _message(1, _message(2, _message(3 if is_query else 4, shared)))


def _extensions(number: int, holder: Mapping[str, Any]) -> Iterable[bytes]:
    for name, value in holder.items():
        if name.startswith("x-"):
            yield _message(number, _named(name, _any(value)))


def _any(value: Any) -> bytes:
    """An ``Any`` by its YAML text; JSON is YAML."""
    return _text(2, json.dumps(value) + "\n")


def _named(name: str, message: bytes) -> bytes:
    """A ``Named…``: how gnostic writes the entries of a map."""
    return _text(1, name) + _message(2, message)


def _message(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _text(number: int, text: str) -> bytes:
    return _message(number, text.encode()) if text else b""


def _texts(number: int, texts: Iterable[str]) -> Iterable[bytes]:
    return (_text(number, text) for text in texts)


def _flag(number: int, value: bool) -> bytes:
    return _varint(number << 3) + b"\x01" if value else b""


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)

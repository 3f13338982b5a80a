"""The documents of OpenAPI 3 as protobuf messages. Pure.

Follows gnostic's ``openapiv3/OpenAPIv3.proto``; the numbers are those of its fields. Members that
our documents have not are not listed, and raise KeyError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from podium.apiserver.openapi.wire import any_value, extension, flag, message, named, text, texts

CONTENT_TYPE = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"
#: As most clients ask for it; it is no valid media type, so it is never answered with.
OLD_TYPE = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf"

#: Writes a field of a number.
Write = Callable[[int, Any], bytes]
#: The fields of a message, by the names of its members.
Fields = Mapping[str, tuple[int, Write]]

_METHODS = {"get": 4, "put": 5, "post": 6, "delete": 7, "options": 8, "head": 9, "patch": 10}


def encode(document: Mapping[str, Any]) -> bytes:
    """Return *document*, the JSON form as plain values, as a ``Document`` message."""
    return _content(_DOCUMENT, 9, document)


def _content(fields: Fields, extensions: int, value: Mapping[str, Any]) -> bytes:
    """Return the fields of a message, those that begin with ``x-`` under *extensions*."""
    parts = []
    for name, member in value.items():
        if name.startswith("x-"):
            parts.append(extension(extensions, name, member))
        else:
            number, write = fields[name]
            parts.append(write(number, member))
    return b"".join(parts)


def _one(fields: Fields, extensions: int = 0) -> Write:
    return lambda number, value: message(number, _content(fields, extensions, value))


def _reference_or(own: Write) -> Callable[[Any], bytes]:
    """Return the content of a ``…OrReference``."""
    return lambda value: message(2, text(1, value["$ref"])) if "$ref" in value else own(1, value)


def _map(content: Callable[[Any], bytes], at: int = 1) -> Write:
    """A message that holds nothing but the entries of a map."""
    return lambda number, value: message(
        number,
        b"".join(message(at, named(name, content(entry))) for name, entry in value.items()),
    )


def _each(content: Callable[[Any], bytes]) -> Write:
    return lambda number, values: b"".join(message(number, content(value)) for value in values)


def _schema_or_reference(value: Any) -> bytes:
    return _reference_or(_one(_SCHEMA, 36))(value)


def _schema_field(number: int, value: Any) -> bytes:
    return message(number, _schema_or_reference(value))


def _wrapped(number: int, value: Any) -> bytes:
    """A schema within a message that could hold something else."""
    return message(number, message(1, _schema_or_reference(value)))


_SCHEMA: Fields = {
    "uniqueItems": (20, flag),
    "required": (23, texts),
    "enum": (24, _each(any_value)),
    "type": (25, text),
    "allOf": (26, _each(_schema_or_reference)),
    "oneOf": (27, _each(_schema_or_reference)),
    "items": (30, _wrapped),
    "properties": (31, _map(_schema_or_reference)),
    "additionalProperties": (32, _wrapped),
    "description": (34, text),
    "format": (35, text),
}
_MEDIA_TYPE: Fields = {"schema": (1, _schema_field)}
_MEDIA_TYPES = _map(lambda value: _content(_MEDIA_TYPE, 5, value))
_PARAMETER: Fields = {
    "name": (1, text),
    "in": (2, text),
    "required": (4, flag),
    "schema": (10, _schema_field),
}
_PARAMETERS = _each(_reference_or(_one(_PARAMETER, 14)))
_BODY: Fields = {"content": (2, _MEDIA_TYPES), "required": (3, flag)}
_RESPONSE: Fields = {"description": (1, text), "content": (3, _MEDIA_TYPES)}
_OPERATION: Fields = {
    "tags": (1, texts),
    "description": (3, text),
    "operationId": (5, text),
    "parameters": (6, _PARAMETERS),
    "requestBody": (7, lambda number, value: message(number, _one(_BODY, 4)(1, value))),
    "responses": (8, _map(_reference_or(_one(_RESPONSE, 5)), at=2)),
}
_PATH: Fields = {
    **{method: (number, _one(_OPERATION, 13)) for method, number in _METHODS.items()},
    "parameters": (13, _PARAMETERS),
}
_SCHEME: Fields = {
    "type": (1, text),
    "description": (2, text),
    "name": (3, text),
    "in": (4, text),
}
_COMPONENTS: Fields = {
    "schemas": (1, _map(_schema_or_reference)),
    "securitySchemes": (7, _map(_reference_or(_one(_SCHEME, 9)))),
}
_DOCUMENT: Fields = {
    "openapi": (1, text),
    "info": (2, _one({"title": (1, text), "version": (6, text)}, 7)),
    "paths": (4, _map(lambda value: _content(_PATH, 14, value))),
    "components": (5, _one(_COMPONENTS, 10)),
}

"""The OpenAPI 2 document as a protobuf message, which is how kubectl reads it. Pure.

Follows gnostic's ``openapiv2/OpenAPIv2.proto``; the numbers are those of its fields. Only what our
document contains is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from podium.apiserver.openapi.wire import any_value, extension, flag, message, named, text, texts

CONTENT_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
#: As most clients ask for it; it is no valid media type, so it is never answered with.
OLD_TYPE = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"

_METHODS = {"get": 2, "put": 3, "post": 4, "delete": 5, "options": 6, "head": 7, "patch": 8}
_API_KEY = ("type", "name", "in", "description")


def encode(document: Mapping[str, Any]) -> bytes:
    """Return *document*, the JSON form as plain values, as a ``Document`` message."""
    info = document["info"]
    paths = (message(2, named(path, _path_item(item))) for path, item in document["paths"].items())
    definitions = (
        message(1, named(name, _schema(schema))) for name, schema in document["definitions"].items()
    )
    return b"".join(
        (
            text(1, document["swagger"]),
            message(2, text(1, info["title"]) + text(2, info["version"])),
            message(8, b"".join(paths)),
            message(9, b"".join(definitions)),
            *(message(12, _requirement(one)) for one in document["security"]),
            message(13, b"".join(_schemes(document["securityDefinitions"]))),
        )
    )


def _requirement(requirement: Mapping[str, Sequence[str]]) -> bytes:
    return b"".join(
        message(1, named(name, texts(1, scopes))) for name, scopes in requirement.items()
    )


def _schemes(schemes: Mapping[str, Any]) -> Iterable[bytes]:
    for name, scheme in schemes.items():
        fields = (text(i, scheme[key]) for i, key in enumerate(_API_KEY, start=1))
        yield message(1, named(name, message(2, b"".join(fields))))


def _schema(schema: Mapping[str, Any]) -> bytes:
    parts = [
        text(1, schema.get("$ref", "")),
        text(2, schema.get("format", "")),
        text(4, schema.get("description", "")),
    ]
    parts += [text(19, name) for name in schema.get("required", ())]
    parts += [message(20, any_value(value)) for value in schema.get("enum", ())]
    if isinstance(schema.get("additionalProperties"), dict):
        parts.append(message(21, message(1, _schema(schema["additionalProperties"]))))
    if "type" in schema:
        parts.append(message(22, text(1, schema["type"])))
    if "items" in schema:
        parts.append(message(23, message(1, _schema(schema["items"]))))
    if "properties" in schema:
        properties = (
            message(1, named(name, _schema(value))) for name, value in schema["properties"].items()
        )
        parts.append(message(25, b"".join(properties)))
    return b"".join((*parts, *_extensions(31, schema)))


def _path_item(item: Mapping[str, Any]) -> bytes:
    operations = (
        message(number, _operation(item[method]))
        for method, number in _METHODS.items()
        if method in item
    )
    parameters = (message(9, _parameter(entry)) for entry in item.get("parameters", ()))
    return b"".join((*operations, *parameters))


def _operation(operation: Mapping[str, Any]) -> bytes:
    responses = (
        message(1, named(code, message(1, _response(answer))))
        for code, answer in operation["responses"].items()
    )
    return b"".join(
        (
            texts(1, operation["tags"]),
            text(3, operation["description"]),
            text(5, operation["operationId"]),
            texts(6, operation["produces"]),
            texts(7, operation["consumes"]),
            *(message(8, _parameter(entry)) for entry in operation["parameters"]),
            message(9, b"".join(responses)),
            texts(10, operation["schemes"]),
            *_extensions(13, operation),
        )
    )


def _response(response: Mapping[str, Any]) -> bytes:
    parts = text(1, response["description"])
    if "schema" in response:
        parts += message(2, message(1, _schema(response["schema"])))
    return parts


def _parameter(entry: Mapping[str, Any]) -> bytes:
    """A ``ParametersItem``."""
    if entry["in"] == "body":
        body = b"".join(
            (
                text(2, entry["name"]),
                text(3, "body"),
                flag(4, entry.get("required", False)),
                message(5, _schema(entry["schema"])),
            )
        )
        return message(1, message(1, body))
    is_query = entry["in"] == "query"
    shared = flag(1, entry.get("required", False))
    shared += text(2, entry["in"]) + text(4, entry["name"])
    # The two messages differ by allow_empty_value, which moves what follows by one.
    shared += text(6 if is_query else 5, entry["type"])
    shared += flag(20 if is_query else 19, entry.get("uniqueItems", False))
    return message(1, message(2, message(3 if is_query else 4, shared)))


def _extensions(number: int, holder: Mapping[str, Any]) -> Iterable[bytes]:
    for name, value in holder.items():
        if name.startswith("x-"):
            yield extension(number, name, value)

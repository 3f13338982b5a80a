"""``/openapi/v3/…`` as gnostic writes it: the same as in JSON, whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from podium.apiserver.negotiation import JSON
from podium.apiserver.openapi import documents, protobuf, protobuf_v3
from support.apiserver import RunningApiServer
from support.protobuf_reader import fields

Read = Callable[[list[Any]], Any]


def one(read: Callable[[Any], Any]) -> Read:
    return lambda found: read(found[0])


def every(read: Callable[[Any], Any]) -> Read:
    return lambda found: [read(item) for item in found]


def text(data: bytes) -> str:
    return data.decode()


def inside(number: int, read: Callable[[Any], Any]) -> Callable[[bytes], Any]:
    return lambda data: read(fields(data)[number][0])


def entries(read: Callable[[Any], Any], at: int = 1) -> Callable[[bytes], dict[str, Any]]:
    """A message that holds a map."""

    def read_all(data: bytes) -> dict[str, Any]:
        pairs = [fields(entry) for entry in fields(data)[at]]
        return {text(pair[1][0]): read(pair[2][0] if 2 in pair else b"") for pair in pairs}

    return read_all


def any_value(data: bytes) -> Any:
    return msgspec.json.decode(fields(data)[2][0])


def read_message(table: dict[int, tuple[str, Read]], extensions: int, data: bytes) -> Any:
    found: dict[str, Any] = {}
    for number, values in fields(data).items():
        if number == extensions:
            pairs = [fields(value) for value in values]
            found |= {text(pair[1][0]): any_value(pair[2][0]) for pair in pairs}
        else:
            name, read = table[number]
            found[name] = read(values)
    return found


def or_reference(read: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def read_either(data: bytes) -> Any:
        found = fields(data)
        if 2 in found:
            return {"$ref": text(fields(found[2][0])[1][0])}
        return read(found[1][0])

    return read_either


def schema(data: bytes) -> Any:
    return or_reference(lambda inner: read_message(SCHEMA, 36, inner))(data)


#: Names by the numbers of gnostic's ``OpenAPIv3.proto``.
SCHEMA: dict[int, tuple[str, Read]] = {
    20: ("uniqueItems", one(bool)),
    23: ("required", every(text)),
    24: ("enum", every(any_value)),
    25: ("type", one(text)),
    26: ("allOf", every(schema)),
    27: ("oneOf", every(schema)),
    30: ("items", one(inside(1, schema))),
    31: ("properties", one(entries(schema))),
    32: ("additionalProperties", one(inside(1, schema))),
    34: ("description", one(text)),
    35: ("format", one(text)),
}
CONTENT = entries(lambda data: read_message({1: ("schema", one(schema))}, 5, data))
PARAMETER: dict[int, tuple[str, Read]] = {
    1: ("name", one(text)),
    2: ("in", one(text)),
    4: ("required", one(bool)),
    10: ("schema", one(schema)),
}
PARAMETERS = every(or_reference(lambda data: read_message(PARAMETER, 14, data)))
BODY: dict[int, tuple[str, Read]] = {2: ("content", one(CONTENT)), 3: ("required", one(bool))}
RESPONSE: dict[int, tuple[str, Read]] = {
    1: ("description", one(text)),
    3: ("content", one(CONTENT)),
}
OPERATION: dict[int, tuple[str, Read]] = {
    1: ("tags", every(text)),
    3: ("description", one(text)),
    5: ("operationId", one(text)),
    6: ("parameters", PARAMETERS),
    7: ("requestBody", one(or_reference(lambda data: read_message(BODY, 4, data)))),
    8: ("responses", one(entries(or_reference(lambda data: read_message(RESPONSE, 5, data)), 2))),
}
METHODS = {4: "get", 5: "put", 6: "post", 7: "delete", 8: "options", 9: "head", 10: "patch"}
PATH: dict[int, tuple[str, Read]] = {
    **{
        number: (method, one(lambda data: {"parameters": [], **read_message(OPERATION, 13, data)}))
        for number, method in METHODS.items()
    },
    13: ("parameters", PARAMETERS),
}
SCHEME: dict[int, tuple[str, Read]] = {
    1: ("type", one(text)),
    2: ("description", one(text)),
    3: ("name", one(text)),
    4: ("in", one(text)),
}
COMPONENTS: dict[int, tuple[str, Read]] = {
    1: ("schemas", one(entries(schema))),
    7: (
        "securitySchemes",
        one(entries(or_reference(lambda data: read_message(SCHEME, 9, data)))),
    ),
}
INFO: dict[int, tuple[str, Read]] = {1: ("title", one(text)), 6: ("version", one(text))}
DOCUMENT: dict[int, tuple[str, Read]] = {
    1: ("openapi", one(text)),
    2: ("info", one(lambda data: read_message(INFO, 7, data))),
    4: ("paths", one(entries(lambda data: read_message(PATH, 14, data)))),
    5: ("components", one(lambda data: read_message(COMPONENTS, 10, data))),
}


@pytest.mark.parametrize("path", ["api/v1", "apis/apps/v1", "apis/policy/v1", "apis", "version"])
def test_nothing_is_lost(path: str) -> None:
    plain, packed = documents.v3(path), documents.v3_protobuf(path)
    assert plain is not None
    assert packed is not None
    assert read_message(DOCUMENT, 9, packed.body) == msgspec.json.decode(plain.body)
    assert packed.hash == plain.hash


def test_every_document_can_be_written() -> None:
    for path in msgspec.json.decode(documents.index().body)["paths"]:
        assert documents.v3_protobuf(path) is not None


OLD_V2, OLD_V3 = protobuf.OLD_TYPE, protobuf_v3.OLD_TYPE


POLICY = "/openapi/v3/apis/policy/v1"
#: What is asked for, and in which form it is answered; in none, for "".
ANSWERS = (
    (POLICY, "", JSON),
    (POLICY, "*/*", JSON),
    (POLICY, OLD_V3, protobuf_v3.CONTENT_TYPE),
    (POLICY, protobuf_v3.CONTENT_TYPE, protobuf_v3.CONTENT_TYPE),
    (POLICY, f"{OLD_V3};q=0.5,application/json", JSON),
    (POLICY, f"text/html,{OLD_V3},*/*", protobuf_v3.CONTENT_TYPE),
    (POLICY, "text/html", ""),
    ("/openapi/v3", "text/html", JSON),
    ("/openapi/v2", f"application/json,{OLD_V2}", JSON),
    ("/openapi/v2", f"{OLD_V2},application/json", protobuf.CONTENT_TYPE),
    ("/openapi/v2", OLD_V3, ""),
)


async def test_which_form_a_client_gets(api: RunningApiServer) -> None:
    async with api.session() as session:
        for path, accept, answered in ANSWERS:
            headers = {"Accept": accept} if accept else {}
            async with session.get(path, headers=headers) as response:
                told = response.headers["Content-Type"] if answered else await response.read()
                assert (response.status, told) == ((200, answered) if answered else (406, b""))
                tag = response.headers.get("ETag", "")
            async with session.get(path, headers={**headers, "If-None-Match": tag}) as response:
                assert response.status == (304 if answered else 406)

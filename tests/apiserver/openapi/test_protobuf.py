"""``/openapi/v2`` as gnostic writes it: the same as in JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from podium.apiserver.openapi import documents
from support.protobuf_reader import fields

V2 = msgspec.json.decode(documents.v2().body)
#: Numbers of gnostic's ``openapiv2.proto``.
_METHODS = {2: "get", 3: "put", 4: "post", 5: "delete", 6: "options", 7: "head", 8: "patch"}


def named(entries: list[bytes]) -> dict[str, dict[int, list[Any]]]:
    """The entries of one of gnostic's maps."""
    pairs = (fields(entry) for entry in entries)
    return {pair[1][0].decode(): fields(pair[2][0]) for pair in pairs}


DOCUMENT = fields(documents.v2_protobuf().body)
PATHS = named(fields(DOCUMENT[8][0])[2])


def test_every_operation_is_there() -> None:
    found = {
        (path, method): fields(item[key][0])
        for path, item in PATHS.items()
        for key, method in _METHODS.items()
        if key in item
    }
    wanted = {
        (path, method): operation
        for path, item in V2["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }
    assert found.keys() == wanted.keys()
    for key, operation in wanted.items():
        assert found[key][5][0].decode() == operation["operationId"]
        assert found[key][3][0].decode() == operation["description"]
        assert [text.decode() for text in found[key][6]] == operation["produces"]
        assert list(named(fields(found[key][9][0])[1])) == list(operation["responses"])
        assert len(found[key].get(8, ())) == len(operation["parameters"])


def test_every_definition_is_there_with_its_properties() -> None:
    found = named(fields(DOCUMENT[9][0])[1])
    assert found.keys() == V2["definitions"].keys()
    for name, schema in V2["definitions"].items():
        properties = named(fields(found[name][25][0])[1]) if 25 in found[name] else {}
        assert properties.keys() == schema.get("properties", {}).keys(), name


def test_how_to_identify_oneself_is_said() -> None:
    (scheme,) = named(fields(DOCUMENT[13][0])[1]).items()
    assert scheme[0] == "BearerToken"
    assert [values[0].decode() for _, values in sorted(fields(scheme[1][2][0]).items())] == [
        "apiKey", "authorization", "header", "Bearer Token authentication",
    ]  # fmt: skip
    assert fields(fields(DOCUMENT[12][0])[1][0])[1] == [b"BearerToken"]

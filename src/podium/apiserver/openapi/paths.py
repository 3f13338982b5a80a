"""Operations as OpenAPI 2 and 3 write them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from podium.apiserver.openapi.schemas import V2_ROOT, V3_ROOT

Document = dict[str, Any]
_TYPES = {
    "allowWatchBookmarks": "boolean",
    "follow": "boolean",
    "force": "boolean",
    "gracePeriodSeconds": "integer",
    "ignoreStoreReadErrorWithClusterBreakingPotential": "boolean",
    "limit": "integer",
    "limitBytes": "integer",
    "orphanDependents": "boolean",
    "ports": "integer",
    "previous": "boolean",
    "sendInitialEvents": "boolean",
    "sinceSeconds": "integer",
    "stderr": "boolean",
    "stdin": "boolean",
    "stdout": "boolean",
    "tailLines": "integer",
    "timeoutSeconds": "integer",
    "timestamps": "boolean",
    "tty": "boolean",
    "watch": "boolean",
}
_WORDS = {200: "OK", 201: "Created", 202: "Accepted"}
_UNAUTHORIZED = {"401": {"description": "Unauthorized"}}
_TEXT = {"type": "string"}
SECURITY = {
    "BearerToken": {
        "type": "apiKey",
        "in": "header",
        "name": "authorization",
        "description": "Bearer Token authentication",
    }
}


class Described(Protocol):
    """One method at one path. ``body`` and ``result`` name definitions; without a result the
    answer is text."""

    @property
    def path(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def tag(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def marks(self) -> Document: ...
    @property
    def body(self) -> str: ...
    @property
    def result(self) -> str: ...
    @property
    def query(self) -> Iterable[str]: ...
    @property
    def codes(self) -> tuple[int, ...]: ...
    @property
    def consumes(self) -> tuple[str, ...]: ...
    @property
    def produces(self) -> tuple[str, ...]: ...


def paths_v2(found: Iterable[Described]) -> Document:
    def parameter(name: str, place: str) -> Document:
        entry: Document = {"name": name, "in": place, "type": _TYPES.get(name, "string")}
        entry["uniqueItems"] = True
        return entry | ({"required": True} if place == "path" else {})

    def operation(op: Described) -> Document:
        parameters = [parameter(name, "query") for name in op.query]
        if op.body:
            schema = {"$ref": V2_ROOT + op.body}
            required = {} if op.method == "delete" else {"required": True}
            parameters.insert(0, {"name": "body", "in": "body", "schema": schema, **required})
        schema = {"$ref": V2_ROOT + op.result} if op.result else _TEXT
        answers = {str(code): {"description": _WORDS[code], "schema": schema} for code in op.codes}
        return {
            **_common(op),
            "consumes": list(op.consumes),
            "produces": list(op.produces),
            "schemes": ["https"],
            "parameters": parameters,
            "responses": answers | _UNAUTHORIZED,
        }

    return _paths(found, operation, parameter)


def paths_v3(found: Iterable[Described]) -> Document:
    def parameter(name: str, place: str) -> Document:
        schema = {"type": _TYPES.get(name, "string"), "uniqueItems": True}
        entry: Document = {"name": name, "in": place, "schema": schema}
        return entry | ({"required": True} if place == "path" else {})

    def operation(op: Described) -> Document:
        document = _common(op)
        document["parameters"] = [parameter(name, "query") for name in op.query]
        if op.body:
            schema = {"$ref": V3_ROOT + op.body}
            content = {kind: {"schema": schema} for kind in op.consumes}
            document["requestBody"] = {"content": content}
            if op.method != "delete":
                document["requestBody"]["required"] = True
        schema = {"$ref": V3_ROOT + op.result} if op.result else _TEXT
        content = {kind: {"schema": schema} for kind in op.produces}
        answers: Document = {
            str(code): {"description": _WORDS[code], "content": content} for code in op.codes
        }
        document["responses"] = answers | _UNAUTHORIZED
        return document

    return _paths(found, operation, parameter)


def _common(op: Described) -> Document:
    return {
        "description": op.description,
        "operationId": op.id,
        "tags": [op.tag],
        **op.marks,
    }


def _paths(
    found: Iterable[Described],
    operation: Callable[[Described], Document],
    parameter: Callable[[str, str], Document],
) -> Document:
    paths: dict[str, Document] = {}
    for op in found:
        entry = paths.setdefault(op.path, {})
        entry[op.method] = operation(op)
        named = [name for name in ("name", "namespace", "path") if f"{{{name}}}" in op.path]
        if named:
            entry["parameters"] = [parameter(name, "path") for name in named]
    return dict(sorted(paths.items()))

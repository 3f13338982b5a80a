"""Paths and operations of the served resources, as OpenAPI 2 and 3 write them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from podium.api.scheme import Resource, Subresource
from podium.apiserver.openapi.schemas import GROUP_VERSION_KIND, V2_ROOT, V3_ROOT

META = "io.k8s.apimachinery.pkg.apis.meta.v1"
STATUS = f"{META}.Status"
PATCH = f"{META}.Patch"
DELETE_OPTIONS = f"{META}.DeleteOptions"
_PATCH_TYPES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
_WRITES = ("dryRun", "fieldManager", "fieldValidation")
_QUERY = {
    "list": (
        "allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit",
        "resourceVersion", "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch",
    ),
    "post": _WRITES,
    "put": _WRITES,
    "patch": (*_WRITES, "force"),
    "delete": ("dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy"),
    "deletecollection": (
        "continue", "dryRun", "fieldSelector", "gracePeriodSeconds", "labelSelector", "limit",
        "orphanDependents", "propagationPolicy", "resourceVersion", "resourceVersionMatch",
    ),
    "get": ("resourceVersion",),
}  # fmt: skip
#: Queries of requests that become streams.
_CONNECTIONS = {
    "attach": ("container", "stderr", "stdin", "stdout", "tty"),
    "exec": ("command", "container", "stderr", "stdin", "stdout", "tty"),
    "portforward": ("ports",),
    "proxy": (),
}
_TYPES = {
    "allowWatchBookmarks": "boolean",
    "force": "boolean",
    "gracePeriodSeconds": "integer",
    "limit": "integer",
    "orphanDependents": "boolean",
    "sendInitialEvents": "boolean",
    "timeoutSeconds": "integer",
    "watch": "boolean",
}
#: Codes of success beside 200, by what is done.
_CODES = {
    "post": (201, 202),
    "put": (201,),
    "patch": (201,),
    "delete": (202,),
}
_DESCRIPTIONS = {200: "OK", 201: "Created", 202: "Accepted"}
_METHODS = {
    "get": "get",
    "list": "get",
    "create": "post",
    "post": "post",
    "update": "put",
    "put": "put",
    "patch": "patch",
    "delete": "delete",
    "deletecollection": "delete",
    "head": "head",
    "options": "options",
}
#: Methods of requests that are passed on.
_ANY = ("delete", "get", "head", "options", "patch", "post", "put")

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one path. ``body`` and ``result`` name definitions, "" for none."""

    path: str
    action: str
    resource: Resource
    kind: Document
    body: str = ""
    result: str = ""
    subresource: str = ""
    connects: bool = False

    @property
    def method(self) -> str:
        return _METHODS[self.action]

    @property
    def id(self) -> str:
        """Unique, and in the form of upstream's: ``listCoreV1NamespacedPod``."""
        parts = (self.resource.group or "core").removesuffix(".k8s.io").split(".")
        group = "".join(part.capitalize() for part in parts)
        scope = "Namespaced" if "{namespace}" in self.path else ""
        suffix = "ForAllNamespaces" if self.resource.namespaced and not scope else ""
        what = self.resource.kind + self.subresource.capitalize()
        version = self.resource.version.upper()
        if self.connects:
            below = "WithPath" if self.path.endswith("{path}") else ""
            return f"connect{group}{version}{self.action.capitalize()}{scope}{what}{below}"
        return f"{self.action}{group}{version}{scope}{what}{suffix}"


def operations(
    resource: Resource,
    definition: Callable[[Resource | Subresource], str],
    *,
    returns_deleted: bool,
) -> Iterable[Operation]:
    """Yield what can be done with *resource*; *definition* names the definition of a kind.

    *returns_deleted* says that a deletion is answered with the object.
    """
    itself = definition(resource)
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    collection = resource.path("{namespace}" if resource.namespaced else "")
    item = resource.path("{namespace}" if resource.namespaced else "", "{name}")
    if resource.namespaced and "list" in resource.verbs:
        yield Operation(resource.path(), "list", resource, kind, result=f"{itself}List")
    for verb, path, body, result in (
        ("list", collection, "", f"{itself}List"),
        ("create", collection, itself, itself),
        ("deletecollection", collection, DELETE_OPTIONS, STATUS),
        ("get", item, "", itself),
        ("update", item, itself, itself),
        ("patch", item, PATCH, itself),
        ("delete", item, DELETE_OPTIONS, itself if returns_deleted else STATUS),
    ):
        if verb in resource.verbs:
            action = {"create": "post", "update": "put"}.get(verb, verb)
            yield Operation(path, action, resource, kind, body, result)
    for sub in resource.subresources:
        yield from _subresource_operations(resource, sub, itself, kind, definition)


def _subresource_operations(
    resource: Resource,
    sub: Subresource,
    itself: str,
    kind: Document,
    definition: Callable[[Resource | Subresource], str],
) -> Iterable[Operation]:
    path = resource.path("{namespace}" if resource.namespaced else "", "{name}", sub.name)
    own = definition(sub) if sub.type is not None else itself
    if sub.kind:
        kind = {"group": sub.group, "version": sub.version, "kind": sub.kind}
    for method in _ANY if sub.anywhere else ():
        for at in (path, path + "/{path}"):
            yield Operation(at, method, resource, kind, subresource=sub.name, connects=True)
    for verb in () if sub.anywhere else sub.verbs:
        action = {"create": "post", "update": "put"}.get(verb, verb)
        if sub.connects:
            yield Operation(path, action, resource, kind, subresource=sub.name, connects=True)
            continue
        body = {"post": own, "put": own, "patch": PATCH}.get(action, "")
        result = "" if sub.name == "log" else own
        yield Operation(path, action, resource, kind, body, result, sub.name)


def path_parameters(path: str) -> list[str]:
    return [name for name in ("name", "namespace", "path") if f"{{{name}}}" in path]


def paths_v2(found: Iterable[Operation]) -> Document:
    def parameter(name: str, place: str) -> Document:
        entry: Document = {"name": name, "in": place, "type": _TYPES.get(name, "string")}
        entry["uniqueItems"] = True
        return entry | ({"required": True} if place == "path" else {})

    def operation(op: Operation) -> Document:
        parameters = [parameter(name, "query") for name in _query(op)]
        if op.body:
            schema = {"$ref": V2_ROOT + op.body}
            required = {} if op.method == "delete" else {"required": True}
            parameters.insert(0, {"name": "body", "in": "body", "schema": schema, **required})
        content = {"schema": {"$ref": V2_ROOT + op.result}} if op.result else {}
        consumes = list(_PATCH_TYPES) if op.method == "patch" else ["*/*"]
        return {
            **_common(op),
            "consumes": consumes,
            "produces": ["application/json", "application/yaml"],
            "schemes": ["https"],
            "parameters": parameters,
            "responses": _responses(op, content),
        }

    return _paths(found, operation, parameter)


def paths_v3(found: Iterable[Operation]) -> Document:
    def parameter(name: str, place: str) -> Document:
        schema = {"type": _TYPES.get(name, "string"), "uniqueItems": True}
        entry: Document = {"name": name, "in": place, "schema": schema}
        return entry | ({"required": True} if place == "path" else {})

    def operation(op: Operation) -> Document:
        document = _common(op)
        document["parameters"] = [parameter(name, "query") for name in _query(op)]
        if op.body:
            types = _PATCH_TYPES if op.method == "patch" else ("*/*",)
            schema = {"$ref": V3_ROOT + op.body}
            document["requestBody"] = {"content": {kind: {"schema": schema} for kind in types}}
        content = {}
        if op.result:
            schema = {"$ref": V3_ROOT + op.result}
            kinds = ("application/json", "application/yaml")
            content = {"content": {kind: {"schema": schema} for kind in kinds}}
        document["responses"] = _responses(op, content)
        return document

    return _paths(found, operation, parameter)


def _responses(op: Operation, content: Document) -> Document:
    codes = (200, *(() if op.connects else _CODES.get(op.action, ())))
    answers = {str(code): {"description": _DESCRIPTIONS[code], **content} for code in codes}
    return answers | {"401": {"description": "Unauthorized"}}


def _common(op: Operation) -> Document:
    group = (op.resource.group or "core").partition(".")[0]
    return {
        "operationId": op.id,
        "tags": [f"{group}_{op.resource.version}"],
        "x-kubernetes-action": "connect" if op.connects else op.action,
        GROUP_VERSION_KIND: op.kind,
    }


def _query(op: Operation) -> Iterable[str]:
    if op.subresource == "log":
        return (
            "container", "follow", "limitBytes", "previous", "sinceSeconds", "sinceTime",
            "tailLines", "timestamps",
        )  # fmt: skip
    return _CONNECTIONS[op.subresource] if op.connects else _QUERY[op.action]


def _paths(
    found: Iterable[Operation],
    operation: Callable[[Operation], Document],
    parameter: Callable[[str, str], Document],
) -> Document:
    paths: dict[str, Document] = {}
    for op in found:
        entry = paths.setdefault(op.path, {})
        entry[op.method] = operation(op)
        named = path_parameters(op.path)
        if named:
            entry["parameters"] = [parameter(name, "path") for name in named]
    return dict(sorted(paths.items()))

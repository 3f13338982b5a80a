"""Paths and operations of the served resources, as OpenAPI 2 and 3 write them. Pure.

Follows ``k8s.io/apiserver/pkg/endpoints/installer.go``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from podium.api.scheme import PODS, Resource, Subresource
from podium.apiserver.openapi.schemas import GROUP_VERSION_KIND
from podium.registry.strategies import strategy_for

META = "io.k8s.apimachinery.pkg.apis.meta.v1"
STATUS = f"{META}.Status"
PATCH = f"{META}.Patch"
DELETE_OPTIONS = f"{META}.DeleteOptions"
_PATCH_TYPES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
JSON, YAML = "application/json", "application/yaml"
_WRITES = ("dryRun", "fieldManager", "fieldValidation", "pretty")
_DELETES = (
    "dryRun", "gracePeriodSeconds", "ignoreStoreReadErrorWithClusterBreakingPotential",
    "orphanDependents", "pretty", "propagationPolicy",
)  # fmt: skip
_CHOICE = (
    "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion",
    "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds",
)  # fmt: skip
_QUERY = {
    "list": tuple(sorted((*_CHOICE, "allowWatchBookmarks", "pretty", "watch"))),
    "post": _WRITES,
    "put": _WRITES,
    "patch": tuple(sorted((*_WRITES, "force"))),
    "delete": _DELETES,
    "deletecollection": tuple(sorted((*_CHOICE, *_DELETES))),
    "get": ("pretty",),
}
#: Queries of requests that become streams.
_CONNECTIONS = {
    "attach": ("container", "stderr", "stdin", "stdout", "tty"),
    "exec": ("command", "container", "stderr", "stdin", "stdout", "tty"),
    "portforward": ("ports",),
    "proxy": (),
}
_LOG = (
    "container", "follow", "limitBytes", "pretty", "previous", "sinceSeconds", "sinceTime",
    "tailLines", "timestamps",
)  # fmt: skip
#: Posted without a body.
_RESTART = tuple(sorted((*_WRITES, "container")))
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
_VERBS = {"get": "read", "put": "replace", "post": "create", "deletecollection": "delete"}
_CODES = {"post": (200, 201, 202), "put": (200, 201), "patch": (200, 201), "delete": (200, 202)}

Document = dict[str, Any]


class Operation(msgspec.Struct, frozen=True):
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
        """Unique: ``listCoreV1NamespacedPod``."""
        group = group_name(self.resource.group) + self.resource.version.upper()
        scope = "Namespaced" if "{namespace}" in self.path else ""
        suffix = "ForAllNamespaces" if self.resource.namespaced and not scope else ""
        what = self.resource.kind + self.subresource.capitalize()
        if self.connects:
            below = "WithPath" if self.path.endswith("{path}") else ""
            return f"connect{group}{self.action.capitalize()}{scope}{what}{below}"
        many = "Collection" if self.action == "deletecollection" else ""
        verb = _VERBS.get(self.action, self.action)
        return f"{verb}{group}{many}{scope}{what}{suffix}"

    @property
    def tag(self) -> str:
        return tag(self.resource.group, self.resource.version)

    @property
    def description(self) -> str:
        kind, part = self.resource.kind, self.subresource
        if self.connects:
            return f"connect {self.method.upper()} requests to {part} of {kind}"
        of = f"{part} of " if part else ""
        match self.action:
            case "list":
                return f"list or watch objects of kind {kind}"
            case "deletecollection":
                return f"delete collection of {kind}"
            case "post":
                return f"create {of}{_with_article(kind)}"
            case "delete":
                return f"delete {of}{_with_article(kind)}"
        verb = {"patch": "partially update"}.get(self.action, _VERBS.get(self.action))
        return f"{verb} {of}the specified {kind}"

    @property
    def marks(self) -> Document:
        """The extensions that say what this is to Kubernetes."""
        action = "connect" if self.connects else self.action
        return {"x-kubernetes-action": action, GROUP_VERSION_KIND: self.kind}

    @property
    def query(self) -> Iterable[str]:
        if self.subresource == "log":
            return _LOG
        if self.subresource == "restart":
            return _RESTART
        return _CONNECTIONS[self.subresource] if self.connects else _QUERY[self.action]

    @property
    def codes(self) -> tuple[int, ...]:
        return (200,) if self.connects else _CODES.get(self.action, (200,))

    @property
    def consumes(self) -> tuple[str, ...]:
        return _PATCH_TYPES if self.method == "patch" and self.body else ("*/*",)

    @property
    def produces(self) -> tuple[str, ...]:
        if self.connects:
            return ("*/*",)
        if self.subresource == "log":
            return ("text/plain",)
        return (JSON, f"{JSON};stream=watch", YAML) if self.action == "list" else (JSON, YAML)


def group_name(group: str) -> str:
    """Return a group as names of operations have it: ``RbacAuthorization``."""
    parts = (group or "core").removesuffix(".k8s.io").split(".")
    return "".join(part.capitalize() for part in parts)


def tag(group: str, version: str = "") -> str:
    """Return a group as tags of operations have it: ``rbacAuthorization_v1``."""
    name = group_name(group)
    return f"{name[0].lower()}{name[1:]}" + (f"_{version}" if version else "")


def _with_article(noun: str) -> str:
    """Plurals have no article."""
    if noun.endswith("s") and not noun.endswith("ss"):
        return noun
    return f"{'an' if noun[0] in 'AEIOU' else 'a'} {noun}"


def operations(
    resource: Resource, definition: Callable[[Resource | Subresource], str]
) -> Iterable[Operation]:
    """Yield what can be done with *resource*; *definition* names the definition of a kind."""
    itself, strategy = definition(resource), strategy_for(resource)
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
        ("delete", item, DELETE_OPTIONS, itself if strategy.returns_deleted_object else STATUS),
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
        if sub.name == "restart":
            body = ""
        result = "" if sub.name == "log" else own
        yield Operation(path, action, resource, kind, body, result, sub.name)


def binding() -> Operation:
    """POST to the bindings of a namespace: ``pods/binding`` by another way."""
    kind = {"group": "", "version": "v1", "kind": "Binding"}
    path, name = "/api/v1/namespaces/{namespace}/bindings", "io.k8s.api.core.v1.Binding"
    return Operation(path, "post", replace(PODS, kind="Binding"), kind, name, name)

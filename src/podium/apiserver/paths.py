"""What a request is about, read off its method, path and query: upstream's ``RequestInfo``.

Pure, and knows no kind: a path names a resource whether it is served or not, so that who may not
ask learns nothing about what there is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from urllib.parse import parse_qsl, unquote

import msgspec

_BAD_ESCAPE = re.compile("%(?![0-9a-fA-F]{2})")
#: How the target begins that is a whole URL, as proxies write it.
_AUTHORITY = re.compile("https?://[^/]*", re.IGNORECASE)
_VERBS = {
    "GET": "get",
    "HEAD": "get",
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
_KNOWN_VERBS = frozenset(
    (
        "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "post",
        "put", "head", "options", "connect",
    )
)  # fmt: skip
_LONG_SUBRESOURCES = frozenset({"log", "exec", "attach", "portforward", "proxy"})
#: Targets of requests that are remembered, and the longest of them, in characters.
_REMEMBERED, _LONGEST = 1024, 256
#: What may follow ``namespaces/<name>`` without being a resource in that namespace.
_NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})


class RequestInfo(msgspec.Struct, frozen=True, dict=True):
    """For a resource request every field speaks; for another one only ``verb`` and ``path`` do.

    ``verb`` is the API's (``list``, ``watch``, ``deletecollection``, …) for resources and the
    method in lower case for other paths, as authorization sees it; "" for an unknown method.
    """

    method: str
    path: str
    verb: str
    is_resource: bool = False
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    #: What follows the subresource, as in ``pods/x/proxy/<rest>``.
    rest: str = ""

    @property
    def scope(self) -> str:
        """How metrics and logs tell the width of a request."""
        if self.name:
            return "resource"
        if self.namespace:
            return "namespace"
        return "cluster" if self.is_resource else ""

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """What metrics tell requests apart by: verb, group, version, resource, subresource, scope.

        A client may make up methods, and none of them becomes a name of ours.
        """
        verb = self.verb.upper() if self.verb in _KNOWN_VERBS else "other"
        return verb, self.group, self.version, self.resource, self.subresource, self.scope

    @cached_property
    def is_passed_on(self) -> bool:
        """Whether what a kubelet or another server says is passed on, as it comes."""
        return self.subresource in _LONG_SUBRESOURCES

    @cached_property
    def is_long_running(self) -> bool:
        return self.verb == "watch" or self.is_passed_on


class Query:
    """The query's first values by name; Kubernetes reads no second one."""

    __slots__ = ("_all",)

    def __init__(self, text: str) -> None:
        self._all: dict[str, list[str]] = {}
        for name, value in parse_qsl(text, keep_blank_values=True) if text else ():
            self._all.setdefault(name, []).append(value)

    def get(self, name: str) -> str:
        """The first value, "" when there is none."""
        values = self._all.get(name)
        return values[0] if values else ""

    def all(self, name: str) -> Sequence[str]:
        return self._all.get(name, ())

    def flag(self, name: str) -> bool:
        """True for every value but ``false`` and ``0``, also for the empty one."""
        values = self._all.get(name)
        return values is not None and values[0].lower() not in ("false", "0")

    def as_mapping(self) -> Mapping[str, Sequence[str]]:
        return self._all


class BadTarget(ValueError):
    """The request line names nothing that could be read."""


def read(method: str, target: str) -> tuple[RequestInfo, Query]:
    """Return what a request line is about, and its query.

    Raises BadTarget, for ``;`` in a query, too, but that of another server: to Go it is neither a
    separator nor a part of what it separates.
    """
    if len(target) <= _LONGEST and method in _VERBS:
        return _remembered(method, target)
    return _read(method, target)


def _read(method: str, target: str) -> tuple[RequestInfo, Query]:
    path, query = split_target(target)
    info = parse(method, path, query)
    if ";" in target and ";" in target.partition("?")[2] and info.subresource != "proxy":
        raise BadTarget(target)
    return info, query


_remembered = lru_cache(_REMEMBERED)(_read)


def split_target(target: str) -> tuple[str, Query]:
    """Return the decoded path and the query of a request line's target.

    Raises BadTarget where ``%`` stands for nothing. Upstream passes over such a parameter of a
    query, and over one with ``;`` in it; of a selector that would leave a request for everything.
    """
    if "%" in target and _BAD_ESCAPE.search(target):
        raise BadTarget(target)
    path, _, query = target.partition("?")
    if not path.startswith("/") and (authority := _AUTHORITY.match(path)):
        path = path[authority.end() :] or "/"
    return unquote(path), Query(query)


def parse(method: str, path: str, query: Query) -> RequestInfo:
    """Return what a request is about. *path* is decoded."""
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) >= 3:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) >= 4:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return RequestInfo(method, path, method.lower())
    verb = _VERBS.get(method, "")
    if rest[0] == "watch" and len(rest) > 1:  # the old form, /api/v1/watch/...
        verb, rest = "watch", rest[1:]
    return _resource(method, path, verb, group, version, rest, query)


def _resource(
    method: str, path: str, verb: str, group: str, version: str, rest: list[str], query: Query
) -> RequestInfo:
    namespace = ""
    if rest[0] == "namespaces":
        namespace = rest[1] if len(rest) > 1 else ""
        if len(rest) > 2 and rest[2] not in _NAMESPACE_SUBRESOURCES:
            rest = rest[2:]
    resource, name, subresource = (*rest, "", "")[:3]
    tail = "/".join(rest[3:])
    if not name:
        verb = {"get": "list", "delete": "deletecollection"}.get(verb, verb)
        if verb == "list" and query.flag("watch"):
            verb = "watch"
        if verb in ("list", "watch", "deletecollection"):
            name = "" if subresource else _single_name(query.get("fieldSelector"))
            return RequestInfo(
                method, path, verb, True, group, version, namespace, resource, subresource, name
            )
    return RequestInfo(
        method, path, verb, True, group, version, namespace, resource, subresource, name, tail
    )


def _single_name(field_selector: str) -> str:
    """The name that a list or watch is restricted to; a right to that name is enough for it."""
    for term in field_selector.split(",") if field_selector else ():
        key, separator, value = term.partition("=")
        if key == "metadata.name" and separator:
            return value.removeprefix("=")
    return ""

"""What ``get`` reads: objects and lists, or the server's tables of them."""

from __future__ import annotations

import sys

from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.files import given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from podium.kubectl.command import Invocation
    from podium.kubectl.http import Query
    from podium.kubectl.targets import Target

TABLE = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,"
    "application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)


def read(
    invocation: Invocation, target: Target, accept: str, query: Query = ()
) -> Iterator[dict[str, Any]]:
    """Yield what there is of a target: the object, or the list in pieces."""
    values, session = invocation.values, invocation.session
    subresource = "" if given(values) else values.subresource
    path = target.type.path(place(invocation, target), target.name, subresource)
    if target.name:
        if values.all_namespaces and target.type.namespaced:
            raise CommandError("a resource cannot be retrieved by name across all namespaces")
        answer = session.http.one(path, query, accept=accept)
        session.warn(answer)
        yield answer.json()
        return
    listing = [*query]
    for name, text in (
        ("labelSelector", values.selector),
        ("fieldSelector", values.field_selector),
        ("limit", str(values.chunk_size) if values.chunk_size > 0 else ""),
    ):
        listing += [(name, text)] if text else []
    token = ""
    while True:
        paged = [*listing, *([("continue", token)] if token else [])]
        try:
            answer = session.http.request("GET", path, paged, accept=accept)
        except StatusError as error:
            from podium.kubectl.lists import refusal

            labels, fields = values.selector, values.field_selector
            raise refusal(error, target.type, labels, fields) from error
        session.warn(answer)
        document = answer.json()
        yield document
        token = (document.get("metadata") or {}).get("continue", "")
        if not token:
            return


def place(invocation: Invocation, target: Target) -> str:
    """Return the namespace that a target is in, "" for all."""
    if invocation.values.all_namespaces:
        return ""
    return target.namespace or invocation.session.namespace


def objects(target: Target, document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the objects of a document: itself, or its items."""
    if target.name or "items" not in document:
        yield document
        return
    type_ = target.type
    for item in document["items"] or ():
        yield {"apiVersion": type_.group_version, "kind": type_.kind, **item}


class Problems:
    """Failures that do not keep other targets from being shown."""

    def __init__(self, ignore_not_found: bool) -> None:
        self._ignore = ignore_not_found
        self.found: list[CommandError] = []

    def take(self, error: CommandError) -> None:
        """Remember a failure; what could not be read of files is told without more words."""
        if not (self._ignore and isinstance(error, StatusError) and error.code == 404):
            self.found.append(error)

    def end(self) -> int:
        """Print them; return the exit code."""
        if not self.found:
            return 0
        sys.stdout.flush()
        for error in self.found:
            status = isinstance(error, StatusError)
            print(error.lines() if status else error.among_others(), file=sys.stderr)
        return 1

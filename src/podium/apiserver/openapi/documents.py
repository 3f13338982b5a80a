"""The documents, each made once, with the hash that names its state."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import msgspec

from podium.api import schema
from podium.api.scheme import RESOURCES, Resource, Subresource
from podium.apiserver import discovery
from podium.apiserver.negotiation import JSON
from podium.apiserver.openapi import enums, prose, protobuf
from podium.apiserver.openapi import operations as ops
from podium.apiserver.openapi.schemas import schemas_v2, schemas_v3
from podium.apiserver.version import GIT_VERSION
from podium.registry.strategies import strategy_for

_INFO = {"title": "Kubernetes", "version": GIT_VERSION}


@dataclass(frozen=True)
class Document:
    """A document as it is sent."""

    body: bytes
    content_type: str = JSON

    @cached_property
    def hash(self) -> str:
        return hashlib.sha512(self.body).hexdigest().upper()

    @cached_property
    def compressed(self) -> bytes:
        return gzip.compress(self.body, 6, mtime=0)


def _document(content: dict[str, Any]) -> Document:
    return Document(msgspec.json.encode(content))


@cache
def v2() -> Document:
    return _document(_content_v2())


@cache
def v2_protobuf() -> Document:
    return Document(protobuf.encode(_content_v2()), protobuf.CONTENT_TYPE)


def _content_v2() -> dict[str, Any]:
    found = list(_operations(RESOURCES))
    return {
        "swagger": "2.0",
        "info": _INFO,
        "paths": ops.paths_v2(found),
        "definitions": schemas_v2(_definitions(), _roots(found)),
    }


@cache
def v3(group: str, version: str) -> Document | None:
    """Return the document of a group and version, None where it is not served."""
    resources = discovery.served(group, version)
    if not resources:
        return None
    found = list(_operations(resources))
    return _document(
        {
            "openapi": "3.0.0",
            "info": _INFO,
            "paths": ops.paths_v3(found),
            "components": {"schemas": schemas_v3(_definitions(), _roots(found))},
        }
    )


@cache
def index() -> Document:
    """``/openapi/v3``: where the documents are."""
    paths = {}
    for path, (group, version) in sorted(group_versions().items()):
        document = v3(group, version)
        if document is not None:
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={document.hash}"}
    return _document({"paths": paths})


@cache
def group_versions() -> dict[str, tuple[str, str]]:
    """Return the groups and versions by the path of their document: ``apis/apps/v1``."""
    found = {"api/v1": ("", "v1")}
    for group, versions in discovery.groups().items():
        found.update({f"apis/{group}/{version}": (group, version) for version in versions})
    return found


def _definitions() -> Mapping[str, Any]:
    return enums.with_values(prose.described(schema.all_definitions()))


def _operations(resources: Sequence[Resource]) -> Iterable[ops.Operation]:
    for resource in resources:
        returns = resource.stored and strategy_for(resource).returns_deleted_object
        yield from ops.operations(resource, _definition, returns_deleted=returns)


def _definition(kind: Resource | Subresource) -> str:
    assert kind.type is not None
    return schema.definition_of(kind.type)


def _roots(found: Iterable[ops.Operation]) -> set[str]:
    roots = {ops.STATUS}
    for operation in found:
        roots |= {operation.body, operation.result} - {""}
    return roots

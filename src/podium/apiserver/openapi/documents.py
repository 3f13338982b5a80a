"""The documents, each made once, with the hash that names its state."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from typing import Any

import msgspec

from podium.api import schema
from podium.api.scheme import RESOURCES, Resource, Subresource
from podium.apiserver import discovery
from podium.apiserver.negotiation import JSON
from podium.apiserver.openapi import enums, prose, protobuf, protobuf_v3, roots
from podium.apiserver.openapi import operations as ops
from podium.apiserver.openapi.paths import SECURITY, Described, paths_v2, paths_v3
from podium.apiserver.openapi.schemas import schemas_v2, schemas_v3
from podium.apiserver.version import GIT_VERSION

_INFO = {"title": "Kubernetes", "version": GIT_VERSION}


class Document(msgspec.Struct, frozen=True, dict=True):
    """A document as it is sent; in another form than JSON, it has the JSON's hash for ``state``."""

    body: bytes
    content_type: str = JSON
    state: str = ""

    @cached_property
    def hash(self) -> str:
        return self.state or hashlib.sha512(self.body).hexdigest().upper()

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
    found: list[Described] = list(_operations(RESOURCES))
    found += [root for _, root in roots.roots(discovery.described_groups())]
    found.append(ops.binding())
    return {
        "swagger": "2.0",
        "info": _INFO,
        "paths": paths_v2(found),
        "definitions": schemas_v2(_definitions(), _needed(found)),
        "securityDefinitions": SECURITY,
        "security": [{name: []} for name in SECURITY],
    }


def has_v3(path: str) -> bool:
    """Whether :func:`v3` returns a document, which takes long to make at first."""
    return path in _paths()


def v3(path: str) -> Document | None:
    """Return the document of a group and version (``apis/apps/v1``), or of what is about no kind
    (``apis/apps``, ``version``); None where there is no such document."""
    return _v3(path) if path in _paths() else None


@cache
def _paths() -> frozenset[str]:
    found = {place for place, _ in roots.roots(discovery.described_groups())}
    return frozenset(found | group_versions().keys())


@cache
def _v3(path: str) -> Document:
    names = group_versions().get(path)
    found: list[Described] = list(_operations(discovery.served(*names))) if names else []
    found += [root for place, root in roots.roots(discovery.described_groups()) if place == path]
    if path == "api/v1":
        found.append(ops.binding())
    return _document(
        {
            "openapi": "3.0.0",
            "info": _INFO,
            "paths": paths_v3(found),
            "components": {
                "schemas": schemas_v3(_definitions(), _needed(found)),
                "securitySchemes": SECURITY,
            },
        }
    )


def v3_protobuf(path: str) -> Document | None:
    """Return the document that :func:`v3` returns as protobuf."""
    return _v3_protobuf(path) if path in _paths() else None


@cache
def _v3_protobuf(path: str) -> Document:
    document = _v3(path)
    body = protobuf_v3.encode(msgspec.json.decode(document.body))
    return Document(body, protobuf_v3.CONTENT_TYPE, document.hash)


@cache
def index() -> Document:
    """``/openapi/v3``: where the documents are."""
    found = {
        path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={_v3(path).hash}"}
        for path in sorted(_paths())
    }
    return _document({"paths": found})


@cache
def group_versions() -> dict[str, tuple[str, str]]:
    """Return the groups and versions by the path of their document: ``apis/apps/v1``."""
    found = {"api/v1": ("", "v1")}
    for group, versions in discovery.described_groups().items():
        found.update({f"apis/{group}/{version}": (group, version) for version in versions})
    return found


def _definitions() -> Mapping[str, Any]:
    described = enums.with_values(prose.described(schema.all_definitions()))
    return {**roots.DEFINITIONS, **described}


def _operations(resources: Sequence[Resource]) -> Iterable[ops.Operation]:
    for resource in resources:
        yield from ops.operations(resource, _definition)


def _definition(kind: Resource | Subresource) -> str:
    assert kind.type is not None
    return schema.definition_of(kind.type)


def _needed(found: Iterable[Described]) -> set[str]:
    return {name for operation in found for name in (operation.body, operation.result) if name}

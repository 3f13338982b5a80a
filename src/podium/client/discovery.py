"""What kinds a server has, also those this program has no types for."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from podium.api.scheme import Resource
from podium.api.types.meta_v1 import APIGroupList, APIResourceList, ObjectMeta
from podium.client import wire
from podium.client.client import Client


class AnyObject(Struct, kw_only=True, omit_defaults=True, rename={"api_version": "apiVersion"}):
    """An object of which only the metadata matters."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = field(default_factory=lambda: ObjectMeta())


async def namespaced_resources(client: Client) -> list[Resource]:
    """Return all kinds whose objects live in namespaces, each in its group's preferred version.

    Objects come as :class:`AnyObject`. Raises ApiError or Unreachable.
    """
    groups = wire.decode(APIGroupList, await client.get_raw("/apis")).groups
    found = await _resources(client, "", "v1", "/api/v1")
    for group in groups:
        preferred = group.preferred_version or group.versions[0]
        version = preferred.version
        found += await _resources(client, group.name, version, f"/apis/{group.name}/{version}")
    return found


async def _resources(client: Client, group: str, version: str, path: str) -> list[Resource]:
    listed = wire.decode(APIResourceList, await client.get_raw(path)).resources
    return [
        Resource(
            group=group,
            version=version,
            kind=entry.kind,
            plural=entry.name,
            singular=entry.singular_name,
            struct=AnyObject,
            verbs=tuple(entry.verbs),
        )
        for entry in listed
        if entry.namespaced and "/" not in entry.name
    ]


_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


class _Scoped(Struct, rename="camel"):
    resource: str
    response_kind: dict[str, str]
    scope: str
    verbs: list[str] = field(default_factory=list)
    singular_resource: str = ""


class _Version(Struct):
    version: str
    resources: list[_Scoped] = field(default_factory=list)


class _GroupMetadata(Struct):
    name: str = ""


class _Group(Struct):
    metadata: _GroupMetadata
    versions: list[_Version]


class _Groups(Struct):
    items: list[_Group]


async def all_resources(client: Client, type_: type[Any]) -> list[Resource]:
    """Return all kinds in all their versions, the preferred version of a kind first.

    Objects come as *type_*. Two requests for aggregated discovery, which servers have had since
    Kubernetes 1.30 in this form. Raises ApiError or Unreachable.
    """
    found = []
    for root in ("/api", "/apis"):
        document = wire.decode(_Groups, await client.get_raw(root, accept=_AGGREGATED))
        found += [
            Resource(
                group=group.metadata.name,
                version=version.version,
                kind=entry.response_kind.get("kind", ""),
                plural=entry.resource,
                singular=entry.singular_resource,
                struct=type_,
                namespaced=entry.scope == "Namespaced",
                verbs=tuple(entry.verbs),
            )
            for group in document.items
            for version in group.versions
            for entry in version.resources
        ]
    return found

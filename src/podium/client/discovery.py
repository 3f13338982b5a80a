"""What kinds a server has, also those this program has no types for."""

from __future__ import annotations

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
            type=AnyObject,
            verbs=tuple(entry.verbs),
        )
        for entry in listed
        if entry.namespaced and "/" not in entry.name
    ]

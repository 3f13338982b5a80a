"""Requests to the Kubernetes API about typed objects.

Every method raises ApiError when the server refuses and Unreachable when it does not answer.
Objects are told apart by their entry in ``podium.api.scheme``; what comes back is a struct of that
entry's type.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Any, Literal, Self

import msgspec
from msgspec.structs import replace

from podium.api.errors import ApiError
from podium.api.scheme import Resource
from podium.api.types.meta_v1 import DeleteOptions, Preconditions, Status
from podium.client import wire
from podium.client.config import ClientConfig
from podium.client.transport import Bearer, Transport
from podium.kit.clock import Clock, SystemClock

PatchType = Literal["strategic", "merge", "json"]

_PATCH_CONTENT_TYPES = {
    "strategic": "application/strategic-merge-patch+json",
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
}
#: Ask for metadata alone; a server that cannot do that sends the whole objects.
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
#: Seconds a watch may outlast the time that the server was asked to end it after.
_WATCH_GRACE = 30.0


class ObjectList(msgspec.Struct, frozen=True):
    """The answer to a list: the objects, and the revision that a watch continues from."""

    items: list[Any]
    resource_version: str


class Client:
    """One API server. Use as an async context manager; may be shared by any number of tasks."""

    def __init__(
        self,
        config: ClientConfig,
        clock: Clock | None = None,
        *,
        transport: Transport | None = None,
    ) -> None:
        self.config = config
        self._transport = transport or Transport(config, clock or SystemClock())

    def acting(self, bearer: Bearer, user_agent: str) -> Client:
        """Return a client for whom *bearer* stands, on this one's connections; it needs no
        entering. This client must show no certificate."""
        config = replace(self.config, user_agent=user_agent)
        return Client(config, transport=self._transport.acting(bearer, user_agent))

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._transport.__aexit__(kind, error, traceback)

    async def get_raw(self, path: str, *, accept: str = "") -> bytes:
        """Return what is at any path of the server (``/version``, discovery documents)."""
        return await self._transport.request("GET", path, accept=accept)

    async def get(
        self, resource: Resource, name: str, namespace: str = "", *, metadata_only: bool = False
    ) -> Any:
        """Return the object; with *metadata_only* the rest of it does not come over the wire."""
        accept = _METADATA if metadata_only else ""
        path = resource.path(namespace, name)
        body = await self._transport.request("GET", path, accept=accept)
        return wire.decode(resource.type, body)

    async def list(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        resource_version: str = "",
        metadata_only: bool = False,
    ) -> ObjectList:
        """List one namespace's objects, or those of all when *namespace* is empty."""
        query = _query(
            labelSelector=label_selector,
            fieldSelector=field_selector,
            resourceVersion=resource_version,
        )
        accept = _METADATA_LIST if metadata_only else ""
        path = resource.path(namespace)
        body = await self._transport.request("GET", path, query=query, accept=accept)
        found = wire.decode_list(resource.type, body)
        return ObjectList(found.items, found.metadata.resource_version)

    async def create(self, resource: Resource, obj: Any, *, namespace: str = "") -> Any:
        path = resource.path(namespace or obj.metadata.namespace)
        body = await self._transport.request("POST", path, body=wire.encode(obj))
        return wire.decode(resource.type, body)

    async def create_subresource(
        self, resource: Resource, name: str, subresource: str, body: Any, namespace: str = ""
    ) -> Any:
        """POST *body* to a subresource; return the Status, the object or the JSON that comes."""
        path = resource.path(namespace, name, subresource)
        answer = await self._transport.request("POST", path, body=wire.encode(body))
        entry = resource.subresource(subresource)
        types = [resource.type] if entry is None or entry.type is None else [entry.type]
        return wire.decode_any(types, answer)

    async def update(self, resource: Resource, obj: Any, *, subresource: str = "") -> Any:
        """Replace an object; a conflict is answered when *obj* is not the latest version."""
        path = resource.path(obj.metadata.namespace, obj.metadata.name, subresource)
        body = await self._transport.request("PUT", path, body=wire.encode(obj))
        return wire.decode(resource.type, body)

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Any,
        *,
        namespace: str = "",
        subresource: str = "",
        patch_type: PatchType = "strategic",
    ) -> Any:
        """Apply *patch* (plain JSON values with camelCase keys) and return the new object."""
        body = await self._transport.request(
            "PATCH",
            resource.path(namespace, name, subresource),
            body=wire.encode(patch),
            content_type=_PATCH_CONTENT_TYPES[patch_type],
        )
        return wire.decode(resource.type, body)

    async def delete(
        self,
        resource: Resource,
        name: str,
        *,
        namespace: str = "",
        grace_period_seconds: int | None = None,
        uid: str = "",
        resource_version: str = "",
        propagation_policy: str | None = None,
    ) -> None:
        """Delete an object, only that of *uid* and *resource_version* where those are given."""
        options = _delete_options(grace_period_seconds, propagation_policy)
        if uid or resource_version:
            options.preconditions = Preconditions(
                uid=uid or None, resource_version=resource_version or None
            )
        path = resource.path(namespace, name)
        await self._transport.request("DELETE", path, body=wire.encode(options))

    async def delete_collection(
        self,
        resource: Resource,
        namespace: str,
        *,
        label_selector: str = "",
        field_selector: str = "",
        propagation_policy: str | None = None,
    ) -> None:
        """Delete all objects of a namespace that match the selectors."""
        query = _query(labelSelector=label_selector, fieldSelector=field_selector)
        options = wire.encode(_delete_options(None, propagation_policy))
        await self._transport.request("DELETE", resource.path(namespace), query=query, body=options)

    async def watch(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        resource_version: str = "",
        timeout_seconds: int = 300,
        metadata_only: bool = False,
        initial: bool = False,
    ) -> AsyncGenerator[tuple[str, Any], None]:
        """Yield (type, object) for each event, until the server ends the watch.

        Types are ADDED, MODIFIED, DELETED and BOOKMARK. An ERROR event is raised as ApiError (410
        when *resource_version* is too old). With *initial* what there is comes first, as ADDED,
        and then one event of the type SYNCED; a server that does not do that refuses it (422).
        Wrap in ``contextlib.aclosing`` to leave early.
        """
        query = _query(
            watch="true",
            allowWatchBookmarks="true",
            sendInitialEvents="true" if initial else "",
            resourceVersionMatch="NotOlderThan" if initial else "",
            labelSelector=label_selector,
            fieldSelector=field_selector,
            resourceVersion=resource_version,
            timeoutSeconds=str(timeout_seconds),
        )
        pieces = self._transport.stream(
            resource.path(namespace),
            query=query,
            timeout=timeout_seconds + _WATCH_GRACE,
            accept=_METADATA if metadata_only else "",
        )
        rest = b""
        try:
            async for piece in pieces:
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    if line:
                        yield _event(resource, line)
        finally:
            await pieces.aclose()


def _event(resource: Resource, line: bytes) -> tuple[str, Any]:
    event = wire.decode_line(line)
    if event.type == "ERROR":
        raise ApiError(wire.decode(Status, event.object))
    type_ = event.type
    if type_ == "BOOKMARK" and wire.ends_initial_events(event.object):
        type_ = "SYNCED"
    return type_, wire.decode(resource.type, event.object)


def _query(**values: str) -> dict[str, str]:
    return {key: value for key, value in values.items() if value}


def _delete_options(grace_period_seconds: int | None, policy: str | None) -> DeleteOptions:
    return DeleteOptions(
        api_version="v1",
        kind="DeleteOptions",
        grace_period_seconds=grace_period_seconds,
        propagation_policy=policy,
    )

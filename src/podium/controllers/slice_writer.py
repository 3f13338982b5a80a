"""Writes changes of EndpointSlices, and tells when the informer has caught up with them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import msgspec

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.discovery_v1 import EndpointSlice
from podium.client.client import Client
from podium.controllers.creating import namespace_is_going
from podium.controllers.written import Written
from podium.domain.services import members
from podium.domain.services.placing import Changes
from podium.domain.services.slices import SERVICE_NAME
from podium.kit.clock import Clock

#: Name of the index that :func:`service_of` makes.
BY_SERVICE = "service"


def service_of(each: EndpointSlice) -> tuple[str]:
    """Index of slices by namespace and name of their Service."""
    metadata = each.metadata
    return (f"{metadata.namespace}/{metadata.labels.get(SERVICE_NAME, '')}",)


class SliceWriter:
    """For one controller; keys are Services."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client, self._written = client, Written(clock)

    def is_in(self, key: Hashable, existing: Iterable[EndpointSlice]) -> bool:
        """Whether *existing* is as new as what was written for *key*."""
        return self._written.is_in(key, existing)

    def forget(self, key: Hashable) -> None:
        self._written.forget(key)

    async def write(self, key: Hashable, changes: Changes, changed_at: str = "") -> None:
        """New slices first, so that no endpoint is missing in between.

        Raises ApiError, but for a namespace that is going: all in it goes with it.
        """
        for each in changes.create:
            try:
                made = await self._client.create(scheme.ENDPOINTSLICES, _stamped(each, changed_at))
            except ApiError as exc:
                if namespace_is_going(exc):
                    return
                raise
            self._written.note(key, made)
        for each in changes.update:
            done = await self._client.update(scheme.ENDPOINTSLICES, _stamped(each, changed_at))
            self._written.note(key, done)
        for each in changes.delete:
            await self._delete(key, each)

    async def _delete(self, key: Hashable, each: EndpointSlice) -> None:
        metadata = each.metadata
        try:
            await self._client.delete(
                scheme.ENDPOINTSLICES,
                metadata.name,
                namespace=metadata.namespace,
                uid=metadata.uid,
            )
        except ApiError as exc:
            if exc.code != 404:
                raise
        else:
            self._written.drop(key, each)


def _stamped(each: EndpointSlice, changed_at: str) -> EndpointSlice:
    if not changed_at:
        return each
    annotations = {**each.metadata.annotations, members.LAST_CHANGE: changed_at}
    metadata = msgspec.structs.replace(each.metadata, annotations=annotations)
    return msgspec.structs.replace(each, metadata=metadata)

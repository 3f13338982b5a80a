from __future__ import annotations

from typing import Any

import pytest

from podium.api import errors, scheme
from podium.api.errors import ApiError
from podium.api.types.discovery_v1 import EndpointSlice
from podium.api.types.meta_v1 import ObjectMeta, StatusCause
from podium.client.client import Client
from podium.controllers.slice_writer import SliceWriter
from podium.domain.services.placing import Changes
from podium.kit.clock import VirtualClock


class Refusing(Client):
    """Refuses to create anything, for *cause*."""

    def __init__(self, cause: str) -> None:
        self.cause = cause

    async def create(self, resource: scheme.Resource, obj: Any, *, namespace: str = "") -> Any:
        refusal = errors.forbidden(resource, obj.metadata.name, "no")
        assert refusal.status.details is not None
        refusal.status.details.causes = [StatusCause(reason=self.cause)]
        raise refusal


NEW = Changes(create=[EndpointSlice(metadata=ObjectMeta(name="s", namespace="n"))])


async def test_nothing_is_made_in_a_namespace_that_is_going() -> None:
    await SliceWriter(Refusing("NamespaceTerminating"), VirtualClock()).write("k", NEW)


async def test_other_refusals_are_told() -> None:
    with pytest.raises(ApiError):
        await SliceWriter(Refusing("Other"), VirtualClock()).write("k", NEW)

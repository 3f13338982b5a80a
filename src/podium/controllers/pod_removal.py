"""Removes a Pod after its status has been told why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.core_v1 import Pod
from podium.client.client import Client


async def remove(
    client: Client,
    pod: Pod,
    patch: Mapping[str, Any] | None,
    *,
    grace_period_seconds: int | None = None,
) -> None:
    """Apply *patch* to the status of *pod*, if there is one, and delete it; it may be gone."""
    metadata = pod.metadata
    try:
        if patch is not None:
            await client.patch(
                scheme.PODS,
                metadata.name,
                patch,
                namespace=metadata.namespace,
                subresource="status",
            )
        await client.delete(
            scheme.PODS,
            metadata.name,
            namespace=metadata.namespace,
            grace_period_seconds=grace_period_seconds,
            uid=metadata.uid,
        )
    except ApiError as exc:
        if exc.code not in (404, 409):  # gone, or another Pod of that name by now
            raise

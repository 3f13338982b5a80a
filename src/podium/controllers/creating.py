"""What controllers heed that make objects in namespaces which may be going."""

from __future__ import annotations

from typing import Any

from podium.api.errors import ApiError
from podium.api.scheme import Resource
from podium.api.types.core_v1 import Namespace
from podium.client.client import Client


def is_active(namespace: Namespace | None) -> bool:
    """Whether objects may be made in *namespace*."""
    return namespace is not None and namespace.metadata.deletion_timestamp is None


async def create_unless_there(client: Client, resource: Resource, obj: Any) -> None:
    """Create *obj*. That it exists, or that its namespace is going or gone, is as good.

    Raises ApiError for other refusals, and Unreachable.
    """
    try:
        await client.create(resource, obj)
    except ApiError as exc:
        if exc.reason not in ("AlreadyExists", "NotFound") and not namespace_is_going(exc):
            raise


def namespace_is_going(refusal: ApiError) -> bool:
    """Whether a create was refused for that: it will be for ever."""
    details = refusal.status.details
    causes = details.causes if details else ()
    return any(cause.reason == "NamespaceTerminating" for cause in causes)

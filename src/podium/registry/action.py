"""POST to a subresource that changes the object (``pods/binding``)."""

from __future__ import annotations

from typing import Any

from podium.api import errors
from podium.registry.kind import Kind, match_namespace
from podium.registry.types import RequestContext, Stored
from podium.store.port import RevisionMismatch


async def post(
    kind: Kind,
    namespace: str,
    name: str,
    subresource: str,
    body: Any,
    context: RequestContext,
) -> Stored:
    """Carry out *body* on the object; return the object as changed. Raises ApiError."""
    if body.metadata.name != name:
        raise errors.bad_request(f"name in URL does not match name in {body.kind} object")
    match_namespace(body.metadata, namespace)
    attributes = kind.attributes(
        "CREATE", namespace, name, context, obj=body, subresource=subresource
    )
    await kind.admit(attributes)
    await kind.validate_admission(attributes)
    while True:
        old = await kind.existing(namespace, name)
        obj = kind.cache.copy(old)
        kind.strategy.post(subresource, obj, body, kind.shared.clock.now())
        try:
            return await kind.store_update(old, obj, dry_run=context.dry_run)
        except RevisionMismatch:
            continue  # decide anew, on what somebody else made of it

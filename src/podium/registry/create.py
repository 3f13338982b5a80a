"""POST: a new object. Follows ``k8s.io/apiserver/pkg/registry/rest/create.go``."""

from __future__ import annotations

from typing import Any

from podium.api import errors
from podium.api.errors import ApiError
from podium.api.types.meta_v1 import ObjectMeta, StatusDetails
from podium.kit.apart import apart
from podium.registry import generate_name, ownership
from podium.registry.admission.base import Attributes, Telling
from podium.registry.kind import Kind, match_namespace
from podium.registry.types import RequestContext, Stored
from podium.store.port import KeyExists


async def create(
    kind: Kind, namespace: str, obj: Any, context: RequestContext, *, owned: bool = False
) -> Stored:
    """Store *obj*, which is taken over and changed. Raises ApiError.

    *owned* says that its managedFields are known already; otherwise what it says is owned by who
    creates it.
    """
    metadata = obj.metadata
    match_namespace(metadata, namespace)
    if metadata.resource_version and not context.dry_run:
        raise errors.failure(500, "", "resourceVersion should not be set on objects to be created")
    _wipe_system_fields(metadata)
    kind.strategy.default(obj)
    if not owned:
        metadata.managed_fields = await apart(
            context.size, ownership.of_created, kind, obj, context
        )
    generated = not metadata.name and bool(metadata.generate_name)
    if generated:
        metadata.name = generate_name.generate_name(metadata.generate_name)
        kind.strategy.default(obj)  # what follows from the name
    async with Telling(await prepare(kind, namespace, obj, context)) as outcome:
        stored = await _named(kind, namespace, obj, context, generated)
        outcome.stored_at = stored.revision
    return stored


async def _named(
    kind: Kind, namespace: str, obj: Any, context: RequestContext, generated: bool
) -> Stored:
    """Store *obj*, under another name where a generated one is taken."""
    metadata = obj.metadata
    if not generated:
        return await _store(kind, namespace, obj, context)
    for _ in range(generate_name.ATTEMPTS - 1):
        try:
            return await _store(kind, namespace, obj, context)
        except ApiError as taken:
            if taken.reason != "AlreadyExists":
                raise
        metadata.name = generate_name.generate_name(metadata.generate_name)
    try:
        return await _store(kind, namespace, obj, context)
    except ApiError as taken:
        raise _no_unique_name(kind, metadata.name, taken) from taken


async def prepare(kind: Kind, namespace: str, obj: Any, context: RequestContext) -> Attributes:
    """Admit, complete and validate *obj*, which has its defaults, in place. Raises ApiError.

    Who then stores it has to tell the plugins how that ends.
    """
    metadata = obj.metadata
    managed = metadata.managed_fields
    attributes = kind.attributes("CREATE", namespace, metadata.name, context, obj=obj)
    await kind.admit(attributes)
    now = attributes.now
    metadata.uid = generate_name.new_uid()
    metadata.creation_timestamp = now.replace(microsecond=0)
    metadata.managed_fields = managed  # not what admission made of them
    kind.strategy.prepare_for_create(obj, now)
    found, warnings = await apart(context.size, kind.strategy.judge, obj)
    if found:
        raise await apart(context.size, errors.invalid, kind.resource, metadata.name, found)
    context.warnings.extend(warnings)
    kind.strategy.canonicalize(obj)
    if context.created and context.may_create is not None:
        context.may_create()
    await kind.validate_admission(attributes)
    return attributes


def _wipe_system_fields(metadata: ObjectMeta) -> None:
    metadata.uid = metadata.self_link = ""
    metadata.creation_timestamp = None
    metadata.deletion_timestamp = metadata.deletion_grace_period_seconds = None


async def _store(kind: Kind, namespace: str, obj: Any, context: RequestContext) -> Stored:
    name = obj.metadata.name
    key = kind.key(namespace, name)
    try:
        if context.dry_run and await kind.current(namespace, name) is not None:
            raise KeyExists(key)
        async with kind.allocated(obj):
            return await kind.store_new(key, obj, dry_run=context.dry_run)
    except KeyExists as taken:
        raise _already_exists(kind, name, await kind.current(namespace, name)) from taken


def _already_exists(kind: Kind, name: str, there: Stored | None) -> ApiError:
    failure = errors.already_exists(kind.resource, name)
    if there is not None and there.obj.metadata.deletion_timestamp is not None:
        failure.status.message = f"object is being deleted: {failure.status.message}"
    return failure


def _no_unique_name(kind: Kind, name: str, taken: ApiError) -> ApiError:
    return errors.failure(
        409,
        "AlreadyExists",
        f"{taken.status.message}, the server was not able to generate a unique name for the object",
        StatusDetails(
            name=name,
            group=kind.resource.group,
            kind=kind.resource.plural,
            retry_after_seconds=1,
        ),
    )

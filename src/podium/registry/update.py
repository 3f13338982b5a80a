"""PUT, and what PATCH has in common with it. Follows ``.../registry/generic/registry/store.go``
and ``.../registry/rest/update.go`` of ``k8s.io/apiserver``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from podium.api import codec, errors, field
from podium.api.errors import ApiError
from podium.api.field import Path
from podium.api.go_text import Verbatim
from podium.api.types.meta_v1 import ObjectMeta
from podium.kit.apart import apart
from podium.registry import create, ownership
from podium.registry.admission.base import Attributes, Telling
from podium.registry.kind import Kind, match_namespace
from podium.registry.types import RequestContext, Stored
from podium.store.port import RevisionMismatch

#: Makes the wanted object, one that may be changed, of the present one. Raises ApiError.
Wanted = Callable[[Stored], Any]


async def update(
    kind: Kind,
    namespace: str,
    name: str,
    obj: Any,
    context: RequestContext,
    *,
    subresource: str = "",
) -> Stored:
    """Replace the object by *obj*, which is taken over and changed. Raises ApiError."""
    check_name(obj.metadata, namespace, name)
    may_create = kind.strategy.allow_create_on_update and not subresource
    if may_create and await kind.current(namespace, name) is None:
        asked = codec.encode(obj)
        created = await _created(kind, namespace, name, obj, context)
        if created is not None:
            return created
        obj = codec.decode_stored(kind.resource.type, asked)
    # A turn changes the object in place, so every one starts from the same bytes.
    wanted = _Repeatable(kind, obj)
    return await apply(kind, namespace, name, wanted, context, subresource=subresource)


async def _created(
    kind: Kind, namespace: str, name: str, obj: Any, context: RequestContext
) -> Stored | None:
    """Create the object of a PUT; None where somebody was faster, and it is an update now."""
    obj.metadata.resource_version = ""  # of an object that is gone
    warned = len(context.warnings)
    context.created = True
    try:
        return await create.create(kind, namespace, obj, context)
    except ApiError as taken:
        if taken.reason != "AlreadyExists" or await kind.current(namespace, name) is None:
            raise
    context.created = False
    del context.warnings[warned:]
    return None


def check_name(metadata: ObjectMeta, namespace: str, name: str) -> None:
    """Raises ApiError (400) when the body is about another object than the URL."""
    if not metadata.name:
        raise errors.undetermined_name(name)
    if metadata.name != name:
        raise errors.bad_request(
            f"the name of the object ({metadata.name}) does not match the name on the URL ({name})"
        )
    match_namespace(metadata, namespace)


class _Repeatable:
    """Gives the same object for each turn: itself for the first, equal ones for further turns.

    A uid in it is a precondition; one in a patch is a change, which validation refuses.
    """

    def __init__(self, kind: Kind, obj: Any) -> None:
        self._kind, self._first, self._data = kind, obj, b""
        self._uid, self._name = obj.metadata.uid, obj.metadata.name

    def __call__(self, old: Stored) -> Any:
        _check_uid(self._kind, old, self._uid, self._name)
        if self._first is not None:
            obj, self._first = self._first, None
            self._data = codec.encode(obj)
            return obj
        return codec.decode_stored(self._kind.resource.type, self._data)


async def apply(
    kind: Kind,
    namespace: str,
    name: str,
    wanted: Wanted,
    context: RequestContext,
    *,
    subresource: str = "",
    owned: bool = False,
) -> Stored:
    """Store what *wanted* makes of the present object.

    *owned* says that it knows the managedFields, too; otherwise what differs becomes the writer's.
    It is asked again when somebody else wrote meanwhile; whether that is a conflict is told by
    the resourceVersion of what it makes. Raises ApiError.
    """
    while True:
        old = await kind.existing(namespace, name)
        warned = len(context.warnings)
        obj = await apart(max(context.size, len(old.data)), wanted, old)
        attributes = await _prepare(kind, namespace, name, obj, old, context, subresource, owned)
        try:
            async with Telling(attributes) as outcome:
                stored = await _store(kind, old, obj, context)
                outcome.stored_at = stored.revision
            return stored
        except RevisionMismatch:
            del context.warnings[warned:]


async def _store(kind: Kind, old: Stored, obj: Any, context: RequestContext) -> Stored:
    """Raises RevisionMismatch."""
    if _is_over(kind, obj, old.obj):
        return await _finish(kind, old, obj, context)
    async with kind.allocated(obj):
        return await kind.store_update(old, obj, dry_run=context.dry_run)


async def _finish(kind: Kind, old: Stored, obj: Any, context: RequestContext) -> Stored:
    """Remove an object whose last finalizer this update took; return it as updated."""
    gone = await kind.store_delete(old, dry_run=context.dry_run)
    obj.metadata.resource_version = str(gone.revision)
    return Stored(old.key, codec.encode(obj), gone.revision, obj)


async def _prepare(
    kind: Kind,
    namespace: str,
    name: str,
    obj: Any,
    old: Stored,
    context: RequestContext,
    subresource: str,
    owned: bool,
) -> Attributes:
    rules = kind.strategy.rules(subresource)
    metadata, old_metadata = obj.metadata, old.obj.metadata
    kind.strategy.default(obj)
    if rules.take is not None:
        rules.take(obj, old.obj)
    size = max(context.size, len(old.data))
    managed = (
        metadata.managed_fields
        if owned
        else await apart(size, ownership.of_updated, kind, old, obj, context, subresource)
    )
    attributes = kind.attributes(
        "UPDATE", namespace, name, context, obj=obj, old=old.obj, subresource=subresource
    )
    await kind.admit(attributes)
    _check_version(kind, metadata, old)
    match_namespace(metadata, namespace)
    _carry_over(metadata, old_metadata)
    rules.prepare(obj, old.obj, attributes.now)
    obj.metadata.managed_fields = list(managed)
    if not rules.owns:
        obj.metadata.managed_fields = list(old_metadata.managed_fields)
    ownership.keep_times(obj, old.obj)
    if found := await apart(size, rules.validate, obj, old.obj):
        raise await apart(size, errors.invalid, kind.resource, name, found)
    if attributes.subresource != "status":
        context.warnings.extend(kind.strategy.warnings_on_update(obj, old.obj))
    kind.strategy.canonicalize(obj)
    await kind.validate_admission(attributes)
    return attributes


def _check_uid(kind: Kind, old: Stored, uid: str, name: str) -> None:
    """An update that names a uid is meant for that incarnation only."""
    there = old.obj.metadata.uid
    if uid and uid != there:
        raise errors.conflict(
            kind.resource,
            name,
            f"StorageError: invalid object, Code: 4, Key: {old.key}, ResourceVersion: 0, "
            f"AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, "
            f"UID in object meta: {there}",
        )


def _check_version(kind: Kind, metadata: ObjectMeta, old: Stored) -> None:
    """Optimistic concurrency: what was read must be what is there."""
    asked = metadata.resource_version
    if asked in ("", "0"):
        if kind.strategy.allow_unconditional_update:
            metadata.resource_version = str(old.revision)
            return
        missing = field.invalid(
            Path("metadata").child("resourceVersion"),
            Verbatim("0x0"),
            "must be specified for an update",
        )
        resource = kind.resource
        raise errors.invalid_kind(resource.group, resource.plural, metadata.name, [missing])
    if asked != str(old.revision):
        raise errors.conflict(kind.resource, metadata.name)


def _carry_over(metadata: ObjectMeta, old: ObjectMeta) -> None:
    """Keep what a client may leave out, or may not take back."""
    metadata.uid = metadata.uid or old.uid
    metadata.creation_timestamp = old.creation_timestamp or metadata.creation_timestamp
    metadata.deletion_timestamp = old.deletion_timestamp or metadata.deletion_timestamp
    if metadata.deletion_grace_period_seconds is None:
        metadata.deletion_grace_period_seconds = old.deletion_grace_period_seconds
    metadata.self_link = ""


def _is_over(kind: Kind, obj: Any, old: Any) -> bool:
    """Whether *obj* was waiting for its finalizers only, and has lost the last of them."""
    metadata = old.metadata
    if metadata.deletion_timestamp is None or kind.strategy.must_finalize(obj):
        return False
    return not metadata.deletion_grace_period_seconds

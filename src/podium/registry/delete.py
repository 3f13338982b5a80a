"""DELETE: at once, or by marking the object and waiting for those who must finish with it.

Follows ``Delete`` of ``.../registry/generic/registry/store.go`` and ``.../registry/rest/delete.go``
of ``k8s.io/apiserver``.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from podium.api import errors, field
from podium.api.errors import ApiError
from podium.api.field import FieldError, Path
from podium.api.types.meta_v1 import DeleteOptions, ObjectMeta, StatusDetails
from podium.registry.kind import Kind
from podium.registry.predicate import Predicate
from podium.registry.types import DeleteResult, ListOptions, ListResult, RequestContext, Stored
from podium.store.port import RevisionMismatch

_ORPHAN = "orphan"
_FOREGROUND = "foregroundDeletion"
#: How many of a collection are deleted at a time, so that they share the store's commits.
_AT_ONCE = 50
_POLICIES = ("Foreground", "Background", "Orphan")


async def delete(
    kind: Kind, namespace: str, name: str, options: DeleteOptions, context: RequestContext
) -> DeleteResult:
    """Delete the object, or mark it for deletion. Raises ApiError."""
    _check_options(options)
    while True:
        old = await kind.existing(namespace, name)
        check_preconditions(kind, old, options)
        await _admit(kind, old, options, context)
        try:
            return await _delete(kind, old, options, context)
        except RevisionMismatch:
            continue  # somebody wrote meanwhile: decide anew, preconditions included


async def delete_collection(
    kind: Kind,
    predicate: Predicate,
    options: DeleteOptions,
    list_options: ListOptions,
    context: RequestContext,
) -> ListResult:
    """Delete all that *predicate* matches; return them as they were listed. Raises ApiError.

    What somebody else deletes meanwhile is passed over.
    """
    _check_options(options)
    listed = await kind.lister.page(predicate, list_options)
    for start in range(0, len(listed.items), _AT_ONCE):
        async with asyncio.TaskGroup() as tasks:
            deletions = [
                tasks.create_task(_delete_listed(kind, stored, options, context))
                for stored in listed.items[start : start + _AT_ONCE]
            ]
        for deletion in deletions:
            if failure := deletion.result():
                raise failure
    return listed


async def _delete_listed(
    kind: Kind, stored: Stored, options: DeleteOptions, context: RequestContext
) -> ApiError | None:
    """Return why *stored* could not be deleted; that it is gone already is no failure."""
    metadata = stored.obj.metadata
    try:
        await delete(kind, metadata.namespace, metadata.name, options, context)
    except ApiError as failure:
        return None if failure.code == 404 else failure
    return None


async def _delete(
    kind: Kind, old: Stored, options: DeleteOptions, context: RequestContext
) -> DeleteResult:
    """One attempt. Raises RevisionMismatch."""
    dry_run = context.dry_run
    metadata = old.obj.metadata
    grace = _grace(kind, old.obj, options)
    if _is_pending(metadata, grace):
        # Finalizers cannot be changed any more, and the time left can only be shortened.
        return DeleteResult(old, deleted=False)
    obj = kind.cache.copy(old)
    changed = obj.metadata
    if grace is not None:
        kind.strategy.mark_deleting(obj, kind.shared.clock.now(), grace)
    by_default = "Orphan" if kind.strategy.orphans_by_default else None
    changed.finalizers = _finalizers_for(changed.finalizers, options, by_default)
    waits = kind.strategy.must_finalize(obj)
    if grace is None and waits:
        kind.strategy.mark_deleting(obj, kind.shared.clock.now(), 0)
    if grace is None and not waits:
        return DeleteResult(await kind.store_delete(old, dry_run=dry_run), deleted=True)
    marked = await kind.store_update(old, obj, dry_run=dry_run)
    if waits or grace:
        return DeleteResult(marked, deleted=False)
    # Watchers have seen the grace period of 0; now the object goes.
    if dry_run:
        return DeleteResult(marked, deleted=True)
    return DeleteResult(await kind.store_delete(marked, dry_run=False), deleted=True)


def _grace(kind: Kind, obj: Any, options: DeleteOptions) -> int | None:
    """Return the seconds of grace that this deletion gives; None: it waits for no time to pass."""
    metadata: ObjectMeta = obj.metadata
    asked = options.grace_period_seconds
    if asked is not None and asked < 0:
        asked = 1
    if metadata.deletion_timestamp is None:
        options = msgspec.structs.replace(options, grace_period_seconds=asked)
        return kind.strategy.grace_period(obj, options)
    given = metadata.deletion_grace_period_seconds
    if not given:
        return None  # its time is over; only finalizers can hold it
    return given if asked is None else min(asked, given)


def _is_pending(metadata: ObjectMeta, grace: int | None) -> bool:
    """Whether the object is being deleted already, and not later than this deletion asks for."""
    given = metadata.deletion_grace_period_seconds
    return metadata.deletion_timestamp is not None and bool(given) and grace == given


def _finalizers_for(
    finalizers: list[str], options: DeleteOptions, by_default: str | None
) -> list[str]:
    """Return the finalizers with those that make the garbage collector follow *options*.

    What those leave open, the object's own finalizers say, and then the kind's *by_default*.
    """
    policy = options.propagation_policy
    if options.orphan_dependents is not None:
        policy = "Orphan" if options.orphan_dependents else "Background"
    if policy is None and not {_ORPHAN, _FOREGROUND} & set(finalizers):
        policy = by_default
    if policy is None:
        return finalizers
    kept = [each for each in finalizers if each not in (_ORPHAN, _FOREGROUND)]
    added = {"Orphan": [_ORPHAN], "Foreground": [_FOREGROUND]}.get(policy, [])
    wanted = kept + added
    return finalizers if set(wanted) == set(finalizers) else sorted(wanted)


async def _admit(kind: Kind, old: Stored, options: DeleteOptions, context: RequestContext) -> None:
    metadata = old.obj.metadata
    attributes = kind.attributes(
        "DELETE",
        metadata.namespace,
        metadata.name,
        context,
        old=old.obj,
        delete_options=options,
    )
    await kind.admit(attributes)
    await kind.validate_admission(attributes)


def check_preconditions(kind: Kind, old: Stored, options: DeleteOptions) -> None:
    """Raises ApiError (409)."""
    wanted = options.preconditions
    if wanted is None:
        return
    metadata = old.obj.metadata
    if wanted.uid is not None and wanted.uid != metadata.uid:
        raise _conflict(
            kind,
            metadata.name,
            f"the UID in the precondition ({wanted.uid}) does not match the UID in record "
            f"({metadata.uid}). The object might have been deleted and then recreated",
        )
    version = wanted.resource_version
    if version is not None and version != str(old.revision):
        raise _conflict(
            kind,
            metadata.name,
            f"the ResourceVersion in the precondition ({version}) does not match the "
            f"ResourceVersion in record ({old.revision}). The object might have been modified",
        )


def _conflict(kind: Kind, name: str, why: str) -> ApiError:
    """A conflict as upstream's deletion words it: it names the kind, not the resource."""
    resource = kind.resource
    qualified = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    return errors.failure(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {qualified} "{name}": {why}',
        StatusDetails(name=name, group=resource.group, kind=resource.kind),
    )


def _check_options(options: DeleteOptions) -> None:
    """Raises ApiError (422). Follows ``ValidateDeleteOptions`` of ``apimachinery``."""
    found: list[FieldError] = []
    policy = options.propagation_policy
    if options.orphan_dependents is not None and policy is not None:
        found.append(
            field.invalid(
                Path("propagationPolicy"),
                policy,
                "orphanDependents and deletionPropagation cannot be both set",
            )
        )
    if policy is not None and policy not in _POLICIES:
        found.append(field.not_supported(Path("propagationPolicy"), policy, (*_POLICIES, "nil")))
    if any(each != "All" for each in options.dry_run):
        found.append(field.not_supported(Path("dryRun"), options.dry_run, ("All",)))
    if found:
        raise errors.invalid_kind("meta.k8s.io", "DeleteOptions", "", found)

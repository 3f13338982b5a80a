"""managedFields of what is written: tracked for creations and updates, decided by applies.

The merging itself is ``podium.api.apply``, the bookkeeping ``podium.api.managed_fields``; both are
pure. Here they meet the kind, its strategy and upstream's errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from msgspec.structs import replace

from podium.api import codec, errors, kinds, managed_fields
from podium.api.errors import ApiError
from podium.api.fields import sets
from podium.api.fields.extract import compare
from podium.api.fields.sets import Fields
from podium.api.fields.shapes import shape_of_type
from podium.api.managed_fields import UPDATE, Manager, plain_without_owners
from podium.api.scheme import RESOURCES, Resource
from podium.api.types.meta_v1 import ManagedFieldsEntry, StatusCause, StatusDetails
from podium.registry.kind import Kind
from podium.registry.strategies.base import Strategy
from podium.registry.types import RequestContext, Stored

_UNKNOWN = "unknown"


def of_created(kind: Kind, obj: Any, context: RequestContext) -> list[ManagedFieldsEntry]:
    """Return the owners of *obj*, new and as the client wrote it: before admission adds to it."""
    template = context.template
    if template is None:
        return _tracked(kind, None, obj, context, "")
    if template.owned is None:
        template.owned = _tracked(kind, None, obj, context, "")
    name, now = _updater(kind, context).name, _now(kind)
    return [replace(entry, manager=name, time=now) for entry in template.owned]


def _updater(kind: Kind, context: RequestContext, subresource: str = "") -> Manager:
    name, version = context.field_manager or _UNKNOWN, kind.resource.api_version
    return Manager(name, UPDATE, version, subresource)


def of_updated(
    kind: Kind, old: Stored, obj: Any, context: RequestContext, subresource: str
) -> Sequence[ManagedFieldsEntry]:
    """Return the owners of *obj*, which is to replace *old*."""
    return _tracked(kind, old.obj, obj, context, subresource)


def _tracked(
    kind: Kind, old: Any | None, obj: Any, context: RequestContext, subresource: str
) -> list[ManagedFieldsEntry]:
    resource = kind.resource
    present = old.metadata.managed_fields if old is not None else []
    sent = [] if subresource else obj.metadata.managed_fields
    managed = managed_fields.sent_or_present(sent, present, _versions(resource))
    if not managed and old is not None:
        return []  # an object that nobody tracks stays so until somebody applies to it
    before = _empty(resource) if old is None else plain_without_owners(old)
    try:
        comparison = compare(shape_of_type(resource.type), before, plain_without_owners(obj))
    except ValueError:  # items without their keys: owners cannot be told
        return list(present)
    manager = _updater(kind, context, subresource)
    # Upstream moves what is owned through a Scale to the object without the time.
    now = None if subresource == "scale" else _now(kind)
    ignored = _ignored(kind.strategy, subresource)
    return managed_fields.encode(managed_fields.update(managed, comparison, manager, now, ignored))


def _now(kind: Kind) -> datetime:
    return kind.shared.clock.now().replace(microsecond=0)


def keep_times(obj: Any, old: Any) -> None:
    """Give *obj* the owners of *old* where nothing but their times tells the objects apart."""
    mine, theirs = obj.metadata.managed_fields, old.metadata.managed_fields
    if mine == theirs or not managed_fields.same_but_for_times(mine, theirs):
        return
    obj.metadata.managed_fields = theirs
    if obj != old:
        obj.metadata.managed_fields = mine


def applied(
    kind: Kind, old: Stored | None, config: Any, context: RequestContext, subresource: str
) -> Any:
    """Return the object that applying *config*, a plain value, makes of *old*, with its owners.

    Raises ApiError: 400 or 500 for a configuration that is none of the kind, 409 for conflicts.
    """
    try:
        return _applied(kind, old, config, context, subresource)
    except RecursionError as error:
        raise errors.bad_request("error decoding YAML: exceeded max depth") from error


def _applied(
    kind: Kind, old: Stored | None, config: Any, context: RequestContext, subresource: str
) -> Any:
    from podium.api import apply as server_side
    from podium.api import last_applied

    resource = kind.resource
    _check(kind, config)
    obj = kind.cache.copy(old) if old else resource.type()
    application = server_side.Application(
        shape=shape_of_type(resource.type),
        config=config,
        manager=context.field_manager,
        api_version=resource.api_version,
        subresource=subresource,
        now=_now(kind),
        empty=_empty(resource),
        ignored=_ignored(kind.strategy, subresource),
    )
    managed = managed_fields.decode(obj.metadata.managed_fields, _versions(resource))
    try:
        document, managed = last_applied.apply(
            application, plain_without_owners(obj), managed, force=context.force
        )
    except server_side.Conflicts as conflicts:
        raise _conflict(conflicts.causes(), str(conflicts)) from conflicts
    except ValueError as error:
        raise errors.failure(500, "", f"failed to merge config: {error}") from error
    if document is not None:
        obj = _read(kind, document, config)
    obj.metadata.managed_fields = managed_fields.encode(managed)
    return obj


def _check(kind: Kind, config: Any) -> None:
    from podium.api.fields import checking

    resource = kind.resource
    version, said = config.get("apiVersion") or "", config.get("kind") or ""
    if version != resource.api_version:
        raise errors.bad_request(
            "Incorrect version specified in apply patch. "
            f"Specified patch version: {version}, expected: {resource.api_version}"
        )
    if said != resource.kind:
        raise errors.bad_request(f"invalid object type: {_group_version_kind(config)}")
    metadata = config.get("metadata")
    if isinstance(metadata, dict) and metadata.get("managedFields") is not None:
        raise errors.bad_request("metadata.managedFields must be nil")
    if found := checking.offences(shape_of_type(resource.type), config):
        raise errors.failure(
            500,
            "",
            f"failed to create typed patch object ({_named(config)}): {checking.message(found)}",
        )


def _read(kind: Kind, document: Any, config: Any) -> Any:
    struct = kind.resource.type
    try:
        obj = codec.from_plain(struct, document)
    except ValueError as error:
        raise errors.failure(
            500, "", f"failed to convert new object ({_named(config)}) to proper version: {error}"
        ) from error
    kinds.set_itself(struct, obj)
    return obj


def _named(config: Any) -> str:
    metadata = config.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    place = f"{metadata.get('namespace') or ''}/{metadata.get('name') or ''}"
    return f"{place}; {_group_version_kind(config)}"


def _group_version_kind(config: Any) -> str:
    group, version = kinds.parse_group_version(config.get("apiVersion") or "")
    return f"{group}/{version}, Kind={config.get('kind') or ''}"


def _conflict(causes: Sequence[tuple[str, str]], message: str) -> ApiError:
    details = StatusDetails(
        causes=[
            StatusCause(reason="FieldManagerConflict", message=text, field=path)
            for text, path in causes
        ]
    )
    return errors.failure(409, "Conflict", message, details)


def _empty(resource: Resource) -> dict[str, Any]:
    """Return an object with nothing set, as Go writes it: what a creation is compared with."""
    found = _EMPTY.get(resource)
    if found is None:
        found = _EMPTY[resource] = plain_without_owners(resource.type())
    return found


_EMPTY: dict[Resource, dict[str, Any]] = {}


@cache
def _versions(resource: Resource) -> frozenset[str]:
    """Return the versions, of whatever group, that the same objects are served in."""
    stored = resource.view_of or resource
    return frozenset(each.api_version for each in RESOURCES if stored in (each, each.view_of))


@cache
def _ignored(strategy: Strategy[Any], subresource: str) -> Fields:
    return sets.of(
        *(tuple(f"f:{name}" for name in path) for path in strategy.reset_fields(subresource))
    )

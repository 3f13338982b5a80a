"""``metadata.managedFields``: which manager owns which fields of an object, kept up with writes.

Pure. Follows ``k8s.io/apimachinery/pkg/util/managedfields``. Entries of a version that the kind is
not served in are dropped, as upstream drops them; those of its other versions count with the names
that their fields have there.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from msgspec import to_builtins
from msgspec.structs import replace

from podium.api.fields import sets
from podium.api.fields.extract import Comparison
from podium.api.fields.sets import EMPTY, Fields
from podium.api.types.meta_v1 import ManagedFieldsEntry

APPLY = "Apply"
UPDATE = "Update"

#: How many entries of updates an object keeps; what is older is owned by ``ANCIENT`` together.
MAX_UPDATE_MANAGERS = 10
ANCIENT = "ancient-changes"
BEFORE_FIRST_APPLY = "before-first-apply"

#: What nobody owns: identity, and what the server alone sets.
STRIPPED = sets.of(
    ("f:apiVersion",),
    ("f:kind",),
    ("f:metadata",),
    *(
        ("f:metadata", f"f:{name}")
        for name in (
            "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName",
            "generation", "managedFields", "resourceVersion",
        )
    ),
)  # fmt: skip


class Manager(NamedTuple):
    """Who writes, and how. Appliers are the same in every version: theirs is left out."""

    name: str
    operation: str
    api_version: str
    subresource: str

    @staticmethod
    def of(entry: ManagedFieldsEntry) -> Manager:
        version = "" if entry.operation == APPLY else entry.api_version
        return Manager(entry.manager, entry.operation, version, entry.subresource)


Managed = dict[Manager, ManagedFieldsEntry]


def entry_of(
    manager: Manager, api_version: str, fields: Fields, time: datetime | None
) -> ManagedFieldsEntry:
    return ManagedFieldsEntry(
        manager=manager.name,
        operation=manager.operation,
        api_version=api_version,
        time=time,
        fields_type="FieldsV1",
        fields_v1=sets.shared(fields),
        subresource=manager.subresource,
    )


def with_fields(entry: ManagedFieldsEntry, fields: Fields) -> ManagedFieldsEntry:
    """Return *entry* with other fields; itself where they are the same."""
    if fields == entry.fields_v1:
        return entry
    return replace(entry, fields_v1=sets.shared(fields))


def fields_of(entry: ManagedFieldsEntry) -> Fields:
    return entry.fields_v1 or EMPTY


def decode(entries: Sequence[ManagedFieldsEntry], versions: Collection[str]) -> Managed:
    """Return the owners that the server's own *entries* name; *versions* are those served."""
    return {Manager.of(entry): entry for entry in entries if entry.api_version in versions}


def decode_foreign(entries: Sequence[ManagedFieldsEntry], versions: Collection[str]) -> Managed:
    """Like :func:`decode`, for what a client has sent. Raises ValueError where it is no such."""
    tidy = []
    for entry in entries:
        if entry.operation not in (APPLY, UPDATE):
            raise ValueError("operation must be `Apply` or `Update`")
        if not entry.api_version:
            raise ValueError("apiVersion must not be empty")
        if entry.fields_type != "FieldsV1":
            raise ValueError(f"invalid fieldsType {entry.fields_type!r}")
        tidy.append(with_fields(entry, sets.parse(fields_of(entry))))
    return decode(tidy, versions)


def encode(managed: Managed) -> list[ManagedFieldsEntry]:
    """Return the entries in upstream's order: appliers first, then by time and name."""
    return sorted(managed.values(), key=_order)


def _order(entry: ManagedFieldsEntry) -> tuple[Any, ...]:
    seconds = entry.time.timestamp() if entry.time else 0
    return entry.operation, seconds, entry.manager, entry.api_version, entry.subresource


def is_reset(entries: Sequence[ManagedFieldsEntry]) -> bool:
    """Whether a client asks to forget all owners: by one empty entry."""
    return len(entries) == 1 and entries[0] == _NOTHING


_NOTHING = ManagedFieldsEntry()
RESET = [_NOTHING]


def sent_or_present(
    sent: Sequence[ManagedFieldsEntry],
    present: Sequence[ManagedFieldsEntry],
    versions: Collection[str],
) -> Managed:
    """Return the owners to start an update from: those that a client sends, where it sends any
    that can be read, otherwise those that are there."""
    if is_reset(sent):
        return {}
    if sent and sent != present:
        try:
            return decode_foreign(sent, versions) or decode(present, versions)
        except ValueError:
            pass  # as upstream: what cannot be read was not sent
    return decode(present, versions)


def update(
    managed: Managed,
    comparison: Comparison,
    manager: Manager,
    now: datetime | None,
    ignored: Fields = EMPTY,
) -> Managed:
    """Return who owns what after *manager* wrote what *comparison* shows.

    It owns what it added or changed, and nobody what is gone; who owned that before loses it.
    *ignored* is what this door to the object does not write. Without *now*, the entry keeps the
    time that it has.
    """
    comparison = comparison.without(ignored)
    if comparison.is_same():
        return managed
    result = released(managed, comparison.touched())
    mine = sets.union(comparison.added, comparison.modified)
    mine = sets.difference(mine, STRIPPED)
    if mine:
        if (before := result.get(manager)) is not None:
            mine = sets.union(mine, fields_of(before))
            now = now or before.time
        result[manager] = entry_of(manager, manager.api_version, mine, now)
    return capped(result)


def released(managed: Managed, touched: Fields, keeping: Manager | None = None) -> Managed:
    """Return the owners without *touched*; *keeping* keeps what it has. Who has nothing goes."""
    result: Managed = {}
    for manager, entry in managed.items():
        if manager != keeping:
            entry = with_fields(entry, sets.difference(fields_of(entry), touched))
        if entry.fields_v1:
            result[manager] = entry
    return result


def capped(managed: Managed) -> Managed:
    """Merge the oldest updates into one entry where there are more than an object may keep."""
    updates = [manager for manager in managed if manager.operation == UPDATE]
    excess = len(updates) - MAX_UPDATE_MANAGERS
    if excess <= 0:
        return managed
    updates.sort(key=lambda manager: (_order(managed[manager])[1], manager))
    merged = updates[: excess + 1]
    fields = EMPTY
    for manager in merged:
        fields = sets.union(fields, fields_of(managed[manager]))
    newest = managed[merged[-1]]
    result = {manager: entry for manager, entry in managed.items() if manager not in merged}
    ancient = Manager(ANCIENT, UPDATE, newest.api_version, "")
    if ancient in result:
        fields = sets.union(fields, fields_of(result[ancient]))
    result[ancient] = entry_of(ancient, newest.api_version, fields, newest.time)
    return result


def same_but_for_times(
    one: Sequence[ManagedFieldsEntry], other: Sequence[ManagedFieldsEntry]
) -> bool:
    """Whether two lists of owners differ in nothing but when they wrote."""
    return len(one) == len(other) and (
        sorted(map(_timeless, one), key=_order) == sorted(map(_timeless, other), key=_order)
    )


def _timeless(entry: ManagedFieldsEntry) -> ManagedFieldsEntry:
    return replace(entry, time=None)


def plain_without_owners(obj: Any) -> dict[str, Any]:
    """Return *obj*, a struct, as a plain value without its managedFields."""
    if obj.metadata.managed_fields:
        obj = replace(obj, metadata=replace(obj.metadata, managed_fields=[]))
    value: dict[str, Any] = to_builtins(obj)
    return value

"""Server-side apply: a configuration merged into an object, and who owns its fields then.

Pure. Follows ``merge.Updater`` of ``structured-merge-diff`` and the managers of
``k8s.io/apimachinery/pkg/util/managedfields`` around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from podium.api.fields import elements, extract, merging, sets
from podium.api.fields.sets import EMPTY, Fields, Path
from podium.api.fields.shapes import Shape
from podium.api.go_text import quote
from podium.api.managed_fields import (
    APPLY,
    BEFORE_FIRST_APPLY,
    STRIPPED,
    UPDATE,
    Managed,
    Manager,
    capped,
    entry_of,
    fields_of,
    released,
    update,
)


class Conflicts(Exception):
    """Fields that the configuration would change and other managers own."""

    def __init__(self, found: Sequence[tuple[Manager, Path]]) -> None:
        super().__init__(_message(found))
        self.found = found

    def causes(self) -> list[tuple[str, str]]:
        """Return (message, field) of each, as ``Status.details.causes`` has them."""
        return [
            (f"conflict with {_shown(manager)}", elements.show_path(path))
            for manager, path in self.found
        ]

    def fields(self) -> Fields:
        return sets.of(*(path for _, path in self.found))

    def without(self, allowed: Fields) -> Conflicts:
        return Conflicts([each for each in self.found if not sets.has(allowed, each[1])])


def _message(found: Sequence[tuple[Manager, Path]]) -> str:
    if len(found) == 1:
        manager, path = found[0]
        return (
            f"Apply failed with 1 conflict: conflict with {_shown(manager)}: "
            f"{elements.show_path(path)}"
        )
    lines: list[str] = []
    for manager in dict.fromkeys(manager for manager, _ in found):
        lines.append(f"conflicts with {_shown(manager)}:")
        lines += [f"- {elements.show_path(path)}" for each, path in found if each == manager]
    return f"Apply failed with {len(found)} conflicts: " + "\n".join(lines)


def _shown(manager: Manager) -> str:
    text = quote(manager.name)
    if manager.subresource:
        text += f" with subresource {quote(manager.subresource)}"
    return f"{text} using {manager.api_version}" if manager.operation == UPDATE else text


class Application(msgspec.Struct, frozen=True):
    """One configuration to apply. ``ignored`` is what this door to the object does not write;
    ``empty`` is an object of the kind with nothing set."""

    shape: Shape
    config: dict[str, Any]
    manager: str
    api_version: str
    subresource: str
    now: datetime
    empty: dict[str, Any]
    ignored: Fields

    def owner(self) -> Manager:
        return Manager(self.manager, APPLY, "", self.subresource)


def apply(
    application: Application, live: dict[str, Any], managed: Managed, *, force: bool = False
) -> tuple[dict[str, Any] | None, Managed]:
    """Return the object that comes out, None where it stays what it is, and its owners.

    Neither value carries managedFields. Raises Conflicts where others own, with another value,
    what is applied, unless *force* takes it from them.
    """
    if not managed:
        managed = _owned_before(application, live)
    shape, me = application.shape, application.owner()
    last = managed.get(me)
    applied = extract.fields_of(shape, application.config)
    applied = sets.recursive_difference(applied, application.ignored)
    time = last.time if last else None
    managed = {**managed, me: entry_of(me, application.api_version, applied, time)}

    merged = merging.merge(shape, live, application.config)
    if last is not None and last.fields_v1:
        merged = _pruned(shape, merged, managed, fields_of(last))
    comparison = extract.compare(shape, live, merged).without(application.ignored)
    conflicts = _conflicts(managed, me, sets.union(comparison.modified, comparison.added))
    if conflicts and not force:
        raise Conflicts(conflicts)

    managed = released(managed, comparison.touched(), keeping=me)
    changed = _tidy(merged) != _tidy(live)
    mine = sets.difference(applied, STRIPPED)
    managed.pop(me, None)
    if mine:
        time = application.now if changed else time
        managed[me] = entry_of(me, application.api_version, mine, time)
    return merged if changed else None, capped(managed)


def _owned_before(application: Application, live: dict[str, Any]) -> Managed:
    """Give what an untracked object holds to an owner of its own, so that it cannot be lost."""
    before = Manager(BEFORE_FIRST_APPLY, UPDATE, application.api_version, application.subresource)
    comparison = extract.compare(application.shape, application.empty, live)
    return update({}, comparison, before, application.now, application.ignored)


def _pruned(shape: Shape, merged: dict[str, Any], managed: Managed, last: Fields) -> Any:
    """Take out of *merged* what was applied the last time, is not now, and nobody else owns."""

    def named(fields: Fields) -> Fields:
        return merging.with_named_members(shape, fields)

    def set_of(value: Any) -> Fields:
        return named(extract.fields_of(shape, value))

    everything, owned = set_of(merged), EMPTY
    for entry in managed.values():
        owned = sets.union(owned, fields_of(entry))
    pruned = merging.remove(shape, merged, named(last))
    kept = sets.union(set_of(pruned), named(owned))
    pruned = merging.remove(shape, merged, sets.difference(everything, kept))
    gone = sets.intersection(sets.difference(everything, set_of(pruned)), named(last))
    return merging.remove(shape, merged, gone)


def _conflicts(managed: Managed, me: Manager, changed: Fields) -> list[tuple[Manager, Path]]:
    return [
        (manager, path)
        for manager in sorted(managed)
        if manager != me
        for path in sets.paths(sets.intersection(fields_of(managed[manager]), changed))
    ]


def _tidy(value: Any) -> Any:
    """Return *value* without what says nothing: nulls and what is empty."""
    if isinstance(value, dict):
        items = ((name, _tidy(item)) for name, item in value.items())
        return {name: item for name, item in items if item is not None} or None
    if isinstance(value, list):
        return [_tidy(item) for item in value] or None
    return value

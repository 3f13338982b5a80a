"""What a kind is to the registry: the rules that every strategy answers, with sensible defaults.

A strategy is pure. The registry (the verbs over the store) calls it in this order:

create   ``default(obj)`` → mutating admission → ``prepare_for_create(obj, now)`` →
         ``judge(obj)``, which is ``validate(obj)`` and ``warnings_on_create(obj)`` →
         ``allocate(obj, others, pool)`` where ``allocates`` → ``canonicalize(obj)`` → stored
update   ``default(new)`` → mutating admission → ``rules(subresource)``: ``.prepare(new, old,
         now)``, ``.validate(new, old)`` → ``allocate`` as above → stored;
         ``warnings_on_update(new, old)``
delete   ``grace_period(obj, options)``; with ``None``, and nothing that ``must_finalize(obj)``
         names, the object goes at once, otherwise ``mark_deleting(obj, now, grace)`` is stored
POST to a subresource   ``post(subresource, obj, body, now)`` changes *obj* for storing

What is common to all kinds stays with the registry: generateName, uid, creationTimestamp,
resourceVersion and conflicts, preconditions, dry run. Objects handed in are the caller's own
copies; methods that prepare change them in place and never touch *old*.

Follows ``k8s.io/apiserver/pkg/registry/rest``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import NODEFAULT, Struct
from msgspec.structs import fields

from podium.api import errors, meta, names
from podium.api.field import FieldError, Path
from podium.api.scheme import Resource
from podium.api.types.meta_v1 import DeleteOptions
from podium.registry.strategies.table import NAME_COLUMNS, Cell, Column, RowCondition, age

T = TypeVar("T", bound=Struct)

METADATA = Path("metadata")


class UpdateRules(msgspec.Struct, Generic[T], frozen=True):
    """How one door to an object (the object itself, or a subresource) takes an update.

    ``prepare(new, old, now)`` makes of *new*, in place, what may be stored: fields that this door
    does not serve are taken from *old*. ``validate(new, old)`` returns the offences. With *owns*,
    the writer owns what it changed (managedFields); ``take(new, old)``, where a door needs it,
    leaves in *new* only what counts as a change at all, before that is told.
    """

    prepare: Callable[[T, T, datetime], None]
    validate: Callable[[T, T], list[FieldError]]
    owns: bool = True
    take: Callable[[T, T], None] | None = None


class Pool(msgspec.Struct, frozen=True):
    """Where addresses come from: *cidrs*, the cluster's own one first, but for the *reserved*."""

    cidrs: Sequence[str]
    reserved: frozenset[str] = frozenset()


class Strategy(Generic[T]):
    """Rules of a kind. Subclasses say what differs; one instance exists per served resource."""

    #: Whether PUT to a name that does not exist creates the object.
    allow_create_on_update = False
    #: Whether an update without resourceVersion overwrites whatever is there.
    allow_unconditional_update = True
    #: Whether ``metadata.generation`` counts changes of ``spec``.
    counts_generations = False
    #: Field labels that field selectors may name, beyond ``metadata.name`` and ``.namespace``;
    #: ``fields`` always has the resource's ``indexed_fields``.
    field_labels: frozenset[str] = frozenset()
    #: Whether DELETE answers with the object also when it is gone at once, not with a Status.
    returns_deleted_object = False
    #: Whether a deletion that does not say otherwise leaves the object's dependents as orphans.
    orphans_by_default = False
    #: Columns of the Table; ``row`` gives the cells in this order.
    columns: Sequence[Column] = NAME_COLUMNS

    def __init__(self, resource: Resource) -> None:
        self.resource = resource

    # ------------------------------------------------------------------ create

    def default(self, obj: T) -> None:
        """Fill in the fields that have defaults, in place."""

    def prepare_for_create(self, obj: T, now: datetime) -> None:
        """Reset what a client may not set: by default status, and generation to 1."""
        if "status" in obj.__struct_fields__:
            reset_field(obj, "status")
        metadata = meta.metadata(obj)
        metadata.generation = 1 if self.counts_generations else 0

    def validate_name(self, name: str, prefix: bool) -> list[str]:
        """Return what is wrong with *name* (with *prefix*: with a generateName), as texts."""
        return names.name_is_dns_subdomain(name, prefix)

    def validate(self, obj: T) -> list[FieldError]:
        """Return every offence of a new object. Metadata is checked here, too."""
        return self.validate_metadata(obj)

    def validate_metadata(self, obj: T) -> list[FieldError]:
        return meta.validate_object_meta(
            meta.metadata(obj), self.resource.namespaced, self.validate_name, METADATA
        )

    def canonicalize(self, obj: T) -> None:
        """Bring a valid object into the form that is stored, in place."""

    def warnings(self, obj: T) -> Iterable[str]:
        """Return the warnings (HTTP ``Warning`` headers) that an accepted object earns."""
        return ()

    def warnings_on_create(self, obj: T) -> list[str]:
        return list(self.warnings(obj))

    def judge(self, obj: T) -> tuple[list[FieldError], list[str]]:
        """Return the offences of a new object; of one that has none, the warnings."""
        found = self.validate(obj)
        return found, [] if found else self.warnings_on_create(obj)

    # ------------------------------------------------------------------ update

    def rules(self, subresource: str = "") -> UpdateRules[T]:
        """Return the rules of PUT and PATCH; LookupError where *subresource* takes none."""
        if not subresource:
            return UpdateRules(self.prepare_for_update, self.validate_update)
        if subresource == "status":
            return UpdateRules(self.prepare_for_status_update, self.validate_status_update)
        raise LookupError(f"{self.resource.qualified}/{subresource} takes no updates")

    def prepare_for_update(self, new: T, old: T, now: datetime) -> None:
        """Keep the status of *old*; count a generation where the spec changes."""
        keep_system_metadata(new, old)
        if "status" in new.__struct_fields__ and self._has_status:
            copy_field(new, old, "status")
        self.count_generation(new, old)

    def validate_update(self, new: T, old: T) -> list[FieldError]:
        """Return every offence of replacing *old* by *new*. Metadata is checked here, too."""
        return self.validate_metadata_update(new, old)

    def validate_metadata_update(self, new: T, old: T) -> list[FieldError]:
        """Twice, as upstream does (generic code and each kind's): its causes come in pairs."""
        found = meta.validate_object_meta_update(meta.metadata(new), meta.metadata(old), METADATA)
        return found + found

    def prepare_for_status_update(self, new: T, old: T, now: datetime) -> None:
        """Take nothing but status (and, of the metadata, what controllers may set) from *new*."""
        if "spec" in new.__struct_fields__:
            copy_field(new, old, "spec")
        keep_system_metadata(new, old)
        meta.metadata(new).generation = meta.metadata(old).generation

    def validate_status_update(self, new: T, old: T) -> list[FieldError]:
        return self.validate_metadata_update(new, old)

    def warnings_on_update(self, new: T, old: T) -> list[str]:
        """Updates of the status are not asked about."""
        return list(self.warnings(new))

    def reset_fields(self, subresource: str = "") -> Sequence[tuple[str, ...]]:
        """Return the fields that a write through this door cannot change, and so not own."""
        if subresource == "status":
            return (("spec",),)
        return (("status",),) if self._has_status else ()

    def count_generation(self, new: T, old: T) -> None:
        """Set the generation of *new*: one more than *old*'s if the spec differs."""
        new_meta, old_meta = meta.metadata(new), meta.metadata(old)
        new_meta.generation = old_meta.generation
        if self.counts_generations and new.spec != old.spec:  # type: ignore[attr-defined]
            new_meta.generation += 1

    # ------------------------------------------------------------------ allocate

    #: Whether objects take something out of a pool that all objects of the kind share. Then the
    #: registry calls ``allocate`` after ``validate``, on create and on update, and lets no other
    #: write of the kind in between that call and the store.
    allocates = False

    def allocate(self, obj: T, others: Iterable[T], pool: Pool) -> list[FieldError]:
        """Give *obj* what it needs, in place; *others* are the kind's other objects, of all
        namespaces. Returns what cannot be given."""
        return []

    # ------------------------------------------------------------------ POST to a subresource

    def post(self, subresource: str, obj: T, body: Any, now: datetime) -> None:
        """Carry out POST *body* to ``/<subresource>`` on *obj*, in place (``pods/binding``).

        Raises ApiError where it may not be done, LookupError where there is no such action.
        """
        raise LookupError(f"{self.resource.qualified}/{subresource} is not an action on the object")

    # ------------------------------------------------------------------ delete

    def grace_period(self, obj: T, options: DeleteOptions) -> int | None:
        """Return the seconds that deletion has to wait for; None: the kind knows no grace."""
        return None

    def must_finalize(self, obj: T) -> bool:
        """Whether somebody has to finish with *obj* before it may vanish."""
        return bool(meta.metadata(obj).finalizers)

    def mark_deleting(self, obj: T, now: datetime, grace: int) -> None:
        """Note in *obj*, in place, that it is to vanish *grace* seconds from *now*.

        Repeated for an object that is marked already, it can only shorten the time left.
        """
        metadata = meta.metadata(obj)
        current = metadata.deletion_grace_period_seconds
        if metadata.deletion_timestamp is None:
            metadata.deletion_timestamp = now.replace(microsecond=0) + timedelta(seconds=grace)
            if metadata.generation:  # what watches the object has to act on this, too
                metadata.generation += 1
        elif current is not None and grace < current:
            shift = timedelta(seconds=grace - current)
            metadata.deletion_timestamp = metadata.deletion_timestamp + shift
        else:
            return
        metadata.deletion_grace_period_seconds = grace

    # ------------------------------------------------------------------ select and print

    def fields(self, obj: T) -> Mapping[str, str]:
        """Return the values of the field labels, for field selectors."""
        metadata = meta.metadata(obj)
        values = {"metadata.name": metadata.name}
        if self.resource.namespaced:
            values["metadata.namespace"] = metadata.namespace
        return values

    def field_label(self, label: str) -> str:
        """Return the label that *label* of a field selector stands for.

        Raises ApiError (400) for a label that the kind does not know.
        """
        if label == "metadata.name" or label in self.field_labels:
            return label
        if not self.field_labels:
            if label == "metadata.namespace":
                return label
            raise errors.bad_request(
                f'"{label}" is not a known field selector: '
                'only "metadata.name", "metadata.namespace"'
            )
        if label == "metadata.namespace" and self.resource.namespaced:
            return label
        raise errors.bad_request(f"field label not supported: {label}")

    def scale(self, obj: T) -> Struct:
        """Return the Scale that ``/scale`` shows. Only kinds with that subresource are asked."""
        raise LookupError(f"{self.resource.qualified} has no scale")

    def row(self, obj: T, now: datetime) -> list[Cell]:
        """Return the cells of *obj*'s row, one for each of :attr:`columns`."""
        metadata = meta.metadata(obj)
        return [metadata.name, age(metadata.creation_timestamp, now)]

    def row_conditions(self, obj: T) -> Sequence[RowCondition]:
        """Return what a client should know of the row: that the object's work is done."""
        return ()

    @cached_property
    def _has_status(self) -> bool:
        return self.resource.subresource("status") is not None


def keep_system_metadata(new: Struct, old: Struct) -> None:
    """Take from *old* what an update leaves out and cannot change: identity, and being deleted."""
    new_meta, old_meta = meta.metadata(new), meta.metadata(old)
    new_meta.uid = new_meta.uid or old_meta.uid
    new_meta.creation_timestamp = new_meta.creation_timestamp or old_meta.creation_timestamp
    new_meta.deletion_timestamp = old_meta.deletion_timestamp
    new_meta.deletion_grace_period_seconds = old_meta.deletion_grace_period_seconds
    new_meta.self_link = ""


def reset_field(obj: Struct, name: str) -> None:
    """Set a field back to its default."""
    setattr(obj, name, _maker(type(obj), name)())


@cache
def _maker(cls: type[Struct], name: str) -> Callable[[], Any]:
    """Return what makes the default of a field."""
    field = next(each for each in fields(cls) if each.name == name)
    if field.default_factory is not NODEFAULT:
        made: Callable[[], Any] = field.default_factory
        return made
    return lambda: field.default


def copy_field(new: Struct, old: Struct, name: str) -> None:
    """Let *new* share *old*'s value of a field (values in *old* are immutable to all)."""
    setattr(new, name, getattr(old, name))

"""``metadata``: what it may say on create and update, and small helpers around it.

Texts and order follow ``k8s.io/apimachinery/pkg/api/validation/objectmeta.go``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from podium.api import field, names
from podium.api.field import FieldError, Path
from podium.api.go_text import Verbatim, quote
from podium.api.kinds import parse_group_version
from podium.api.names import NameCheck
from podium.api.types.meta_v1 import ManagedFieldsEntry, ObjectMeta, OwnerReference

METADATA = Path("metadata")
ANNOTATIONS_MAX = 256 * 1024
FIELD_MANAGER_MAX = 128
_BYTES_OF_A_CHARACTER = 4  # at most

ORPHAN_DEPENDENTS = "orphan"
FOREGROUND_DELETION = "foregroundDeletion"
_STANDARD_FINALIZERS = ("kubernetes", ORPHAN_DEPENDENTS, FOREGROUND_DELETION)
#: Wrong finalizers, and things wrong with managedFields, that are told of one object: a name costs
#: a client four bytes, telling it 400.
_MOST_TOLD = 10_000


def validate_object_meta(
    meta: ObjectMeta, namespaced: bool, name_check: NameCheck, path: Path = METADATA
) -> list[FieldError]:
    """Return what is wrong with the metadata of an object to be created."""
    errors: list[FieldError] = []
    if meta.generate_name:
        at = path.child("generateName")
        errors += [
            field.invalid(at, meta.generate_name, m) for m in name_check(meta.generate_name, True)
        ]
    if not meta.name:
        errors.append(field.required(path.child("name"), "name or generateName is required"))
    else:
        at = path.child("name")
        errors += [
            field.invalid(at, meta.name, message) for message in name_check(meta.name, False)
        ]
    errors += _validate_namespace(meta.namespace, namespaced, path.child("namespace"))
    if meta.generation < 0:
        errors.append(
            field.invalid(
                path.child("generation"), meta.generation, "must be greater than or equal to 0"
            )
        )
    errors += validate_labels(meta.labels, path.child("labels"))
    errors += validate_annotations(meta.annotations, path.child("annotations"))
    errors += _validate_owner_references(meta.owner_references, path.child("ownerReferences"))
    if meta.finalizers:
        errors += _validate_finalizers(meta.finalizers, path.child("finalizers"))
    if meta.managed_fields:
        errors += _validate_managed_fields(meta.managed_fields, path.child("managedFields"))
    if meta.finalizers:
        errors += _validate_known_finalizers(meta.finalizers, path.child("finalizers"))
    return errors


def validate_object_meta_update(
    new: ObjectMeta, old: ObjectMeta, path: Path = METADATA
) -> list[FieldError]:
    """Return what is wrong with the metadata that an update would give to *old*'s object."""
    errors: list[FieldError] = []
    if old.deletion_timestamp is not None:
        added = sorted(set(new.finalizers) - set(old.finalizers))
        if added:
            shown = ", ".join(quote(item) for item in added)
            errors.append(
                field.forbidden(
                    path.child("finalizers"),
                    "no new finalizers can be added if the object is being deleted, "
                    f"found new finalizers []string{{{shown}}}",
                )
            )
    if not new.resource_version:
        errors.append(
            field.invalid(path.child("resourceVersion"), "", "must be specified for an update")
        )
    if new.generation < old.generation:
        errors.append(
            field.invalid(path.child("generation"), new.generation, "must not be decremented")
        )
    for attribute, name in _IMMUTABLE.items():
        value, before = getattr(new, attribute), getattr(old, attribute)
        if value != before:
            errors += validate_immutable(value, before, path.child(name))
    errors += validate_labels(new.labels, path.child("labels"))
    errors += validate_annotations(new.annotations, path.child("annotations"))
    errors += _validate_owner_references(new.owner_references, path.child("ownerReferences"))
    if new.managed_fields:
        errors += _validate_managed_fields(new.managed_fields, path.child("managedFields"))
    if new.finalizers:
        errors += _validate_known_finalizers(new.finalizers, path.child("finalizers"))
    return errors


_IMMUTABLE = {
    "name": "name",
    "namespace": "namespace",
    "uid": "uid",
    "creation_timestamp": "creationTimestamp",
    "deletion_timestamp": "deletionTimestamp",
    "deletion_grace_period_seconds": "deletionGracePeriodSeconds",
}


def validate_immutable(new: Any, old: Any, path: Path) -> list[FieldError]:
    """``ValidateImmutableField``"""
    return [] if new == old else [field.invalid(path, new, "field is immutable")]


def validate_labels(labels: Mapping[str, str], path: Path) -> list[FieldError]:
    """``ValidateLabels``"""
    errors: list[FieldError] = []
    if all(map(names.is_plain_label, labels, labels.values())):
        return errors
    for key, value in sorted(labels.items()):
        errors += validate_label_name(key, path)
        errors += [field.invalid(path, value, message) for message in names.label_value(value)]
    return errors


def validate_label_name(name: str, path: Path) -> list[FieldError]:
    """``ValidateLabelName``"""
    return [field.invalid(path, name, message) for message in names.qualified_name(name)]


def validate_annotations(annotations: Mapping[str, str], path: Path) -> list[FieldError]:
    """``ValidateAnnotations``: keys are compared without case, and all together have a limit."""
    errors: list[FieldError] = []
    for key in sorted(annotations):
        if not names.is_plain_label(key, ""):
            errors += [field.invalid(path, key, m) for m in names.qualified_name(key.lower())]
    length = sum(map(len, annotations)) + sum(map(len, annotations.values()))
    if length * _BYTES_OF_A_CHARACTER <= ANNOTATIONS_MAX:
        return errors
    size = sum(len(k.encode()) + len(v.encode()) for k, v in annotations.items())
    if size > ANNOTATIONS_MAX:
        errors.append(field.too_long(path, ANNOTATIONS_MAX))
    return errors


def _validate_namespace(namespace: str, namespaced: bool, path: Path) -> list[FieldError]:
    if not namespaced:
        return [field.forbidden(path, "not allowed on this type")] if namespace else []
    if not namespace:
        return [field.required(path)]
    return [field.invalid(path, namespace, message) for message in names.dns1123_label(namespace)]


def _validate_owner_references(
    references: Sequence[OwnerReference], path: Path
) -> list[FieldError]:
    errors: list[FieldError] = []
    controller: OwnerReference | None = None
    shown: Verbatim | None = None
    for reference in references:
        errors += _validate_owner_reference(reference, path)
        if not reference.controller:
            continue
        if controller is None:
            controller = reference
            continue
        if shown is None:
            syntax = ", ".join(_owner_syntax(item) for item in references)
            shown = Verbatim(f"[]v1.OwnerReference{{{syntax}}}")
        errors.append(
            field.invalid(
                path,
                shown,
                'Only one reference can have Controller set to true. Found "true" in references '
                f"for {controller.name} and {reference.name}",
            )
        )
    return errors


def _validate_owner_reference(reference: OwnerReference, path: Path) -> Iterator[FieldError]:
    try:
        group, version = parse_group_version(reference.api_version)
    except ValueError:
        group, version = "", ""
    if not version:
        yield field.invalid(
            path.child("apiVersion"), reference.api_version, "version must not be empty"
        )
    for name in ("kind", "name", "uid"):
        if not getattr(reference, name):
            yield field.invalid(path.child(name), "", f"{name} must not be empty")
    if (group, version, reference.kind) == ("", "v1", "Event"):
        yield field.invalid(
            path,
            Verbatim(_owner_syntax(reference)),
            "/v1, Kind=Event is disallowed from being an owner",
        )


def _owner_syntax(reference: OwnerReference) -> str:
    def pointer(flag: bool | None) -> str:
        return "(*bool)(nil)" if flag is None else "(*bool)(0xc000000000)"

    return (
        f"v1.OwnerReference{{APIVersion:{quote(reference.api_version)}, "
        f"Kind:{quote(reference.kind)}, Name:{quote(reference.name)}, UID:{quote(reference.uid)}, "
        f"Controller:{pointer(reference.controller)}, "
        f"BlockOwnerDeletion:{pointer(reference.block_owner_deletion)}}}"
    )


def _validate_finalizers(finalizers: Sequence[str], path: Path) -> list[FieldError]:
    wrong = (
        field.invalid(path, finalizer, message)
        for finalizer in finalizers
        for message in names.qualified_name(finalizer)
    )
    errors = list(itertools.islice(wrong, _MOST_TOLD))
    if ORPHAN_DEPENDENTS in finalizers and FOREGROUND_DELETION in finalizers:
        errors.append(
            field.invalid(
                path,
                list(finalizers),
                f"finalizer {ORPHAN_DEPENDENTS} and {FOREGROUND_DELETION} cannot be both set",
            )
        )
    return errors


def _validate_known_finalizers(finalizers: Sequence[str], path: Path) -> list[FieldError]:
    wrong = (
        field.invalid(
            path.index(index),
            finalizer,
            "name is neither a standard finalizer name nor is it fully qualified",
        )
        for index, finalizer in enumerate(finalizers)
        if "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS
    )
    return list(itertools.islice(wrong, _MOST_TOLD))


def _validate_managed_fields(
    entries: Sequence[ManagedFieldsEntry], path: Path
) -> Iterator[FieldError]:
    return itertools.islice(_wrong_owners(entries, path), _MOST_TOLD)


def _wrong_owners(entries: Sequence[ManagedFieldsEntry], path: Path) -> Iterator[FieldError]:
    for index, entry in enumerate(entries):
        at = path.index(index)
        if entry.operation not in ("Apply", "Update"):
            yield field.invalid(
                at.child("operation"), entry.operation, "must be `Apply` or `Update`"
            )
        if entry.fields_type and entry.fields_type != "FieldsV1":
            yield field.invalid(at.child("fieldsType"), entry.fields_type, "must be `FieldsV1`")
        yield from validate_field_manager(entry.manager, at.child("manager"))
        if len(entry.subresource) > 256:
            yield field.too_long(at.child("subresource"), 256)


def validate_field_manager(manager: str, path: Path) -> Iterator[FieldError]:
    """``ValidateFieldManager``"""
    if len(manager.encode()) > FIELD_MANAGER_MAX:
        yield field.too_long(path, FIELD_MANAGER_MAX)
    position = 0
    for char in () if manager.isprintable() else manager:
        if not char.isprintable():
            detail = f"invalid character U+{ord(char):04X} (at position {position})"
            yield field.invalid(path, manager, detail)
        position += len(char.encode())


def controller_of(obj: Any) -> OwnerReference | None:
    """Return the owner that manages *obj*."""
    meta: ObjectMeta = obj.metadata
    return next((ref for ref in meta.owner_references if ref.controller), None)


def owner_reference(owner: Any, *, controller: bool = False) -> OwnerReference:
    """Return a reference to *owner*, for the metadata of what it owns."""
    return OwnerReference(
        api_version=owner.api_version,
        kind=owner.kind,
        name=owner.metadata.name,
        uid=owner.metadata.uid,
        controller=True if controller else None,
        block_owner_deletion=True if controller else None,
    )


def metadata(obj: Any) -> ObjectMeta:
    """Return the metadata of any object, as its type."""
    meta: ObjectMeta = obj.metadata
    return meta

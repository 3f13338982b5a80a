"""Validation of Namespaces."""

from __future__ import annotations

from podium.api import names
from podium.api.field import FieldError, Path, invalid
from podium.api.types.core_v1 import Namespace
from podium.api.validation.common import Errors, invalid_each

FINALIZERS = Path("spec.finalizers")
_STANDARD = ("kubernetes", "orphan", "foregroundDeletion")


def validate_namespace(namespace: Namespace) -> list[FieldError]:
    """Return the offences of ``spec.finalizers``, none of which says which one it is about."""
    return [
        error
        for finalizer in namespace.spec.finalizers
        for error in _finalizer(FINALIZERS, finalizer)
    ]


def validate_namespace_finalize(namespace: Namespace) -> list[FieldError]:
    """Return the offences of ``spec.finalizers``, each with its index."""
    return [
        error
        for i, finalizer in enumerate(namespace.spec.finalizers)
        for error in _finalizer(FINALIZERS.index(i), finalizer)
    ]


def _finalizer(path: Path, name: str) -> Errors:
    yield from invalid_each(path, name, names.qualified_name(name))
    if "/" not in name and name not in _STANDARD:
        text = "name is neither a standard finalizer name nor is it fully qualified"
        yield invalid(path, name, text)


def validate_namespace_status(namespace: Namespace) -> list[FieldError]:
    """A namespace is Terminating exactly while it is being deleted."""
    at, phase = Path("status.Phase"), namespace.status.phase
    if namespace.metadata.deletion_timestamp is None:
        if phase != "Active":
            text = "may only be 'Active' if `deletionTimestamp` is empty"
            return [invalid(at, phase, text)]
    elif phase != "Terminating":
        text = "may only be 'Terminating' if `deletionTimestamp` is not empty"
        return [invalid(at, phase, text)]
    return []

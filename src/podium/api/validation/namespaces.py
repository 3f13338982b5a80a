"""Validation of Namespaces."""

from __future__ import annotations

from podium.api import names
from podium.api.field import FieldError, Path, invalid
from podium.api.types.core_v1 import Namespace
from podium.api.validation.common import invalid_each

FINALIZERS = Path("spec.finalizers")
_STANDARD = ("kubernetes", "orphan", "foregroundDeletion")


def validate_namespace(namespace: Namespace) -> list[FieldError]:
    """Return the offences of ``spec.finalizers``."""
    errors: list[FieldError] = []
    for finalizer in namespace.spec.finalizers:
        errors.extend(invalid_each(FINALIZERS, finalizer, names.qualified_name(finalizer)))
        if "/" not in finalizer and finalizer not in _STANDARD:
            text = "name is neither a standard finalizer name nor is it fully qualified"
            errors.append(invalid(FINALIZERS, finalizer, text))
    return errors


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

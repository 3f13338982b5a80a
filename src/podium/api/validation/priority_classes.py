"""Checks of PriorityClasses. Follows ``pkg/apis/scheduling/validation`` of Kubernetes."""

from __future__ import annotations

from podium.api.field import FieldError, Path, forbidden
from podium.api.priorities import SYSTEM_CLASSES
from podium.api.types.scheduling_v1 import PriorityClass
from podium.api.validation.common import immutable, one_of

HIGHEST_USER_DEFINABLE = 1_000_000_000
SYSTEM_PREFIX = "system-"
_RESERVED = f"priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system use only"
PREEMPTION_POLICIES = ("PreemptLowerPriority", "Never")


def validate_priority_class(obj: PriorityClass) -> list[FieldError]:
    errors: list[FieldError] = []
    name = obj.metadata.name
    if name.startswith(SYSTEM_PREFIX):
        why = _no_system_class(obj)
        if why:
            errors.append(forbidden(Path("metadata").child("name"), f"{_RESERVED}. error: {why}"))
    elif obj.value > HIGHEST_USER_DEFINABLE:
        text = f"maximum allowed value of a user defined priority is {HIGHEST_USER_DEFINABLE}"
        errors.append(forbidden(Path("value"), text))
    if obj.preemption_policy is not None:
        errors.extend(one_of(Path("preemptionPolicy"), obj.preemption_policy, PREEMPTION_POLICIES))
    return errors


def _no_system_class(obj: PriorityClass) -> str:
    """Return why *obj* is none of the classes that are there from the start, if it is not."""
    name = obj.metadata.name
    if name not in SYSTEM_CLASSES:
        return f"{name} is not a known system priority class"
    if obj.value != SYSTEM_CLASSES[name]:
        return f"value of {name} PriorityClass must be {SYSTEM_CLASSES[name]}"
    if obj.global_default:
        return f"globalDefault of {name} PriorityClass must be false"
    return ""


def validate_priority_class_update(new: PriorityClass, old: PriorityClass) -> list[FieldError]:
    errors: list[FieldError] = []
    if new.value != old.value:
        errors.append(forbidden(Path("value"), "may not be changed in an update."))
    changed = immutable(Path("preemptionPolicy"), new.preemption_policy, old.preemption_policy)
    return [*errors, *changed]

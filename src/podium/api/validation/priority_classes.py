"""Checks of PriorityClasses. Follows ``pkg/apis/scheduling/validation`` of Kubernetes."""

from __future__ import annotations

from podium.api.field import FieldError, Path, forbidden, not_supported
from podium.api.types.scheduling_v1 import PriorityClass
from podium.api.validation.common import immutable

HIGHEST_USER_DEFINABLE = 1_000_000_000
SYSTEM_PREFIX = "system-"
#: The classes that are there from the start, with their values.
SYSTEM_CLASSES = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}
_RESERVED = f"priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system use only"
PREEMPTION_POLICIES = ("Never", "PreemptLowerPriority")


def validate_priority_class(obj: PriorityClass) -> list[FieldError]:
    errors: list[FieldError] = []
    name = obj.metadata.name
    if name.startswith(SYSTEM_PREFIX):
        if SYSTEM_CLASSES.get(name) != obj.value or obj.global_default:
            errors.append(forbidden(Path("metadata").child("name"), _RESERVED))
    elif obj.value > HIGHEST_USER_DEFINABLE:
        text = f"maximum allowed value of a user defined priority is {HIGHEST_USER_DEFINABLE}"
        errors.append(forbidden(Path("value"), text))
    policy = obj.preemption_policy
    if policy is not None and policy not in PREEMPTION_POLICIES:
        errors.append(not_supported(Path("preemptionPolicy"), policy, PREEMPTION_POLICIES))
    return errors


def validate_priority_class_update(new: PriorityClass, old: PriorityClass) -> list[FieldError]:
    errors: list[FieldError] = []
    if new.value != old.value:
        errors.append(forbidden(Path("value"), "may not be changed in an update."))
    changed = immutable(Path("preemptionPolicy"), new.preemption_policy, old.preemption_policy)
    return [*errors, *changed]

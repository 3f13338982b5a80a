"""Checks of ResourceQuotas. Follows ``ValidateResourceQuota`` of Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping

from podium.api.field import FieldError, Path, invalid
from podium.api.types.core_v1 import ResourceQuota
from podium.api.validation.common import Errors, qualified_name
from podium.api.validation.resources import validate_amount

SPEC, STATUS = Path("spec"), Path("status")
SCOPES = (
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
    "VolumeAttributesClass",
)
_INTEGERS = frozenset({
    "pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps",
    "persistentvolumeclaims", "services.nodeports", "services.loadbalancers",
})  # fmt: skip


def validate_quota(obj: ResourceQuota) -> list[FieldError]:
    spec = obj.spec
    errors = list(_amounts(SPEC.child("hard"), spec.hard))
    if set(spec.scopes) - set(SCOPES):
        errors.append(invalid(SPEC.child("scopes"), spec.scopes, "unsupported scope"))
    if {"BestEffort", "NotBestEffort"} <= set(spec.scopes) or {
        "Terminating",
        "NotTerminating",
    } <= set(spec.scopes):
        errors.append(invalid(SPEC.child("scopes"), spec.scopes, "conflicting scopes"))
    return errors


def validate_quota_update(new: ResourceQuota, old: ResourceQuota) -> list[FieldError]:
    errors = validate_quota(new)
    if set(new.spec.scopes) != set(old.spec.scopes):
        errors.append(invalid(SPEC.child("scopes"), new.spec.scopes, "field is immutable"))
    return errors


def validate_quota_status(new: ResourceQuota) -> list[FieldError]:
    return [
        *_amounts(STATUS.child("hard"), new.status.hard),
        *_amounts(STATUS.child("used"), new.status.used),
    ]


def _amounts(path: Path, values: Mapping[str, str]) -> Errors:
    for name in sorted(values):
        at = path.key(name)
        yield from qualified_name(at, name)
        counted = name in _INTEGERS or name.startswith("count/")
        yield from validate_amount(at, "pods" if counted else name, values[name])

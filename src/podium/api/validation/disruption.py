"""Checks of PodDisruptionBudgets. Follows ``pkg/apis/policy/validation`` of Kubernetes."""

from __future__ import annotations

from podium.api import names
from podium.api.field import FieldError, Path, invalid, not_supported
from podium.api.types.policy_v1 import PodDisruptionBudget
from podium.api.validation.common import Errors, invalid_each, non_negative
from podium.api.validation.scheduling import validate_label_selector

SPEC = Path("spec")
_POLICIES = ("AlwaysAllow", "IfHealthyBudget")


def validate_budget(obj: PodDisruptionBudget) -> list[FieldError]:
    spec, errors = obj.spec, list[FieldError]()
    if spec.min_available is not None and spec.max_unavailable is not None:
        text = "minAvailable and maxUnavailable cannot be both set"
        errors.append(invalid(SPEC, "", text))
    errors.extend(_share(SPEC.child("minAvailable"), spec.min_available))
    errors.extend(_share(SPEC.child("maxUnavailable"), spec.max_unavailable))
    errors.extend(validate_label_selector(SPEC.child("selector"), spec.selector))
    policy = spec.unhealthy_pod_eviction_policy
    if policy is not None and policy not in _POLICIES:
        at = SPEC.child("unhealthyPodEvictionPolicy")
        errors.append(not_supported(at, policy, _POLICIES))
    return errors


def _share(path: Path, value: int | str | None) -> Errors:
    if isinstance(value, str):
        yield from invalid_each(path, value, names.percent(value))
        if not names.percent(value) and names.is_more_than_all(value):
            yield invalid(path, value, "must not be greater than 100%")
    elif value is not None:
        yield from non_negative(path, value)

"""Checks of PodDisruptionBudgets. Follows ``pkg/apis/policy/validation`` of Kubernetes."""

from __future__ import annotations

from podium.api.field import FieldError, Path, invalid, not_supported
from podium.api.types.policy_v1 import PodDisruptionBudget
from podium.api.validation.common import Errors, non_negative
from podium.api.validation.conditions import validate_conditions
from podium.api.validation.scheduling import validate_label_selector
from podium.api.validation.shares import not_more_than_all, share

SPEC, STATUS = Path("spec"), Path("status")
_POLICIES = ("AlwaysAllow", "IfHealthyBudget")


def validate_budget(obj: PodDisruptionBudget) -> list[FieldError]:
    spec, errors = obj.spec, list[FieldError]()
    if spec.min_available is not None and spec.max_unavailable is not None:
        text = "minAvailable and maxUnavailable cannot be both set"
        errors.append(invalid(SPEC, spec, text))
    for name, value in (
        ("minAvailable", spec.min_available),
        ("maxUnavailable", spec.max_unavailable),
    ):
        errors.extend(share(SPEC.child(name), value))
        errors.extend(not_more_than_all(SPEC.child(name), value))
    errors.extend(validate_label_selector(SPEC.child("selector"), spec.selector))
    policy = spec.unhealthy_pod_eviction_policy
    if policy is not None and policy not in _POLICIES:
        at = SPEC.child("unhealthyPodEvictionPolicy")
        errors.append(not_supported(at, policy, _POLICIES))
    return errors


def validate_budget_status(obj: PodDisruptionBudget) -> Errors:
    status = obj.status
    yield from validate_conditions(STATUS.child("conditions"), status.conditions)
    for name, value in (
        ("disruptionsAllowed", status.disruptions_allowed),
        ("currentHealthy", status.current_healthy),
        ("desiredHealthy", status.desired_healthy),
        ("expectedPods", status.expected_pods),
    ):
        yield from non_negative(STATUS.child(name), value)

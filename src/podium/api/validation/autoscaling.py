"""Checks of HorizontalPodAutoscalers. Follows ``pkg/apis/autoscaling/validation``."""

from __future__ import annotations

from podium.api import names
from podium.api.field import FieldError, Path, invalid, not_supported, required
from podium.api.types.autoscaling_v2 import HorizontalPodAutoscaler, HPAScalingRules
from podium.api.validation.common import Errors, invalid_each

SPEC = Path("spec")
_TYPES = ("ContainerResource", "External", "Object", "Pods", "Resource")
_SELECT = ("Disabled", "Max", "Min")
_LONGEST_WINDOW, _LONGEST_PERIOD = 3600, 1800


def validate_autoscaler(obj: HorizontalPodAutoscaler) -> list[FieldError]:
    spec, errors = obj.spec, list[FieldError]()
    low = 1
    if spec.min_replicas is not None and spec.min_replicas < low:
        text = f"must be greater than or equal to {low}"
        errors.append(invalid(SPEC.child("minReplicas"), spec.min_replicas, text))
    if spec.max_replicas < 1:
        text = "must be greater than 0"
        errors.append(invalid(SPEC.child("maxReplicas"), spec.max_replicas, text))
    if spec.min_replicas is not None and spec.max_replicas < spec.min_replicas:
        text = "must be greater than or equal to `minReplicas`"
        errors.append(invalid(SPEC.child("maxReplicas"), spec.max_replicas, text))
    target = spec.scale_target_ref
    for name, value in (("kind", target.kind), ("name", target.name)):
        at = SPEC.child("scaleTargetRef", name)
        if not value:
            errors.append(required(at))
        else:
            errors.extend(invalid_each(at, value, names.path_segment(value)))
    for i, metric in enumerate(spec.metrics):
        at = SPEC.child("metrics").index(i).child("type")
        if not metric.type:
            errors.append(required(at, "must specify a metric source type"))
        elif metric.type not in _TYPES:
            errors.append(not_supported(at, metric.type, _TYPES))
    if spec.behavior is not None:
        at = SPEC.child("behavior")
        errors.extend(_rules(at.child("scaleUp"), spec.behavior.scale_up))
        errors.extend(_rules(at.child("scaleDown"), spec.behavior.scale_down))
    return errors


def _rules(path: Path, rules: HPAScalingRules | None) -> Errors:
    if rules is None:
        return
    window = rules.stabilization_window_seconds
    if window is not None and window < 0:
        at = path.child("stabilizationWindowSeconds")
        yield invalid(at, window, "must be greater than or equal to zero")
    if window is not None and window > _LONGEST_WINDOW:
        at = path.child("stabilizationWindowSeconds")
        yield invalid(at, window, f"must be less than or equal to {_LONGEST_WINDOW}")
    if rules.select_policy is not None and rules.select_policy not in _SELECT:
        yield not_supported(path.child("selectPolicy"), rules.select_policy, _SELECT)
    if not rules.policies:
        yield required(path.child("policies"), "must specify at least one Policy")
    for i, policy in enumerate(rules.policies):
        at = path.child("policies").index(i)
        if policy.type not in ("Percent", "Pods"):
            yield not_supported(at.child("type"), policy.type, ["Percent", "Pods"])
        if policy.value <= 0:
            yield invalid(at.child("value"), policy.value, "must be greater than zero")
        if policy.period_seconds <= 0:
            yield invalid(at.child("periodSeconds"), policy.period_seconds,
                          "must be greater than zero")  # fmt: skip
        elif policy.period_seconds > _LONGEST_PERIOD:
            text = f"must be less than or equal to {_LONGEST_PERIOD}"
            yield invalid(at.child("periodSeconds"), policy.period_seconds, text)

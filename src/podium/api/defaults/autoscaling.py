"""Defaults of ``autoscaling/v2``. Follows ``pkg/apis/autoscaling/v2/defaults.go``."""

from __future__ import annotations

from podium.api.types.autoscaling_v2 import (
    HorizontalPodAutoscaler,
    HPAScalingPolicy,
    HPAScalingRules,
    MetricSpec,
    MetricTarget,
    ResourceMetricSource,
)

_CPU_PERCENT = 80


def set_defaults_autoscaler(obj: HorizontalPodAutoscaler) -> None:
    spec = obj.spec
    obj.status.current_metrics = obj.status.current_metrics or None
    if spec.min_replicas is None:
        spec.min_replicas = 1
    if not spec.metrics:
        target = MetricTarget(type="Utilization", average_utilization=_CPU_PERCENT)
        source = ResourceMetricSource(name="cpu", target=target)
        spec.metrics = [MetricSpec(type="Resource", resource=source)]
    if spec.behavior is not None:
        spec.behavior.scale_up = _up(spec.behavior.scale_up or HPAScalingRules())
        spec.behavior.scale_down = _down(spec.behavior.scale_down or HPAScalingRules())


def _up(rules: HPAScalingRules) -> HPAScalingRules:
    rules.select_policy = rules.select_policy or "Max"
    if rules.stabilization_window_seconds is None:
        rules.stabilization_window_seconds = 0
    if rules.policies is None:
        rules.policies = [
            HPAScalingPolicy(type="Pods", value=4, period_seconds=15),
            HPAScalingPolicy(type="Percent", value=100, period_seconds=15),
        ]
    return rules


def _down(rules: HPAScalingRules) -> HPAScalingRules:
    rules.select_policy = rules.select_policy or "Max"
    if rules.policies is None:
        rules.policies = [HPAScalingPolicy(type="Percent", value=100, period_seconds=15)]
    return rules

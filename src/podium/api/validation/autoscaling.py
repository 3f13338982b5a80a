"""Checks of HorizontalPodAutoscalers. Follows ``pkg/apis/autoscaling/validation``."""

from __future__ import annotations

from podium.api import names
from podium.api.field import FieldError, Path, forbidden, invalid, not_supported, required
from podium.api.go_syntax import go_quantity
from podium.api.quantity import parse
from podium.api.types.autoscaling_v2 import (
    ContainerResourceMetricSource,
    CrossVersionObjectReference,
    ExternalMetricSource,
    HorizontalPodAutoscaler,
    HPAScalingRules,
    MetricIdentifier,
    MetricSpec,
    MetricTarget,
    ObjectMetricSource,
    PodsMetricSource,
    ResourceMetricSource,
)
from podium.api.validation.common import Errors, invalid_each, non_negative

SPEC = Path("spec")
_TYPES = ("ContainerResource", "External", "Object", "Pods", "Resource")
_TARGETS = ("Utilization", "Value", "AverageValue")
_SELECT = ("Disabled", "Max", "Min")
_POLICIES = ("Percent", "Pods")
_LONGEST_WINDOW, _LONGEST_PERIOD = 3600, 1800
_VALUE_OR_AVERAGE = "must set either a target value for metric or a per-pod target"
_RAW_OR_UTILIZATION = "must set either a target raw value or a target utilization"


def validate_autoscaler(obj: HorizontalPodAutoscaler) -> list[FieldError]:
    return list(_autoscaler(obj))


def validate_autoscaler_status(obj: HorizontalPodAutoscaler) -> Errors:
    at, status = Path("status"), obj.status
    yield from non_negative(at.child("currentReplicas"), status.current_replicas)
    yield from non_negative(at.child("desiredReplicas"), status.desired_replicas)


def _autoscaler(obj: HorizontalPodAutoscaler) -> Errors:
    spec, least = obj.spec, 1
    if spec.min_replicas is not None and spec.min_replicas < least:
        text = f"must be greater than or equal to {least}"
        yield invalid(SPEC.child("minReplicas"), spec.min_replicas, text)
    if spec.max_replicas < 1:
        yield invalid(SPEC.child("maxReplicas"), spec.max_replicas, "must be greater than 0")
    if spec.min_replicas is not None and spec.max_replicas < spec.min_replicas:
        text = "must be greater than or equal to `minReplicas`"
        yield invalid(SPEC.child("maxReplicas"), spec.max_replicas, text)
    yield from _reference(SPEC.child("scaleTargetRef"), spec.scale_target_ref)
    for i, metric in enumerate(spec.metrics):
        yield from _metric(SPEC.child("metrics").index(i), metric)
    if spec.behavior is not None:
        at = SPEC.child("behavior")
        yield from _rules(at.child("scaleUp"), spec.behavior.scale_up)
        yield from _rules(at.child("scaleDown"), spec.behavior.scale_down)


def _reference(path: Path, target: CrossVersionObjectReference) -> Errors:
    for name, value in (("kind", target.kind), ("name", target.name)):
        if not value:
            yield required(path.child(name))
        else:
            yield from invalid_each(path.child(name), value, names.path_segment(value))


# ---------------------------------------------------------------------- metrics


def _metric(path: Path, metric: MetricSpec) -> Errors:
    """One source must be there, the one that the type says; the first is looked at closely."""
    if not metric.type:
        yield required(path.child("type"), "must specify a metric source type")
    if metric.type not in _TYPES:
        yield not_supported(path.child("type"), metric.type, _TYPES)
    sources = {
        "object": metric.object,
        "external": metric.external,
        "pods": metric.pods,
        "resource": metric.resource,
        "containerResource": metric.container_resource,
    }
    present = {name: source for name, source in sources.items() if source is not None}
    for name, source in list(present.items())[:1]:
        yield from _source(path.child(name), source)
    expected = metric.type[:1].lower() + metric.type[1:]
    if metric.type in _TYPES and expected not in present:
        text = "must populate information for the given metric source"
        yield required(path.child(expected), text)
    if len(present) != 1:
        for name in present:
            if name != expected:
                text = "must populate the given metric source only"
                yield forbidden(path.child(name), text)


def _source(path: Path, source: object) -> Errors:
    match source:
        case ObjectMetricSource():
            yield from _reference(path.child("describedObject"), source.described_object)
            yield from _identifier(path.child("metric"), source.metric)
            yield from _target(path.child("target"), source.target)
            if source.target.value is None and source.target.average_value is None:
                yield required(path.child("target", "averageValue"), _VALUE_OR_AVERAGE)
        case ExternalMetricSource():
            yield from _external(path, source)
        case PodsMetricSource():
            yield from _identifier(path.child("metric"), source.metric)
            yield from _target(path.child("target"), source.target)
            if not _positive(source.target.average_value):
                text = "must specify a positive target averageValue"
                yield required(path.child("target", "averageValue"), text)
        case ContainerResourceMetricSource() | ResourceMetricSource():
            yield from _resource(path, source)


def _external(path: Path, source: ExternalMetricSource) -> Errors:
    target, at = source.target, path.child("target")
    yield from _identifier(path.child("metric"), source.metric)
    yield from _target(at, target)
    if target.value is None and target.average_value is None:
        yield required(at.child("averageValue"), _VALUE_OR_AVERAGE)
    if target.value is not None and target.average_value is not None:
        text = "may not set both a target value for metric and a per-pod target"
        yield forbidden(at.child("value"), text)


def _resource(path: Path, source: ContainerResourceMetricSource | ResourceMetricSource) -> Errors:
    target, at = source.target, path.child("target")
    if not source.name:
        yield required(path.child("name"), "must specify a resource name")
    if isinstance(source, ContainerResourceMetricSource) and not source.container:
        yield required(path.child("container"), "must specify a container")
    yield from _target(at, target)
    if target.average_utilization is None and target.average_value is None:
        yield required(at.child("averageUtilization"), _RAW_OR_UTILIZATION)
    if target.average_utilization is not None and target.average_value is not None:
        text = "may not set both a target raw value and a target utilization"
        yield forbidden(at.child("averageValue"), text)


def _identifier(path: Path, metric: MetricIdentifier) -> Errors:
    if not metric.name:
        yield required(path.child("name"), "must specify a metric name")
    else:
        yield from invalid_each(path.child("name"), metric.name, names.path_segment(metric.name))


def _target(path: Path, target: MetricTarget) -> Errors:
    if not target.type:
        yield required(path.child("type"), "must specify a metric target type")
    if target.type not in _TARGETS:
        text = "must be either Utilization, Value, or AverageValue"
        yield invalid(path.child("type"), target.type, text)
    for name, value in (("value", target.value), ("averageValue", target.average_value)):
        if value is not None and not _positive(value):
            yield invalid(path.child(name), go_quantity(value), "must be positive")
    if target.average_utilization is not None and target.average_utilization < 1:
        at = path.child("averageUtilization")
        yield invalid(at, target.average_utilization, "must be greater than 0")


def _positive(amount: str | None) -> bool:
    return amount is not None and parse(amount).value > 0


# ---------------------------------------------------------------------- behaviour


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
    for i, policy in enumerate(rules.policies or ()):
        at = path.child("policies").index(i)
        if policy.type not in _POLICIES:
            yield not_supported(at.child("type"), policy.type, _POLICIES)
        if policy.value <= 0:
            yield invalid(at.child("value"), policy.value, "must be greater than zero")
        if policy.period_seconds <= 0:
            text = "must be greater than zero"
            yield invalid(at.child("periodSeconds"), policy.period_seconds, text)
        elif policy.period_seconds > _LONGEST_PERIOD:
            text = f"must be less than or equal to {_LONGEST_PERIOD}"
            yield invalid(at.child("periodSeconds"), policy.period_seconds, text)
    if rules.tolerance is not None and parse(rules.tolerance).value < 0:
        text = "must be greater or equal to zero"
        yield invalid(path.child("tolerance"), go_quantity(rules.tolerance), text)

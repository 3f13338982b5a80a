"""``autoscaling/v1`` HorizontalPodAutoscalers and those of ``v2``, which are stored.

v1 knows one metric, the CPU's. What else a v2 object says stands in annotations of the v1 object,
so that an update through v1 loses none of it. Follows ``pkg/apis/autoscaling/v1/conversion.go``.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from podium.api import codec
from podium.api.types import autoscaling_v1, autoscaling_v2
from podium.api.types.autoscaling_v1 import CrossVersionObjectReference
from podium.api.types.autoscaling_v2 import (
    HorizontalPodAutoscalerBehavior,
    HorizontalPodAutoscalerCondition,
    MetricSpec,
    MetricStatus,
    MetricTarget,
    MetricValueStatus,
    ResourceMetricSource,
    ResourceMetricStatus,
)
from podium.api.views import autoscaling_metrics as metrics

_PREFIX = "autoscaling.alpha.kubernetes.io/"
METRICS, BEHAVIOR = f"{_PREFIX}metrics", f"{_PREFIX}behavior"
CURRENT, CONDITIONS = f"{_PREFIX}current-metrics", f"{_PREFIX}conditions"
_ANNOTATIONS = (METRICS, BEHAVIOR, CURRENT, CONDITIONS)
_CPU, _CPU_PERCENT = "cpu", 80


def from_hub(hub: autoscaling_v2.HorizontalPodAutoscaler) -> autoscaling_v1.HorizontalPodAutoscaler:
    spec, status, target = hub.spec, hub.status, hub.spec.scale_target_ref
    annotations = _without(hub.metadata.annotations)
    annotations |= {name: _json(value) for name, value in _beyond_v1(hub).items() if value}
    return autoscaling_v1.HorizontalPodAutoscaler(
        metadata=replace(hub.metadata, annotations=annotations),
        spec=autoscaling_v1.HorizontalPodAutoscalerSpec(
            max_replicas=spec.max_replicas,
            min_replicas=spec.min_replicas,
            scale_target_ref=CrossVersionObjectReference(
                api_version=target.api_version, kind=target.kind, name=target.name
            ),
            target_cpu_utilization_percentage=_cpu_target(spec.metrics),
        ),
        status=autoscaling_v1.HorizontalPodAutoscalerStatus(
            current_cpu_utilization_percentage=_cpu_now(status.current_metrics or []),
            current_replicas=status.current_replicas,
            desired_replicas=status.desired_replicas,
            last_scale_time=status.last_scale_time,
            observed_generation=status.observed_generation,
        ),
    )


def _beyond_v1(hub: autoscaling_v2.HorizontalPodAutoscaler) -> dict[str, Any]:
    others = [metric for metric in hub.spec.metrics if not _is_cpu_target(metric)]
    return {
        METRICS: [metrics.spec_to_v1(codec.to_plain(metric)) for metric in others],
        CURRENT: [
            metrics.status_to_v1(codec.to_plain(metric))
            for metric in hub.status.current_metrics or ()
        ],
        CONDITIONS: [codec.to_plain(condition) for condition in hub.status.conditions],
        BEHAVIOR: metrics.capitalised(hub.spec.behavior) if hub.spec.behavior else None,
    }


def to_hub(view: autoscaling_v1.HorizontalPodAutoscaler) -> autoscaling_v2.HorizontalPodAutoscaler:
    spec, status, target = view.spec, view.status, view.spec.scale_target_ref
    annotations = view.metadata.annotations
    found = [metrics.spec_from_v1(each) for each in _list(annotations, METRICS)]
    wanted = [metric for each in found if (metric := _read(MetricSpec, each)) is not None]
    percent = spec.target_cpu_utilization_percentage
    if percent is not None or not wanted:
        percent = _CPU_PERCENT if percent is None else percent
        cpu = MetricTarget(type="Utilization", average_utilization=percent)
        resource = ResourceMetricSource(name=_CPU, target=cpu)
        wanted.append(MetricSpec(type="Resource", resource=resource))
    return autoscaling_v2.HorizontalPodAutoscaler(
        metadata=replace(view.metadata, annotations=_without(annotations)),
        spec=autoscaling_v2.HorizontalPodAutoscalerSpec(
            behavior=_behavior(annotations),
            max_replicas=spec.max_replicas,
            metrics=wanted,
            min_replicas=spec.min_replicas,
            scale_target_ref=autoscaling_v2.CrossVersionObjectReference(
                api_version=target.api_version, kind=target.kind, name=target.name
            ),
        ),
        status=autoscaling_v2.HorizontalPodAutoscalerStatus(
            conditions=_conditions(annotations),
            current_metrics=_current(annotations, status.current_cpu_utilization_percentage),
            current_replicas=status.current_replicas,
            desired_replicas=status.desired_replicas,
            last_scale_time=status.last_scale_time,
            observed_generation=status.observed_generation,
        ),
    )


def _current(annotations: dict[str, str], percent: int | None) -> list[MetricStatus] | None:
    said = [metrics.status_from_v1(each) for each in _list(annotations, CURRENT)]
    found = [status for each in said if (status := _read(MetricStatus, each)) is not None]
    if not found and percent is not None:
        value = MetricValueStatus(average_utilization=percent)
        resource = ResourceMetricStatus(name=_CPU, current=value)
        found = [MetricStatus(type="Resource", resource=resource)]
    return found or None


def _conditions(annotations: dict[str, str]) -> list[HorizontalPodAutoscalerCondition]:
    found = (
        _read(HorizontalPodAutoscalerCondition, each) for each in _list(annotations, CONDITIONS)
    )
    return [condition for condition in found if condition is not None]


def _behavior(annotations: dict[str, str]) -> HorizontalPodAutoscalerBehavior | None:
    said = _value(annotations, BEHAVIOR)
    found = _read(HorizontalPodAutoscalerBehavior, metrics.uncapitalised(said))
    return found if found != HorizontalPodAutoscalerBehavior() else None


def _is_cpu_target(metric: MetricSpec) -> bool:
    return metric.type == "Resource" and _cpu_target([metric]) is not None


def _cpu_target(specs: list[MetricSpec]) -> int | None:
    for metric in specs:
        if metric.type == "Resource" and metric.resource and metric.resource.name == _CPU:
            return metric.resource.target.average_utilization
    return None


def _cpu_now(statuses: list[MetricStatus]) -> int | None:
    for metric in statuses:
        if metric.type == "Resource" and metric.resource and metric.resource.name == _CPU:
            return metric.resource.current.average_utilization
    return None


def _without(annotations: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in annotations.items() if name not in _ANNOTATIONS}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _value(annotations: dict[str, str], name: str) -> Any:
    """Return what an annotation says; None where that is no JSON, which upstream passes over."""
    try:
        return msgspec.json.decode(annotations.get(name, "null"))
    except (msgspec.DecodeError, RecursionError):
        return None


def _list(annotations: dict[str, str], name: str) -> list[dict[str, Any]]:
    found = _value(annotations, name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _read(cls: type[Any], value: Any) -> Any:
    """Return plain *value* as a struct, None where it is none."""
    if not isinstance(value, dict):
        return None
    try:
        return codec.from_plain(cls, value)
    except ValueError:
        return None

"""Metrics as ``autoscaling/v1`` writes them in annotations, from and to those of ``v2``. Pure.

All are plain JSON values; the types of v1 are published nowhere. Behaviour stands there with the
field names of Go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podium.api.types.autoscaling_v2 import HorizontalPodAutoscalerBehavior, HPAScalingRules

Plain = dict[str, Any]


def spec_to_v1(metric: Plain) -> Plain:
    found: Plain = {"type": metric["type"]}
    for name, source in _sources(metric):
        target, said = source.get("target", {}), source.get("metric", {})
        value, average = target.get("value"), target.get("averageValue")
        match name:
            case "object":
                found[name] = {
                    "target": source["describedObject"],
                    "metricName": said.get("name", ""),
                    "targetValue": value or "0",
                    **_set(selector=said.get("selector"), averageValue=average),
                }
            case "pods":
                found[name] = {
                    "metricName": said.get("name", ""),
                    "targetAverageValue": average or "0",
                    **_set(selector=said.get("selector")),
                }
            case "external":
                found[name] = {
                    "metricName": said.get("name", ""),
                    **_set(
                        metricSelector=said.get("selector"),
                        targetValue=value,
                        targetAverageValue=average,
                    ),
                }
            case _:
                found[name] = {
                    "name": source["name"],
                    **_set(
                        targetAverageUtilization=target.get("averageUtilization"),
                        targetAverageValue=average,
                        container=source.get("container"),
                    ),
                }
    return found


def spec_from_v1(metric: Plain) -> Plain:
    found: Plain = {"type": metric.get("type", "")}
    for name, source in _sources(metric):
        value, average = _amount(source, "targetValue"), source.get("targetAverageValue")
        match name:
            case "object":
                average = source.get("averageValue")
                found[name] = {
                    "describedObject": source.get("target") or {},
                    **_identifier(source, "selector"),
                    "target": _target("Value" if average is None else "AverageValue",
                                      value=value, averageValue=average),
                }  # fmt: skip
            case "pods":
                target = _target("AverageValue", averageValue=average)
                found[name] = {**_identifier(source, "selector"), "target": target}
            case "external":
                kind = "AverageValue" if value is None else "Value"
                target = _target(kind, value=value, averageValue=average)
                found[name] = {**_identifier(source, "metricSelector"), "target": target}
            case _:
                percent = source.get("targetAverageUtilization")
                kind = "AverageValue" if percent is None else "Utilization"
                found[name] = {
                    "name": source.get("name", ""),
                    **_set(container=source.get("container")),
                    "target": _target(kind, averageUtilization=percent, averageValue=average),
                }
    return found


def status_to_v1(metric: Plain) -> Plain:
    found: Plain = {"type": metric["type"]}
    for name, source in _sources(metric):
        now, said = source.get("current", {}), source.get("metric", {})
        value, average = now.get("value"), now.get("averageValue")
        match name:
            case "object":
                found[name] = {
                    "target": source["describedObject"],
                    "metricName": said.get("name", ""),
                    "currentValue": value or "0",
                    **_set(selector=said.get("selector"), averageValue=average),
                }
            case "pods":
                found[name] = {
                    "metricName": said.get("name", ""),
                    "currentAverageValue": average or "0",
                    **_set(selector=said.get("selector")),
                }
            case "external":
                found[name] = {
                    "metricName": said.get("name", ""),
                    **_set(metricSelector=said.get("selector")),
                    "currentValue": value or "0",
                    **_set(currentAverageValue=average),
                }
            case _:
                found[name] = {
                    "name": source["name"],
                    **_set(currentAverageUtilization=now.get("averageUtilization")),
                    "currentAverageValue": average or "0",
                    **_set(container=source.get("container")),
                }
    return found


def status_from_v1(metric: Plain) -> Plain:
    found: Plain = {"type": metric.get("type", "")}
    for name, source in _sources(metric):
        value, average = source.get("currentValue"), source.get("currentAverageValue")
        match name:
            case "object":
                found[name] = {
                    "describedObject": source.get("target") or {},
                    **_identifier(source, "selector"),
                    "current": _set(value=value, averageValue=source.get("averageValue")),
                }
            case "pods":
                current = _set(averageValue=average)
                found[name] = {**_identifier(source, "selector"), "current": current}
            case "external":
                current = _set(value=value, averageValue=average)
                found[name] = {**_identifier(source, "metricSelector"), "current": current}
            case _:
                percent = source.get("currentAverageUtilization")
                found[name] = {
                    "name": source.get("name", ""),
                    **_set(container=source.get("container")),
                    "current": _set(averageUtilization=percent, averageValue=average),
                }
    return found


def _sources(metric: Plain) -> list[tuple[str, Plain]]:
    names = ("object", "pods", "resource", "containerResource", "external")
    return [(name, metric[name]) for name in names if isinstance(metric.get(name), dict)]


def _identifier(source: Plain, selector: str) -> Plain:
    return {"metric": {"name": source.get("metricName", ""), **_set(selector=source.get(selector))}}


def _target(kind: str, **values: Any) -> Plain:
    return {"type": kind, **_set(**values)}


def _amount(source: Plain, name: str) -> Any:
    """Return an amount; zero, which v1 writes for none, is none."""
    value = source.get(name)
    return None if value in ("0", 0) else value


def _set(**values: Any) -> Plain:
    return {name: value for name, value in values.items() if value is not None}


# ---------------------------------------------------------------------- behaviour


def capitalised(behavior: HorizontalPodAutoscalerBehavior) -> Plain:
    return {"ScaleUp": _rules(behavior.scale_up), "ScaleDown": _rules(behavior.scale_down)}


def _rules(rules: HPAScalingRules | None) -> Plain | None:
    if rules is None:
        return None
    return {
        "StabilizationWindowSeconds": rules.stabilization_window_seconds,
        "SelectPolicy": rules.select_policy,
        "Policies": [
            {"Type": each.type, "Value": each.value, "PeriodSeconds": each.period_seconds}
            for each in rules.policies or ()
        ]
        or None,
        "Tolerance": rules.tolerance,
    }


def uncapitalised(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name[:1].lower() + name[1:]: uncapitalised(item)
            for name, item in value.items()
            if item is not None
        }
    return [uncapitalised(item) for item in value] if isinstance(value, list) else value

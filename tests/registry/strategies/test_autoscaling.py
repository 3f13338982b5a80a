"""HorizontalPodAutoscalers: what is refused, and the view that v1 has of those of v2."""

from __future__ import annotations

from typing import Any

import pytest

from podium.api import codec
from podium.api.scheme import HORIZONTALPODAUTOSCALERS, HORIZONTALPODAUTOSCALERS_V1, Resource
from podium.api.views.horizontalpodautoscalers_v1 import from_hub, to_hub
from podium.registry.strategies import strategy_for

TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
SPEC = {"scaleTargetRef": TARGET, "maxReplicas": 3}
METRIC = {"name": "rps"}
CPU = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
}
OTHERS: list[dict[str, Any]] = [
    {
        "type": "Resource",
        "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}},
    },
    {
        "type": "Pods",
        "pods": {"metric": METRIC, "target": {"type": "AverageValue", "averageValue": "10"}},
    },
    {
        "type": "Object",
        "object": {
            "describedObject": TARGET,
            "metric": {**METRIC, "selector": {"matchLabels": {"a": "b"}}},
            "target": {"type": "Value", "value": "10k"},
        },
    },
    {
        "type": "External",
        "external": {"metric": METRIC, "target": {"type": "AverageValue", "averageValue": "5"}},
    },
    {
        "type": "ContainerResource",
        "containerResource": {
            "container": "c",
            "name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": 60},
        },
    },
]
STATUS = {
    "currentReplicas": 2,
    "desiredReplicas": 3,
    "currentMetrics": [
        {"type": "Resource",
         "resource": {"name": "cpu", "current": {"averageUtilization": 7, "averageValue": "70m"}}},
        {"type": "Pods", "pods": {"metric": METRIC, "current": {"averageValue": "3"}}},
    ],
    "conditions": [{"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale",
                    "lastTransitionTime": "2024-01-02T03:04:05Z"}],
}  # fmt: skip
BEHAVIOR = {
    "scaleDown": {
        "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}],
        "stabilizationWindowSeconds": 30,
        "selectPolicy": "Min",
        "tolerance": "100m",
    }
}


def new(resource: Resource, spec: dict[str, Any], **more: Any) -> Any:
    body = {"metadata": {"name": "a", "namespace": "default"}, "spec": spec, **more}
    return codec.from_plain(resource.type, body)


@pytest.mark.parametrize(
    ("metric", "found"),
    [
        pytest.param(CPU, [], id="cpu"),
        *(pytest.param(metric, [], id=metric["type"]) for metric in OTHERS),
        pytest.param(
            {"type": "Pods"},
            ["pods: Required value: must populate information for the given metric source"],
            id="no-source",
        ),
        pytest.param(
            {**CPU, "pods": OTHERS[1]["pods"]},
            ["pods: Forbidden: must populate the given metric source only"],
            id="two-sources",
        ),
        pytest.param(
            {
                "type": "Resource",
                "resource": {"name": "", "target": {"type": "Percent", "averageUtilization": 0}},
            },
            [
                "resource.name: Required value: must specify a resource name",
                'resource.target.type: Invalid value: "Percent": must be either Utilization, '
                "Value, or AverageValue",
                "resource.target.averageUtilization: Invalid value: 0: must be greater than 0",
            ],
            id="resource",
        ),
        pytest.param(
            {
                "type": "External",
                "external": {
                    "metric": {"name": "a/b"},
                    "target": {"type": "Value", "value": "1", "averageValue": "2"},
                },
            },
            [
                "external.metric.name: Invalid value: \"a/b\": may not contain '/'",
                "external.target.value: Forbidden: may not set both a target value for metric "
                "and a per-pod target",
            ],
            id="external",
        ),
        pytest.param(
            {"type": "Pods", "pods": {"metric": METRIC, "target": {"type": "Value"}}},
            ["pods.target.averageValue: Required value: must specify a positive target "
             "averageValue"],
            id="pods-without-average",
        ),
        pytest.param(
            {"type": "Object", "object": {"describedObject": TARGET, "metric": {},
                                          "target": {"type": "Value", "value": "0"}}},
            [
                "object.metric.name: Required value: must specify a metric name",
                "object.target.value: Invalid value: resource.Quantity{i:resource.int64Amount{"
                "value:0, scale:0}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, "
                's:"0", Format:"DecimalSI"}: must be positive',
            ],
            id="object",
        ),
    ],
)  # fmt: skip
def test_metrics(metric: dict[str, Any], found: list[str]) -> None:
    obj = new(HORIZONTALPODAUTOSCALERS, {**SPEC, "metrics": [metric]})
    errors = strategy_for(HORIZONTALPODAUTOSCALERS).validate(obj)
    assert [str(error) for error in errors] == [f"spec.metrics[0].{text}" for text in found]


def test_no_metric_source_at_all() -> None:
    obj = new(HORIZONTALPODAUTOSCALERS, {**SPEC, "metrics": [{"type": "Other"}]})
    errors = strategy_for(HORIZONTALPODAUTOSCALERS).validate(obj)
    assert [str(error) for error in errors] == [
        'spec.metrics[0].type: Unsupported value: "Other": supported values: '
        '"ContainerResource", "External", "Object", "Pods", "Resource"'
    ]


@pytest.mark.parametrize("direction", ["scaleUp", "scaleDown"])
@pytest.mark.parametrize(
    ("policies", "found"),
    [
        ({}, []),
        ({"policies": None}, []),
        ({"policies": []}, ["policies: Required value: must specify at least one Policy"]),
    ],
)
def test_a_list_without_policies_is_not_none(
    direction: str, policies: dict[str, Any], found: list[str]
) -> None:
    """None has its defaults."""
    obj = new(HORIZONTALPODAUTOSCALERS, {**SPEC, "behavior": {direction: policies}})
    strategy = strategy_for(HORIZONTALPODAUTOSCALERS)
    strategy.default(obj)
    errors = [f"spec.behavior.{direction}.{text}" for text in found]
    assert [str(error) for error in strategy.validate(obj)] == errors


def test_counts_of_a_status_are_not_negative() -> None:
    old = new(HORIZONTALPODAUTOSCALERS, SPEC)
    now = new(HORIZONTALPODAUTOSCALERS, SPEC, status={"currentReplicas": -1, "desiredReplicas": 1})
    old.metadata.resource_version = now.metadata.resource_version = "1"
    errors = strategy_for(HORIZONTALPODAUTOSCALERS).validate_status_update(now, old)
    assert [str(error) for error in errors] == [
        "status.currentReplicas: Invalid value: -1: must be greater than or equal to 0"
    ]


# ---------------------------------------------------------------------- v1


def test_what_v1_cannot_say_is_in_annotations_and_comes_back() -> None:
    hub = new(
        HORIZONTALPODAUTOSCALERS,
        {**SPEC, "minReplicas": 2, "metrics": [*OTHERS, CPU], "behavior": BEHAVIOR},
        status=STATUS,
    )
    hub.metadata.annotations = {"mine": "kept"}
    view = from_hub(hub)
    assert view.spec.target_cpu_utilization_percentage == 50
    assert view.status.current_cpu_utilization_percentage == 7
    assert set(view.metadata.annotations) == {"mine"} | {
        f"autoscaling.alpha.kubernetes.io/{name}"
        for name in ("metrics", "current-metrics", "conditions", "behavior")
    }
    again = to_hub(view)
    # The value that v1 writes where there is none is one more thing to be told from nothing.
    assert again == hub
    assert hub.metadata.annotations == {"mine": "kept"}, "the hub's own is left alone"


def test_annotations_are_as_upstream_writes_them() -> None:
    hub = new(HORIZONTALPODAUTOSCALERS, {**SPEC, "metrics": OTHERS[:2], "behavior": BEHAVIOR})
    annotations = from_hub(hub).metadata.annotations
    assert annotations == {
        "autoscaling.alpha.kubernetes.io/metrics": (
            '[{"type":"Resource","resource":{"name":"memory","targetAverageValue":"1Gi"}},'
            '{"type":"Pods","pods":{"metricName":"rps","targetAverageValue":"10"}}]'
        ),
        "autoscaling.alpha.kubernetes.io/behavior": (
            '{"ScaleUp":null,"ScaleDown":{"StabilizationWindowSeconds":30,"SelectPolicy":"Min",'
            '"Policies":[{"Type":"Pods","Value":1,"PeriodSeconds":60}],"Tolerance":"100m"}}'
        ),
    }


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"type":1}]', '{"a":1}', "null"])
def test_annotations_that_cannot_be_read_are_passed_over(text: str) -> None:
    view = new(HORIZONTALPODAUTOSCALERS_V1, {**SPEC, "targetCPUUtilizationPercentage": 10})
    names = ("metrics", "current-metrics", "conditions", "behavior")
    view.metadata.annotations = {f"autoscaling.alpha.kubernetes.io/{name}": text for name in names}
    hub = to_hub(view)
    [metric] = hub.spec.metrics
    assert metric.resource.target.average_utilization == 10
    assert (hub.spec.behavior, hub.status.conditions, hub.metadata.annotations) == (None, [], {})


def test_v1_has_the_defaults_of_v2() -> None:
    view = new(HORIZONTALPODAUTOSCALERS_V1, SPEC)
    strategy_for(HORIZONTALPODAUTOSCALERS_V1).default(view)
    assert (view.spec.min_replicas, view.spec.target_cpu_utilization_percentage) == (1, 80)


def test_offences_of_v1_are_those_of_what_is_stored() -> None:
    view = new(HORIZONTALPODAUTOSCALERS_V1, {**SPEC, "targetCPUUtilizationPercentage": 0})
    errors = strategy_for(HORIZONTALPODAUTOSCALERS_V1).validate(view)
    assert [str(error) for error in errors] == [
        "spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: "
        "must be greater than 0"
    ]

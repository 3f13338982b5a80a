"""Templates of Pods: held to what Pods are held to, at their own paths, in every kind."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from podium.api import codec, scheme
from podium.api.scheme import Resource
from podium.api.types.meta_v1 import LabelSelectorRequirement
from podium.registry.strategies import strategy_for
from support.objects import container

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LABELS = {"a": "b"}
KINDS = [
    pytest.param(scheme.PODTEMPLATES, "template", id="PodTemplate"),
    pytest.param(scheme.REPLICATIONCONTROLLERS, "spec.template", id="ReplicationController"),
    pytest.param(scheme.DEPLOYMENTS, "spec.template", id="Deployment"),
    pytest.param(scheme.REPLICASETS, "spec.template", id="ReplicaSet"),
    pytest.param(scheme.DAEMONSETS, "spec.template", id="DaemonSet"),
    pytest.param(scheme.STATEFULSETS, "spec.template", id="StatefulSet"),
    pytest.param(scheme.JOBS, "spec.template", id="Job"),
    pytest.param(scheme.CRONJOBS, "spec.jobTemplate.spec.template", id="CronJob"),
]


def made(resource: Resource, path: str, pod_spec: dict[str, Any], **metadata: Any) -> Any:
    """An object of the kind with a template of *pod_spec*, as it is before validation."""
    policy = "Never" if resource in (scheme.JOBS, scheme.CRONJOBS) else "Always"
    spec = {"containers": [container()], "restartPolicy": policy, **pod_spec}
    template: dict[str, Any] = {"metadata": {"labels": LABELS, **metadata}, "spec": spec}
    body: dict[str, Any] = {"metadata": {"name": "x", "namespace": "default"}}
    own: dict[str, Any] = {"selector": {"matchLabels": LABELS}}
    if resource is scheme.REPLICATIONCONTROLLERS:
        own = {"selector": LABELS}
    if resource is scheme.JOBS:
        own = {}
    if resource is scheme.CRONJOBS:
        own = {"schedule": "* * * * *"}
    if path != "template":
        body["spec"] = own
    *parents, last = path.split(".")
    place = body
    for name in parents:
        place = place.setdefault(name, {})
    place[last] = template
    obj = codec.from_plain(resource.type, body)
    strategy = strategy_for(resource)
    strategy.default(obj)
    obj.metadata.uid = "8c1f3c70-52d8-4f0a-8a3f-3f4a5d0f8f11"
    strategy.prepare_for_create(obj, NOW)
    return obj


@pytest.mark.parametrize(("resource", "path"), KINDS)
def test_a_template_is_validated_as_a_pod(resource: Resource, path: str) -> None:
    offences = strategy_for(resource).validate(
        made(resource, path, {"containers": [container(env=[{"name": "A=B"}], restartPolicyRules=[
            {"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}}])]})
    )  # fmt: skip
    assert [str(offence) for offence in offences] == [
        f'{path}.spec.containers[0].env[0].name: Invalid value: "A=B": a valid environment '
        "variable name must consist only of printable ASCII characters other than '='",
        f"{path}.spec.containers[0].restartPolicy: Required value: "
        "must specify restartPolicy when restart rules are used",
    ]


@pytest.mark.parametrize(("resource", "path"), KINDS)
def test_an_update_of_a_template_is_validated_too(resource: Resource, path: str) -> None:
    old, new = made(resource, path, {}), made(resource, path, {"hostnameOverride": "A"})
    for obj in (old, new):
        obj.metadata.resource_version = "1"
    strategy = strategy_for(resource)
    strategy.rules().prepare(new, old, NOW)
    found = [str(offence) for offence in strategy.rules().validate(new, old)]
    wanted = f'{path}.spec.hostnameOverride: Invalid value: "A": a lowercase RFC 1123 subdomain'
    assert any(text.startswith(wanted) for text in found), found


@pytest.mark.parametrize(("resource", "path"), KINDS)
def test_what_stands_behind_closed_gates_is_dropped(resource: Resource, path: str) -> None:
    obj = made(resource, path, {"schedulingGroup": {"podGroupName": "g"}})
    found: Any = codec.to_plain(obj)
    for name in path.split("."):
        found = found[name]
    assert "schedulingGroup" not in found["spec"]


@pytest.mark.parametrize(("resource", "path"), KINDS)
def test_warnings_name_the_place_in_the_template(resource: Resource, path: str) -> None:
    key = "container.apparmor.security.beta.kubernetes.io/c"
    obj = made(
        resource, path, {"terminationGracePeriodSeconds": -1}, annotations={key: "unconfined"}
    )
    assert strategy_for(resource).warnings_on_create(obj) == [
        f"{path}.metadata.annotations[{key}]: deprecated since v1.30; "
        'use the "appArmorProfile" field instead',
        f"{path}.spec.terminationGracePeriodSeconds: must be >= 0; "
        "negative values are invalid and will be treated as 1",
    ]


def test_a_selector_that_changes_is_shown() -> None:
    old, new = (made(scheme.DEPLOYMENTS, "spec.template", {}) for _ in range(2))
    new.spec.selector.match_labels = {}
    new.spec.selector.match_expressions = [
        codec.from_plain(LabelSelectorRequirement, {"key": "a", "operator": "Exists"})
    ]
    for obj in (old, new):
        obj.metadata.resource_version = "1"
    assert [
        str(offence) for offence in strategy_for(scheme.DEPLOYMENTS).rules().validate(new, old)
    ] == [
        "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), "
        'MatchExpressions:[]v1.LabelSelectorRequirement{v1.LabelSelectorRequirement{Key:"a", '
        'Operator:"Exists", Values:[]string(nil)}}}: field is immutable'
    ]


def test_a_template_need_not_say_which_host_ports_it_takes() -> None:
    ports = [{"containerPort": 80}, {"containerPort": 81, "hostPort": 82}]
    obj = made(scheme.DEPLOYMENTS, "spec.template",
               {"hostNetwork": True, "containers": [container(ports=ports)]})  # fmt: skip
    obj.spec.template.spec.containers[0].ports[0].host_port = 0
    assert [str(offence) for offence in strategy_for(scheme.DEPLOYMENTS).validate(obj)] == [
        "spec.template.spec.containers[0].ports[1].containerPort: Invalid value: 81: "
        "must match `hostPort` when `hostNetwork` is true"
    ]


def test_a_name_with_dots_makes_odd_host_names() -> None:
    obj = made(scheme.DEPLOYMENTS, "spec.template", {})
    obj.metadata.name = "a.b"
    assert strategy_for(scheme.DEPLOYMENTS).warnings_on_create(obj) == [
        "metadata.name: this is used in Pod names and hostnames, which can result in surprising "
        "behavior; a DNS label is recommended: [must not contain dots]"
    ]

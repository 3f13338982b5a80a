"""Validation of Pods where Kubernetes changed since the recorded answers, and odd corners."""

from __future__ import annotations

from typing import Any

import pytest

from podium.api.validation.pods import validate_pod
from support.objects import container, pod


def offences(spec: dict[str, Any], **metadata: Any) -> list[str]:
    return [str(error) for error in validate_pod(pod(spec, **metadata))]


def in_container(**fields: Any) -> dict[str, Any]:
    return {"containers": [container(**fields)]}


ENV = "spec.containers[0].env[0]"
VOLUME = "spec.volumes[0]"


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(in_container(env=[{"name": "1a b", "value": "x"}]), id="printable-env-name"),
        pytest.param(in_container(env=[{"name": "A", "valueFrom": {
            "fieldRef": {"fieldPath": "status.hostIPs"}}}]), id="host-ips"),
        pytest.param(in_container(env=[{"name": "A", "valueFrom": {
            "fieldRef": {"fieldPath": "metadata.labels['a/b']"}}}]), id="one-label"),
        pytest.param({"dnsConfig": {"searches": ["_tcp.example", ".", "a.example."]}},
                     id="underscores-and-the-root-in-searches"),
        pytest.param({"initContainers": [container(
            name="i", restartPolicy="Always", livenessProbe={"exec": {"command": ["a"]}})]},
            id="a-sidecar-may-be-probed"),
        pytest.param(in_container(lifecycle={"preStop": {"sleep": {"seconds": 0}}}), id="no-sleep"),
        pytest.param(in_container(resources={"limits": {"example.com/gpu": "2"}}), id="extended"),
        pytest.param({"volumes": [{"name": "v", "image": {"reference": "app:1"}}]}, id="image"),
        pytest.param({"tolerations": [{"operator": "Exists"}]}, id="tolerate-everything"),
        pytest.param({"hostUsers": False}, id="user-namespace"),
    ],
)  # fmt: skip
def test_accepted(spec: dict[str, Any]) -> None:
    assert offences(spec) == []


@pytest.mark.parametrize(
    ("spec", "texts"),
    [
        pytest.param(
            in_container(env=[{"name": "A=B"}]),
            [f'{ENV}.name: Invalid value: "A=B": a valid environment variable name must consist '
             "only of printable ASCII characters other than '='"],
            id="equals-sign-in-env-name"),
        pytest.param(
            in_container(resources={"limits": {"memory": "-1"}}),
            ['spec.containers[0].resources.limits[memory]: Invalid value: "-1": '
             "must be greater than or equal to 0",
             'spec.containers[0].resources.requests[memory]: Invalid value: "-1": '
             "must be greater than or equal to 0"],
            id="negative-limit"),
        pytest.param(
            in_container(resources={"limits": {"gpu": "1"}}),
            [f'spec.containers[0].resources.{part}[gpu]: Invalid value: "gpu": {text}'
             for part in ("limits", "requests")
             for text in ("must be a standard resource type or fully qualified",
                          "must be a standard resource for containers")],
            id="unknown-resource"),
        pytest.param(
            in_container(image=" app"),
            ['spec.containers[0].image: Invalid value: " app": '
             "must not have leading or trailing whitespace"],
            id="padded-image"),
        pytest.param(
            {"nodeName": "n", "schedulingGates": [{"name": "a"}]},
            ["spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"],
            id="gated-and-bound"),
        pytest.param(
            {"ephemeralContainers": [container(name="e")]},
            ["spec.ephemeralContainers: Forbidden: cannot be set on create"],
            id="ephemeral-container"),
        pytest.param(
            {"initContainers": [container(name="i", livenessProbe={"exec": {"command": ["a"]}})]},
            ["spec.initContainers[0].livenessProbe: Forbidden: "
             "may not be set for init containers without restartPolicy=Always"],
            id="probe-of-an-init-container"),
        pytest.param(
            {"volumes": [{"name": "v", "emptyDir": {}}, {"name": "v", "emptyDir": {}}]},
            ['spec.volumes[1].name: Duplicate value: "v"'],
            id="two-volumes-of-one-name"),
        pytest.param(
            {"volumes": [{"name": "v", "configMap": {
                "name": "m", "defaultMode": 512, "items": [{"key": "", "path": "/a"}]}}]},
            [f"{VOLUME}.configMap.defaultMode: Invalid value: 512: "
             "must be a number between 0 and 0777 (octal), both inclusive",
             f"{VOLUME}.configMap.items[0].key: Required value",
             f'{VOLUME}.configMap.items[0].path: Invalid value: "/a": must be a relative path'],
            id="configmap-mode-and-items"),
        pytest.param(
            {"volumes": [{"name": "v", "projected": {"sources": [
                {"serviceAccountToken": {"path": "t"}}]}}]},
            [f"{VOLUME}.projected.sources[0].serviceAccountToken: Forbidden: "
             "must not be specified when serviceAccountName is not set"],
            id="token-without-account"),
        pytest.param(
            {"hostUsers": False, "hostNetwork": True},
            ["spec.hostNetwork: Forbidden: when `hostUsers` is false"],
            id="user-namespace-on-the-hosts-network"),
        pytest.param(
            in_container(lifecycle={"preStop": {"sleep": {"seconds": 31}}}),
            ["spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: "
             "must be non-negative and less than terminationGracePeriodSeconds (30)"],
            id="sleep-beyond-the-grace-period"),
        pytest.param(
            {"dnsPolicy": "None"},
            ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"],
            id="dns-none-without-config"),
        pytest.param(
            {"tolerations": [{"key": "a", "effect": "NoSchedule", "tolerationSeconds": 1}]},
            ['spec.tolerations[0].effect: Invalid value: "NoSchedule": '
             "effect must be 'NoExecute' when `tolerationSeconds` is set"],
            id="seconds-without-noexecute"),
    ],
)  # fmt: skip
def test_refused(spec: dict[str, Any], texts: list[str]) -> None:
    assert offences(spec) == texts


def test_a_mount_of_an_invalid_volume_counts_as_one_of_none() -> None:
    spec = in_container(volumeMounts=[{"name": "v", "mountPath": "/v"}])
    spec["volumes"] = [{"name": "v", "hostPath": {"path": ""}}]
    assert offences(spec) == [
        "spec.volumes[0].hostPath.path: Required value",
        'spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ]

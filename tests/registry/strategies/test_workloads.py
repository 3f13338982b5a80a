"""What upstream says of the kinds that make Pods, where their own fields are wrong."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from podium.api import codec, scheme
from podium.api.scheme import Resource
from podium.registry.strategies import strategy_for
from support.objects import container

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LABELS = {"a": "b"}
MISMATCH = (
    'spec.template.metadata.labels: Invalid value: map[string]string{"a":"b"}: '
    "`selector` does not match template `labels`"
)
NO_SELECTOR = (
    "v1.LabelSelector{MatchLabels:map[string]string(nil), "
    "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}"
)
BAD_OPERATOR = {"matchExpressions": [{"key": "a", "operator": "X"}]}
BAD_SELECTOR = (
    "v1.LabelSelector{MatchLabels:map[string]string(nil), MatchExpressions:"
    '[]v1.LabelSelectorRequirement{v1.LabelSelectorRequirement{Key:"a", Operator:"X", '
    "Values:[]string(nil)}}}"
)
NO_OPERATOR = (
    'spec.selector.matchExpressions[0].operator: Invalid value: "X": not a valid selector operator'
)
PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or "
    "'93%', regex used for validation is '[0-9]+%')"
)


def made(resource: Resource, spec: dict[str, Any] | None = None, **template: Any) -> Any:
    """A workload as it comes to validation; None for what is to be left out of its *spec*."""
    pod_spec = {"containers": [container()], **template}
    whole: dict[str, Any] = {
        "selector": LABELS
        if resource is scheme.REPLICATIONCONTROLLERS
        else {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": pod_spec},
        **(spec or {}),
    }
    whole = {name: value for name, value in whole.items() if value is not None}
    body = {"metadata": {"name": "x", "namespace": "default"}, "spec": whole}
    obj = codec.from_plain(resource.type, body)
    strategy = strategy_for(resource)
    strategy.default(obj)
    obj.metadata.resource_version = "1"
    obj.metadata.uid = "8c1f3c70-52d8-4f0a-8a3f-3f4a5d0f8f11"
    strategy.prepare_for_create(obj, NOW)
    return obj


def offences(resource: Resource, spec: dict[str, Any] | None = None, **template: Any) -> list[str]:
    obj = made(resource, spec, **template)
    return [str(offence) for offence in strategy_for(resource).validate(obj)]


def rolling(**values: Any) -> dict[str, Any]:
    return {"type": "RollingUpdate", "rollingUpdate": values}


SELECTED = [
    pytest.param(scheme.DEPLOYMENTS, "deployment", "invalid label selector", id="Deployment"),
    pytest.param(scheme.REPLICASETS, "deployment", "invalid label selector", id="ReplicaSet"),
    pytest.param(scheme.STATEFULSETS, "statefulset", "", id="StatefulSet"),
]


@pytest.mark.parametrize(("resource", "word", "text"), SELECTED)
def test_a_selector_that_is_not_there_is_told_from_an_empty_one(
    resource: Resource, word: str, text: str
) -> None:
    assert offences(resource, {"selector": None}) == ["spec.selector: Required value", MISMATCH]
    assert offences(resource, {"selector": {}}) == [
        f"spec.selector: Invalid value: {NO_SELECTOR}: empty selector is invalid for {word}"
    ]


@pytest.mark.parametrize(("resource", "word", "text"), SELECTED)
def test_what_no_selector_can_be_made_of_is_said_twice_and_hides_the_template(
    resource: Resource, word: str, text: str
) -> None:
    found = offences(resource, {"selector": BAD_OPERATOR}, containers=[])
    tail = f": {text}" if text else ""
    assert found == [NO_OPERATOR, f"spec.selector: Invalid value: {BAD_SELECTOR}{tail}"]


def test_a_daemon_set_does_not_require_a_selector_but_needs_one_that_matches() -> None:
    assert offences(scheme.DAEMONSETS, {"selector": None}) == [MISMATCH]
    assert offences(scheme.DAEMONSETS, {"selector": {}}) == [
        f"spec.selector: Invalid value: {NO_SELECTOR}: empty selector is invalid for daemonset"
    ]
    assert offences(scheme.DAEMONSETS, {"selector": BAD_OPERATOR}) == [NO_OPERATOR]


@pytest.mark.parametrize(
    ("resource", "word"),
    [
        (scheme.DEPLOYMENTS, "ReplicaSet"),
        (scheme.REPLICASETS, "ReplicaSet"),
        (scheme.DAEMONSETS, "DaemonSet"),
        (scheme.STATEFULSETS, "StatefulSet"),
        (scheme.REPLICATIONCONTROLLERS, "ReplicationController"),
    ],
)
def test_pods_that_are_to_be_replaced_run_for_ever(resource: Resource, word: str) -> None:
    found = offences(resource, None, restartPolicy="Never", activeDeadlineSeconds=5)
    assert found == [
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
        "spec.template.spec.activeDeadlineSeconds: Forbidden: "
        f"activeDeadlineSeconds in {word} is not Supported",
    ]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param(
            {"strategy": {"type": "X"}},
            [
                'spec.strategy: Unsupported value: apps.DeploymentStrategy{Type:"X", RollingUpdate:'
                "(*apps.RollingUpdateDeployment)(nil)}: "
                'supported values: "Recreate", "RollingUpdate"'
            ],
            id="unknown strategy",
        ),
        pytest.param(
            {"strategy": {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}},
            [
                "spec.strategy.rollingUpdate: Forbidden: "
                "may not be specified when strategy `type` is 'Recreate'"
            ],
            id="Recreate",
        ),
        pytest.param(
            {"strategy": rolling(maxSurge=0, maxUnavailable="0%")},
            [
                "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "
                'intstr.IntOrString{Type:1, IntVal:0, StrVal:"0%"}: '
                "may not be 0 when `maxSurge` is 0"
            ],
            id="no room",
        ),
        pytest.param(
            {"strategy": rolling(maxSurge="x", maxUnavailable="110%")},
            [
                "spec.strategy.rollingUpdate.maxSurge: Invalid value: "
                f'intstr.IntOrString{{Type:1, IntVal:0, StrVal:"x"}}: {PERCENT}',
                "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "
                'intstr.IntOrString{Type:1, IntVal:0, StrVal:"110%"}: '
                "must not be greater than 100%",
            ],
            id="shares",
        ),
        pytest.param({"strategy": rolling(maxSurge="200%")}, [], id="more than double"),
        pytest.param(
            {"strategy": rolling(maxSurge=-1, maxUnavailable=1)},
            [
                "spec.strategy.rollingUpdate.maxSurge: Invalid value: -1: "
                "must be greater than or equal to 0"
            ],
            id="negative surge",
        ),
        pytest.param(
            {"progressDeadlineSeconds": -1, "minReadySeconds": 3, "revisionHistoryLimit": -2},
            [
                "spec.revisionHistoryLimit: Invalid value: -2: must be greater than or equal to 0",
                "spec.progressDeadlineSeconds: Invalid value: -1: "
                "must be greater than or equal to 0",
                "spec.progressDeadlineSeconds: Invalid value: -1: "
                "must be greater than minReadySeconds",
            ],
            id="numbers",
        ),
    ],
)
def test_deployments(spec: dict[str, Any], expected: list[str]) -> None:
    assert offences(scheme.DEPLOYMENTS, spec) == expected


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        pytest.param(
            {"type": "X"},
            [
                'spec.updateStrategy: Unsupported value: apps.DaemonSetUpdateStrategy{Type:"X", '
                "RollingUpdate:(*apps.RollingUpdateDaemonSet)(nil)}: "
                'supported values: "RollingUpdate", "OnDelete"'
            ],
            id="unknown",
        ),
        pytest.param(
            rolling(maxUnavailable=0, maxSurge=0),
            [
                "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: "
                "cannot be 0 when maxSurge is 0"
            ],
            id="no room",
        ),
        pytest.param(
            rolling(maxUnavailable=1, maxSurge="10%"),
            [
                "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: "
                'intstr.IntOrString{Type:1, IntVal:0, StrVal:"10%"}: '
                "may not be set when maxUnavailable is non-zero"
            ],
            id="both",
        ),
        pytest.param(
            rolling(maxUnavailable="101%"),
            [
                "spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "
                'intstr.IntOrString{Type:1, IntVal:0, StrVal:"101%"}: '
                "must not be greater than 100%"
            ],
            id="more than all",
        ),
        pytest.param({"type": "OnDelete"}, [], id="OnDelete"),
    ],
)
def test_daemon_sets(strategy: dict[str, Any], expected: list[str]) -> None:
    assert offences(scheme.DAEMONSETS, {"updateStrategy": strategy}) == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param(
            {"podManagementPolicy": "X", "updateStrategy": {"type": "Y"}},
            [
                'spec.podManagementPolicy: Invalid value: "X": '
                "must be 'OrderedReady' or 'Parallel'",
                'spec.updateStrategy: Invalid value: apps.StatefulSetUpdateStrategy{Type:"Y", '
                "RollingUpdate:(*apps.RollingUpdateStatefulSetStrategy)(nil)}: "
                "must be 'RollingUpdate' or 'OnDelete'",
            ],
            id="policies",
        ),
        pytest.param(
            {"updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1}}},
            [
                "spec.updateStrategy.rollingUpdate: Invalid value: "
                "apps.RollingUpdateStatefulSetStrategy{Partition:1, "
                "MaxUnavailable:(*intstr.IntOrString)(nil)}: "
                "only allowed for updateStrategy 'RollingUpdate'"
            ],
            id="OnDelete",
        ),
        pytest.param(
            {"updateStrategy": rolling(partition=-1, maxUnavailable=0)},
            [
                "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: "
                "must be greater than or equal to 0",
                "spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "
                'intstr.IntOrString{Type:0, IntVal:0, StrVal:""}: cannot be 0',
            ],
            id="RollingUpdate",
        ),
        pytest.param(
            {
                "persistentVolumeClaimRetentionPolicy": {
                    "whenDeleted": "X",
                    "whenScaled": "Delete",
                },
                "minReadySeconds": -1,
                "ordinals": {"start": -1},
                "serviceName": "A_",
            },
            [
                'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "X": '
                'supported values: "Retain", "Delete"',
                "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0",
                "spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0",
                'spec.serviceName: Invalid value: "A_": a lowercase RFC 1123 label must consist '
                "of lower case alphanumeric characters or '-', and must start and end with an "
                "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for "
                "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
            ],
            id="others",
        ),
    ],
)
def test_stateful_sets(spec: dict[str, Any], expected: list[str]) -> None:
    assert offences(scheme.STATEFULSETS, spec) == expected


CLAIM: dict[str, Any] = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
MOUNTING = [{**container(), "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]


def test_pods_of_a_stateful_set_mount_what_is_claimed_for_them() -> None:
    claims = {"volumeClaimTemplates": [CLAIM]}
    assert offences(scheme.STATEFULSETS, claims, containers=MOUNTING) == []
    assert offences(scheme.STATEFULSETS, None, containers=MOUNTING) == [
        'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data"'
    ]


def test_claims_of_a_stateful_set_are_such_as_could_be_made() -> None:
    claims = {"volumeClaimTemplates": [{**CLAIM, "spec": {"accessModes": ["X"]}}]}
    at = "spec.volumeClaimTemplates[0].spec"
    assert offences(scheme.STATEFULSETS, claims, containers=MOUNTING) == [
        f'{at}.accessModes: Unsupported value: "X": supported values: "ReadOnlyMany", '
        '"ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
        f"{at}.resources[storage]: Required value",
    ]


def test_the_name_of_a_stateful_set_is_one_that_its_pods_can_have_as_hosts() -> None:
    obj = made(scheme.STATEFULSETS)
    obj.metadata.name = "a.b"
    found = strategy_for(scheme.STATEFULSETS).validate(obj)
    assert [offence.field for offence in found] == ["metadata.name"]


def test_a_stateful_set_stored_with_what_would_not_be_taken_now_can_still_be_scaled() -> None:
    old = made(scheme.STATEFULSETS, {"serviceName": "A_"}, containers=[])
    new = deepcopy(old)
    new.spec.replicas = 5
    assert strategy_for(scheme.STATEFULSETS).validate_update(new, old) == []


def test_a_good_template_of_a_stateful_set_stays_good() -> None:
    old = made(scheme.STATEFULSETS)
    new = deepcopy(old)
    new.spec.template.spec.containers = []
    found = strategy_for(scheme.STATEFULSETS).validate_update(new, old)
    assert [str(offence) for offence in found] == ["spec.template.spec.containers: Required value"]


@pytest.mark.parametrize(
    ("resource", "status", "expected"),
    [
        (
            scheme.DEPLOYMENTS,
            {"replicas": 1, "updatedReplicas": 2, "availableReplicas": 1, "collisionCount": 1},
            [
                "updatedReplicas: Invalid value: 2: cannot be greater than status.replicas",
                "availableReplicas: Invalid value: 1: cannot be greater than readyReplicas",
                "collisionCount: Invalid value: 1: cannot be decremented",
            ],
        ),
        (
            scheme.REPLICASETS,
            {"replicas": -1},
            [
                "replicas: Invalid value: -1: must be greater than or equal to 0",
                "fullyLabeledReplicas: Invalid value: 0: cannot be greater than status.replicas",
                "readyReplicas: Invalid value: 0: cannot be greater than status.replicas",
                "availableReplicas: Invalid value: 0: cannot be greater than status.replicas",
            ],
        ),
        (
            scheme.REPLICATIONCONTROLLERS,
            {"replicas": 1, "readyReplicas": 1, "availableReplicas": 2},
            [
                "availableReplicas: Invalid value: 2: cannot be greater than status.replicas",
                "availableReplicas: Invalid value: 2: cannot be greater than readyReplicas",
            ],
        ),
        (
            scheme.STATEFULSETS,
            {"replicas": 2, "currentReplicas": 3, "availableReplicas": 1},
            [
                "currentReplicas: Invalid value: 3: cannot be greater than status.replicas",
                "availableReplicas: Invalid value: 1: cannot be greater than status.readyReplicas",
                "collisionCount: Invalid value: 0: cannot be decremented",
            ],
        ),
        (
            scheme.DAEMONSETS,
            {"numberReady": -1, "collisionCount": 2},
            ["numberReady: Invalid value: -1: must be greater than or equal to 0"],
        ),
    ],
)
def test_statuses(resource: Resource, status: dict[str, Any], expected: list[str]) -> None:
    old = made(resource)
    if hasattr(old.status, "collision_count"):
        old.status.collision_count = 2
    new = deepcopy(old)
    new.status = codec.from_plain(type(old.status), status)
    found = strategy_for(resource).validate_status_update(new, old)
    assert [str(offence) for offence in found] == [f"status.{text}" for text in expected]


def test_a_controller_revision_has_data() -> None:
    obj = codec.from_plain(
        scheme.CONTROLLERREVISIONS.type,
        {"metadata": {"name": "x", "namespace": "default"}, "revision": -1},
    )
    found = strategy_for(scheme.CONTROLLERREVISIONS).validate(obj)
    assert [str(offence) for offence in found] == [
        "data: Required value: data is mandatory",
        "revision: Invalid value: -1: must be greater than or equal to 0",
    ]


def test_annotations_of_a_deployment_count_as_a_generation() -> None:
    """They are copied to ReplicaSets, so that the controller has something to do."""
    old = made(scheme.DEPLOYMENTS)
    new = deepcopy(old)
    new.metadata.annotations = {"a": "b"}
    strategy_for(scheme.DEPLOYMENTS).prepare_for_update(new, old, NOW)
    assert (old.metadata.generation, new.metadata.generation) == (1, 2)


def test_labels_of_a_deployment_are_not_for_its_status_to_change() -> None:
    strategy = strategy_for(scheme.DEPLOYMENTS)
    old = made(scheme.DEPLOYMENTS)
    new = deepcopy(old)
    new.metadata.labels = {"new": ""}
    new.metadata.annotations = {"new": ""}
    new.status.replicas = 3
    strategy.prepare_for_status_update(new, old, NOW)
    assert new.metadata.labels == old.metadata.labels
    assert (new.metadata.annotations, new.metadata.generation) == ({"new": ""}, 1)
    assert new.status.replicas == 3
    assert ("metadata", "labels") in strategy.reset_fields("status")

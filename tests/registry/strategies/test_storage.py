"""The kinds of ``storage.k8s.io``: what is refused, in which words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from podium.api import codec
from podium.api.scheme import (
    CSIDRIVERS,
    CSINODES,
    CSISTORAGECAPACITIES,
    STORAGECLASSES,
    VOLUMEATTACHMENTS,
    VOLUMEATTRIBUTESCLASSES,
    Resource,
)
from podium.registry.strategies import strategy_for

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PV = {"persistentVolumeName": "pv"}


def new(resource: Resource, body: dict[str, Any]) -> Any:
    metadata = {"name": "a", "resourceVersion": "1"}
    if resource.namespaced:
        metadata["namespace"] = "default"
    made = codec.from_plain(resource.type, {"metadata": metadata, **body})
    strategy_for(resource).default(made)
    return made


@pytest.mark.parametrize(
    ("resource", "body", "found"),
    [
        pytest.param(
            VOLUMEATTRIBUTESCLASSES,
            {},
            [
                "driverName: Required value",
                "parameters: Required value: must contain at least one key/value pair",
            ],
            id="class-of-attributes-without-any",
        ),
        pytest.param(
            VOLUMEATTRIBUTESCLASSES,
            {"driverName": "csi.example.com", "parameters": {"": "x"}},
            ['parameters: Invalid value: "": field can not be empty.'],
            id="nameless-parameter",
        ),
        pytest.param(
            STORAGECLASSES,
            {"provisioner": "p", "parameters": {"a": "x" * 300_000}, "reclaimPolicy": "Keep"},
            [
                "parameters: Too long: must have at most 262144 bytes",
                'reclaimPolicy: Unsupported value: "Keep": supported values: "Delete", "Retain"',
            ],
            id="parameters-without-end",
        ),
        pytest.param(
            STORAGECLASSES,
            {
                "provisioner": "p",
                "allowedTopologies": [
                    {
                        "matchLabelExpressions": [
                            {"key": "zone", "values": ["a", "a"]},
                            {"key": "zone", "values": []},
                        ]
                    }
                ],
            },
            [
                'allowedTopologies[0].matchLabelExpressions[0].values[1]: Duplicate value: "a"',
                "allowedTopologies[0].matchLabelExpressions[1].values: Required value",
                'allowedTopologies[0].matchLabelExpressions[1].key: Duplicate value: "zone"',
            ],
            id="topologies",
        ),
        pytest.param(
            CSIDRIVERS,
            {
                "spec": {
                    "fsGroupPolicy": "Never",
                    "tokenRequests": [
                        {"audience": "a", "expirationSeconds": 1},
                        {"audience": "a"},
                    ],
                    "volumeLifecycleModes": ["Once"],
                    "nodeAllocatableUpdatePeriodSeconds": 9,
                }
            },
            [
                'spec.fsGroupPolicy: Unsupported value: "Never": supported values: "File", '
                '"None", "ReadWriteOnceWithFSType"',
                "spec.tokenRequests[0].expirationSeconds: Invalid value: 1: may not specify a "
                "duration less than 10 minutes",
                'spec.tokenRequests[1].audience: Duplicate value: "a"',
                'spec.volumeLifecycleModes: Unsupported value: "Once": supported values: '
                '"Persistent", "Ephemeral"',
                "spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: must be greater than "
                "or equal to 10 seconds",
            ],
            id="driver",
        ),
        pytest.param(
            CSINODES,
            {
                "spec": {
                    "drivers": [
                        {"name": "a", "nodeID": "1", "topologyKeys": ["k", "k"]},
                        {"name": "a", "nodeID": "", "allocatable": {"count": -1}},
                    ]
                }
            },
            [
                'spec.drivers[0]: Duplicate value: "k"',
                "spec.drivers[1].nodeID: Required value",
                "spec.drivers[1].allocatable.count: Invalid value: -1: must be greater than or "
                "equal to 0",
                'spec.drivers[1].name: Duplicate value: "a"',
            ],
            id="node",
        ),
        pytest.param(
            CSISTORAGECAPACITIES,
            {"storageClassName": "fast", "capacity": "-1"},
            ['capacity: Invalid value: "-1": must be greater than or equal to 0'],
            id="capacity",
        ),
        pytest.param(
            VOLUMEATTACHMENTS,
            {"spec": {"attacher": "a", "nodeName": "n", "source": {}}},
            [
                "spec.source: Required value: must specify exactly one of inlineVolumeSpec and "
                "persistentVolumeName"
            ],
            id="attachment-of-nothing",
        ),
        pytest.param(
            VOLUMEATTACHMENTS,
            {
                "spec": {"attacher": "a", "nodeName": "n", "source": PV},
                "status": {"attached": False, "attachError": {"errorCode": -1}},
            },
            [
                "status.attachError.errorCode: Invalid value: -1: must be between 0 and "
                "2147483647, inclusive"
            ],
            id="error-code",
        ),
    ],
)
def test_offences(resource: Resource, body: dict[str, Any], found: list[str]) -> None:
    strategy = strategy_for(resource)
    assert [str(error) for error in strategy.validate(new(resource, body))] == found


@pytest.mark.parametrize(
    ("resource", "old", "now", "found"),
    [
        pytest.param(
            VOLUMEATTRIBUTESCLASSES,
            {"driverName": "a", "parameters": {"a": "1"}},
            {"driverName": "b", "parameters": {"a": "2"}},
            [
                "driverName: Forbidden: updates to driverName are forbidden.",
                "parameters: Forbidden: updates to parameters are forbidden.",
            ],
            id="class-of-attributes",
        ),
        pytest.param(
            CSISTORAGECAPACITIES,
            {"storageClassName": "fast"},
            {"storageClassName": "slow", "capacity": "1Gi"},
            ['storageClassName: Invalid value: "slow": field is immutable'],
            id="capacity",
        ),
        pytest.param(
            CSINODES,
            {"spec": {"drivers": [{"name": "a", "nodeID": "1"}]}},
            {"spec": {"drivers": [{"name": "a", "nodeID": "1", "allocatable": {"count": 3}}]}},
            [],
            id="counted-anew",
        ),
        pytest.param(
            CSINODES,
            {"spec": {"drivers": [{"name": "a", "nodeID": "1"}]}},
            {"spec": {"drivers": [{"name": "a", "nodeID": "2"}]}},
            [
                'spec.drivers: Invalid value: storage.CSINodeDriver{Name:"a", NodeID:"2", '
                "TopologyKeys:[]string(nil), Allocatable:(*storage.VolumeNodeResources)(nil)}: "
                "field is immutable"
            ],
            id="another-id",
        ),
    ],
)
def test_updates(
    resource: Resource, old: dict[str, Any], now: dict[str, Any], found: list[str]
) -> None:
    strategy = strategy_for(resource)
    errors = strategy.validate_update(new(resource, now), new(resource, old))
    assert [str(error) for error in errors] == found


def test_a_driver_counts_generations_from_its_first_change_on() -> None:
    strategy = strategy_for(CSIDRIVERS)
    made, changed = new(CSIDRIVERS, {}), new(CSIDRIVERS, {"spec": {"requiresRepublish": True}})
    strategy.prepare_for_create(made, NOW)
    assert made.metadata.generation == 0
    strategy.prepare_for_update(changed, made, NOW)
    assert changed.metadata.generation == 1


def test_the_status_of_an_attachment_changes_nothing_else() -> None:
    strategy = strategy_for(VOLUMEATTACHMENTS)
    source = {"attacher": "a", "nodeName": "n", "source": PV}
    old = new(VOLUMEATTACHMENTS, {"spec": source})
    changed = new(
        VOLUMEATTACHMENTS, {"spec": {**source, "nodeName": "other"}, "status": {"attached": True}}
    )
    changed.metadata.labels = changed.metadata.annotations = {"new": ""}
    changed.metadata.finalizers = ["example.com/new"]
    strategy.prepare_for_status_update(changed, old, NOW)
    assert changed.status.attached
    assert (changed.spec, changed.metadata) == (old.spec, old.metadata)
    assert strategy.reset_fields("status") == (("metadata",), ("spec",))

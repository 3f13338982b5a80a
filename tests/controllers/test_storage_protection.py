from __future__ import annotations

from typing import Any

import msgspec
import pytest

from podium.api.types.core_v1 import PersistentVolumeClaim, Pod
from podium.controllers.storage_protection import uses

OWNED = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u", "controller": True}
NAMED = {"persistentVolumeClaim": {"claimName": "p-v"}}
GOING = {"deletionTimestamp": "2025-01-01T00:00:00Z", "deletionGracePeriodSeconds": 0}


def pod(source: Any, node: str = "n", phase: str = "Running", **metadata: Any) -> Pod:
    return msgspec.convert(
        {
            "metadata": {"name": "p", "uid": "u", **metadata},
            "spec": {"nodeName": node, "containers": [], "volumes": [{"name": "v", **source}]},
            "status": {"phase": phase},
        },
        Pod,
    )


def claim(*owners: Any) -> PersistentVolumeClaim:
    return msgspec.convert(
        {"metadata": {"name": "p-v", "ownerReferences": list(owners)}}, PersistentVolumeClaim
    )


@pytest.mark.parametrize(
    ("pod", "claim", "expected"),
    [
        pytest.param(pod(NAMED), claim(), True, id="named"),
        pytest.param(pod(NAMED, phase="Succeeded"), claim(), True, id="finished-but-there"),
        pytest.param(pod(NAMED, node=""), claim(), False, id="on-no-node"),
        pytest.param(pod(NAMED, **GOING), claim(), True, id="named-until-the-pod-is-gone"),
        pytest.param(pod({"emptyDir": {}}), claim(), False, id="another-volume"),
        pytest.param(pod({"ephemeral": {}}), claim(OWNED), True, id="ephemeral"),
        pytest.param(pod({"ephemeral": {}}), claim(), False, id="of-the-name-but-not-its-own"),
        pytest.param(
            pod({"ephemeral": {}}), claim({**OWNED, "uid": "x"}), False, id="of-an-earlier-pod"
        ),
        pytest.param(pod({"ephemeral": {}}, **GOING), claim(OWNED), False, id="shut-down"),
    ],
)
def test_what_keeps_a_claim(pod: Pod, claim: PersistentVolumeClaim, expected: bool) -> None:
    assert uses(pod, claim) is expected

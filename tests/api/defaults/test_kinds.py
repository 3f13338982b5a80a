"""Defaults of other kinds than Pods, beyond the recorded ones."""

from __future__ import annotations

from typing import Any

import pytest

from podium.api import codec, scheme
from podium.registry.strategies import strategy_for

CONDITION = {"type": "DisruptionTarget"}
POLICY = {"podFailurePolicy": {"rules": [{"action": "Ignore", "onPodConditions": [CONDITION]}]}}
STATUS = "podFailurePolicy.rules.0.onPodConditions.0.status"


@pytest.mark.parametrize(
    ("resource", "body", "path", "expected"),
    [
        pytest.param(
            scheme.PERSISTENTVOLUMES,
            {"spec": {"azureDisk": {"diskName": "d", "diskURI": "u"}}},
            "spec.azureDisk",
            {"diskName": "d", "diskURI": "u", "cachingMode": "ReadWrite", "kind": "Shared",
             "fsType": "ext4", "readOnly": False},
            id="azure-disk-of-a-volume",
        ),
        pytest.param(scheme.JOBS, {"spec": POLICY}, f"spec.{STATUS}", "True", id="job"),
        pytest.param(
            scheme.CRONJOBS, {"spec": {"jobTemplate": {"spec": POLICY}}},
            f"spec.jobTemplate.spec.{STATUS}", "True", id="job-of-a-cron-job",
        ),
    ],
)  # fmt: skip
def test_defaults(
    resource: scheme.Resource, body: dict[str, Any], path: str, expected: object
) -> None:
    obj = codec.from_plain(resource.type, body)
    strategy_for(resource).default(obj)
    found = codec.to_plain(obj)
    for name in path.split("."):
        found = found[int(name) if name.isdigit() else name]
    assert found == expected

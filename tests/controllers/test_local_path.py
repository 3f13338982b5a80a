"""The provisioner's volumes: what they say, whose they are, and what is never removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from podium.controllers.local_path import PROVISIONER, Unprovisionable, is_over, volume_for
from podium.domain.storage.names import PROVISIONED_BY
from support.storage import claim, storage_class, volume

ROOT = Path("/var/lib/podium/local-path")
OURS = {"annotations": {PROVISIONED_BY: PROVISIONER}, "finalizers": ["podium.io/local-path"]}


def test_the_volume_of_a_claim():
    made = volume_for(claim("2Gi"), storage_class(reclaimPolicy="Retain"), ROOT, "host")
    assert made.metadata.name == "pvc-u"
    assert made.spec.local.path == f"{ROOT}/pvc-u_ns_c"
    assert made.spec.capacity == {"storage": "2Gi"}
    assert made.spec.persistent_volume_reclaim_policy == "Retain"
    assert (made.spec.claim_ref.uid, made.spec.storage_class_name) == ("u", "fast")
    [term] = made.spec.node_affinity.required.node_selector_terms
    assert [(e.key, e.values) for e in term.match_expressions] == [
        ("kubernetes.io/hostname", ["host"])
    ]


@pytest.mark.parametrize(
    "wish",
    [
        {"volumeMode": "Block"},
        {"selector": {"matchLabels": {"a": "b"}}},
        {"dataSource": {"kind": "PersistentVolumeClaim", "name": "other"}},
    ],
)
def test_wishes_that_are_not_met(wish):
    with pytest.raises(Unprovisionable):
        volume_for(claim(**wish), storage_class(), ROOT, "host")


@pytest.mark.parametrize(
    ("found", "over"),
    [
        (volume(phase="Released", metadata=OURS, persistentVolumeReclaimPolicy="Delete"), True),
        (volume(phase="Released", metadata=OURS, persistentVolumeReclaimPolicy="Retain"), False),
        (volume(phase="Bound", metadata=OURS, persistentVolumeReclaimPolicy="Delete"), False),
        (volume(phase="Released", persistentVolumeReclaimPolicy="Delete"), False),
        (volume(metadata={**OURS, "deletionTimestamp": "2025-01-01T00:00:00Z"}), True),
        (volume(metadata={**OURS, "deletionTimestamp": "2025-01-01T00:00:00Z",
                          "finalizers": [*OURS["finalizers"], "kubernetes.io/pv-protection"]}),
         False),
    ],
)  # fmt: skip
def test_when_a_volume_is_over(found, over):
    assert is_over(found) is over

"""Which volume a claim gets, and what becomes of both."""

from __future__ import annotations

import pytest

from podium.api.codec import from_plain
from podium.api.types.core_v1 import Node
from podium.api.types.storage_v1 import StorageClass
from podium.domain import default_classes
from podium.domain.storage import claims, volumes
from podium.domain.storage.binding import (
    bound_claim,
    bound_volume,
    claim_status,
    unbound_volume,
)
from podium.domain.storage.claims import Bind, Remain
from podium.domain.storage.matching import find_volume, mismatch
from podium.domain.storage.names import BIND_COMPLETED, BOUND_BY_CONTROLLER, PROVISIONED_BY
from podium.domain.storage.volumes import VolumeStep
from support.storage import RWO, claim, reference, storage_class, volume

RWX = ["ReadWriteMany"]
HERE = from_plain(Node, {"metadata": {"name": "n", "labels": {"zone": "here"}}})


def found(wish, *candidates, **more):
    match = find_volume(wish, candidates, **more)
    return match.metadata.name if match else None


@pytest.mark.parametrize(
    ("wish", "candidates", "name"),
    [
        pytest.param(claim(), [volume()], "pv", id="fits"),
        pytest.param(claim("2Gi"), [volume()], None, id="too-small"),
        pytest.param(claim(), [volume("b", "3Gi"), volume("a", "2Gi")], "a", id="smallest"),
        pytest.param(
            claim(), [volume("a", modes=RWO + RWX), volume("b", "9Gi")], "b", id="modes-exactly"
        ),
        pytest.param(claim(modes=RWX), [volume()], None, id="other-modes"),
        pytest.param(claim(), [volume(phase="Released")], None, id="not-available"),
        pytest.param(claim(), [volume(storageClassName="x")], None, id="other-class"),
        pytest.param(
            claim(storageClassName="x"), [volume(storageClassName="x")], "pv", id="same-class"
        ),
        pytest.param(claim(volumeMode="Block"), [volume()], None, id="other-mode"),
        pytest.param(
            claim(selector={"matchLabels": {"a": "1"}}),
            [volume("x"), volume("y", metadata={"labels": {"a": "1"}})],
            "y",
            id="selector",
        ),
        pytest.param(
            claim(), [volume("a"), volume("b", "9Gi", claimRef=reference())], "b", id="reserved"
        ),
        pytest.param(
            claim(), [volume(claimRef=reference(uid="other"))], None, id="reserved-for-a-former"
        ),
        pytest.param(claim(), [volume(claimRef=reference("d"))], None, id="reserved-for-another"),
        pytest.param(
            claim(),
            [volume(metadata={"deletionTimestamp": "2025-01-01T00:00:00Z"})],
            None,
            id="being-deleted",
        ),
    ],
)
def test_the_volume_that_suits_best(wish, candidates, name):
    assert found(wish, *candidates) == name


def test_where_a_volume_can_be_used_matters_to_a_node():
    candidates = [volume("a", zone="there"), volume("b", "2Gi", zone="here")]
    assert found(claim(), *candidates, node=HERE) == "b"
    assert found(claim(), *candidates, node=HERE, taken={"b"}) is None
    reserved = volume(zone="there", claimRef=reference())
    assert found(claim(), reserved, volume("c"), node=HERE) is None


def test_a_delayed_claim_gets_only_what_is_reserved_for_it():
    assert found(claim(), volume("a"), delayed=True) is None
    assert found(claim(), volume("a", claimRef=reference(uid="")), delayed=True) == "a"


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        (claim(), ""),
        (claim("2Gi"), "requested PV is too small"),
        (claim(storageClassName="x"), "storageClassName does not match"),
        (claim(volumeMode="Block"), "incompatible volumeMode"),
        (claim(modes=RWX), "incompatible accessMode"),
    ],
)
def test_the_volume_that_a_claim_names(wish, problem):
    assert mismatch(volume(), wish) == problem


# -- claims

LATER = storage_class("WaitForFirstConsumer")
SELECTED = {"volume.kubernetes.io/selected-node": "n"}
DONE = {BIND_COMPLETED: "yes"}
FAST = {"storageClassName": "fast"}


def decided(wish, *known, of_class=None, pods=()):
    step = claims.decide(wish, {v.metadata.name: v for v in known}, of_class, pods)
    if isinstance(step, Bind):
        return step.volume.metadata.name
    reason = step.told.reason if step.told else ""
    return (step.phase, reason, step.provisioner)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (decided(claim(), volume()), "pv"),
        (decided(claim()), ("Pending", "FailedBinding", "")),
        (decided(claim(**FAST)), ("Pending", "ProvisioningFailed", "")),
        (decided(claim(**FAST), of_class=storage_class()),
         ("Pending", "ExternalProvisioning", "p")),
        (decided(claim(**FAST), of_class=storage_class(provisioner="kubernetes.io/no-provisioner")),
         ("Pending", "ProvisioningFailed", "")),
        (decided(claim(**FAST), volume(storageClassName="fast"), of_class=LATER),
         ("Pending", "WaitForFirstConsumer", "")),
        (decided(claim(**FAST), of_class=LATER, pods=["a"]),
         ("Pending", "WaitForPodScheduled", "")),
        (decided(claim(annotations=SELECTED, **FAST), of_class=LATER),
         ("Pending", "ExternalProvisioning", "p")),
        (decided(claim(volumeName="pv")), ("Pending", "", "")),
        (decided(claim(volumeName="pv"), volume()), "pv"),
        (decided(claim(volumeName="pv"), volume(claimRef=reference(uid=""))), "pv"),
        (decided(claim("9Gi", volumeName="pv"), volume()), ("Pending", "VolumeMismatch", "")),
        (decided(claim(volumeName="pv"), volume(claimRef=reference("d"))),
         ("Pending", "FailedBinding", "")),
        (decided(claim(annotations=DONE)), ("Lost", "ClaimLost", "")),
        (decided(claim(annotations=DONE, volumeName="pv")), ("Lost", "ClaimLost", "")),
        (decided(claim(annotations=DONE, volumeName="pv"), volume()), "pv"),
        (decided(claim(annotations=DONE, volumeName="pv"), volume(claimRef=reference())), "pv"),
        (decided(claim(annotations=DONE, volumeName="pv"), volume(claimRef=reference(uid="o"))),
         ("Lost", "ClaimMisbound", "")),
    ],
)  # fmt: skip
def test_what_follows_for_a_claim(step, expected):
    assert step == expected


@pytest.mark.parametrize(
    ("pods", "text"),
    [
        ((), "waiting for first consumer to be created before binding"),
        (("a",), "waiting for pod a to be scheduled"),
        (("a", "b"), "waiting for pods a,b to be scheduled"),
    ],
)
def test_whom_a_claim_waits_for(pods, text):
    step = claims.decide(claim(**FAST), {}, LATER, pods)
    assert isinstance(step, Remain)
    assert step.told is not None
    assert step.told.message == text


def test_a_claim_that_came_before_the_default_class():
    default = {"metadata": {"name": "d", "annotations": {default_classes.STORAGE[0]: "true"}}}
    classes = [storage_class(), from_plain(StorageClass, {"provisioner": "p", **default})]
    assert claims.default_class(claim(), classes) == "d"
    assert claims.default_class(claim(), classes[:1]) is None
    assert claims.default_class(claim(storageClassName=""), classes) is None
    assert claims.default_class(claim(**FAST), classes) is None


# -- volumes

MADE = {"annotations": {PROVISIONED_BY: "p"}}
DELETE = {"persistentVolumeReclaimPolicy": "Delete"}
BOUND = claim(volumeName="pv")


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (volumes.decide(volume(), None), VolumeStep("Available")),
        (volumes.decide(volume(claimRef=reference(uid="")), None), VolumeStep("Available")),
        (volumes.decide(volume(claimRef=reference(uid="")), claim()),
         VolumeStep("Available", then="claim")),
        (volumes.decide(volume(claimRef=reference()), BOUND), VolumeStep("Bound")),
        (volumes.decide(volume(claimRef=reference()), claim()), VolumeStep(then="claim")),
        (volumes.decide(volume(claimRef=reference()), None), VolumeStep("Released")),
        (volumes.decide(volume(claimRef=reference(uid="old")), BOUND), VolumeStep("Released")),
        (volumes.decide(volume(claimRef=reference(), phase="Released"), None), VolumeStep()),
        (volumes.decide(volume(claimRef=reference(), metadata=MADE, **DELETE), None),
         VolumeStep("Released")),
        (volumes.decide(volume(claimRef=reference(), metadata=MADE, **DELETE),
                        claim(volumeName="other")), VolumeStep("Released")),
        (volumes.decide(volume(claimRef=reference()), claim(volumeName="other")),
         VolumeStep(then="unbind")),
    ],
)  # fmt: skip
def test_what_follows_for_a_volume(step, expected):
    assert step == expected


@pytest.mark.parametrize(
    ("policy", "reason"), [("Delete", "VolumeFailedDelete"), ("Recycle", "VolumeFailedRecycle")]
)
def test_nobody_empties_a_volume_that_nobody_made(policy, reason):
    left = volume(claimRef=reference(), persistentVolumeReclaimPolicy=policy)
    step = volumes.decide(left, None)
    assert (step.phase, step.failure) == ("Failed", reason)


# -- traces


def test_binding_leaves_its_traces_once():
    bound = bound_volume(volume(), claim())
    assert bound.spec.claim_ref is not None
    assert bound.spec.claim_ref.uid == "u"
    assert BOUND_BY_CONTROLLER in bound.metadata.annotations
    assert bound_volume(bound, claim()) == bound
    complete = bound_claim(claim(), bound)
    assert complete.spec.volume_name == "pv"
    assert set(complete.metadata.annotations) == {BIND_COMPLETED, BOUND_BY_CONTROLLER}
    assert bound_claim(complete, bound) == complete


def test_what_users_have_bound_is_not_the_controllers():
    bound = bound_volume(volume(claimRef=reference(uid="")), claim())
    assert bound.spec.claim_ref.uid == "u"
    assert bound.metadata.annotations == {}
    assert unbound_volume(bound).spec.claim_ref.uid == ""
    assert (
        BOUND_BY_CONTROLLER not in bound_claim(claim(volumeName="pv"), bound).metadata.annotations
    )
    by_controller = bound_volume(volume(), claim())
    assert unbound_volume(by_controller) == volume()


def test_a_claim_has_what_its_volume_offers():
    status = claim_status(claim().status, "Bound", volume(size="5Gi"))
    assert (status.phase, status.capacity) == ("Bound", {"storage": "5Gi"})
    assert status.access_modes == RWO
    assert claim_status(status, "Lost").capacity == {}

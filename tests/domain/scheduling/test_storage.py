"""What a Pod's claims say about its node."""

from __future__ import annotations

import pytest

from podium.api.codec import from_plain
from podium.api.types.core_v1 import PersistentVolumeClaim
from podium.domain.scheduling.decision import Placed, Unschedulable, decide
from podium.domain.scheduling.node_info import NodeInfo, PodDemand
from podium.domain.scheduling.storage import StorageView, VolumePlan, pod_storage
from podium.domain.storage.names import BIND_COMPLETED
from support.storage import claim, reference, storage_class, volume

NOT_HELPFUL = "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
DONE = {BIND_COMPLETED: "yes"}
BOUND = claim(annotations=DONE, volumeName="pv")
LATER = storage_class("WaitForFirstConsumer")
DELAYED = claim(storageClassName="fast")


def view(*known, wish=None, of_class=None, used=False, taken=()):
    by_name = {found.metadata.name: found for found in known}
    return StorageView(
        claim=lambda namespace, name: wish if name == "c" else None,
        volume=by_name.get,
        volumes=by_name.values,
        storage_class=lambda name: of_class if name == "fast" else None,
        used=lambda namespace, name: used,
        taken=lambda: taken,
    )


@pytest.fixture
def user(pod):
    return pod(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}])


def told(pod, node, seen):
    return decide(PodDemand(pod), [NodeInfo(node())], storage=pod_storage(pod, seen))


@pytest.mark.parametrize(
    ("seen", "text"),
    [
        pytest.param(view(), 'persistentvolumeclaim "c" not found', id="missing"),
        pytest.param(view(wish=claim()), "1 pod has unbound immediate PersistentVolumeClaims",
                     id="unbound"),
        pytest.param(view(wish=claim(phase="Lost", volumeName="x")), 'persistentvolumeclaim "c" '
                     'bound to non-existent persistentvolume "x"', id="lost"),
        pytest.param(view(wish=BOUND), "1 node(s) unavailable due to one or more pvc(s) bound to "
                     "non-existent pv(s)", id="no-volume"),
        pytest.param(view(volume(zone="there"), wish=BOUND),
                     "1 node(s) didn't match PersistentVolume's node affinity", id="elsewhere"),
        pytest.param(
            view(wish=DELAYED, of_class=storage_class("WaitForFirstConsumer",
                                                      "kubernetes.io/no-provisioner")),
            "1 node(s) didn't find available persistent volumes to bind", id="nothing-to-bind"),
        pytest.param(
            view(wish=DELAYED, of_class=storage_class("WaitForFirstConsumer", allowedTopologies=[
                {"matchLabelExpressions": [{"key": "zone", "values": ["there"]}]}])),
            "1 node(s) didn't find available persistent volumes to bind", id="not-made-here"),
    ],
)  # fmt: skip
def test_claims_that_keep_a_pod_waiting(user, node, seen, text):
    expected = f"0/1 nodes are available: {text}. {NOT_HELPFUL}"
    assert told(user, node, seen) == Unschedulable(expected)


def test_a_claim_that_only_one_pod_may_have(user, node):
    only = claim(modes=["ReadWriteOncePod"], annotations=DONE, volumeName="pv")
    assert isinstance(told(user, node, view(volume(), wish=only)), Placed)
    waiting = told(user, node, view(volume(), wish=only, used=True))
    assert isinstance(waiting, Unschedulable)
    assert "ReadWriteOncePod access mode" in waiting.message


def test_a_claim_that_is_still_to_be_made(pod, node):
    template = {"volumeClaimTemplate": {"spec": {}}}
    owner = pod(volumes=[{"name": "v", "ephemeral": template}])
    waiting = told(owner, node, view())
    assert "waiting for ephemeral volume controller to create" in waiting.message
    name = f"{owner.metadata.name}-v"
    others = from_plain(PersistentVolumeClaim, {"metadata": {"name": name}})
    seen = view()
    seen = StorageView(**{**{f: getattr(seen, f) for f in seen.__slots__},
                          "claim": lambda *_: others})  # fmt: skip
    assert "(pod is not owner)" in told(owner, node, seen).message


def test_what_is_done_before_a_pod_goes_to_its_node(user, node):
    mine = volume("a", zone="here", storageClassName="fast")
    machine = node(labels={"zone": "here"})
    storage = pod_storage(user, view(mine, wish=DELAYED, of_class=LATER))
    assert storage.plan(machine) == VolumePlan(bind=((mine, DELAYED),))
    storage = pod_storage(user, view(mine, wish=DELAYED, of_class=LATER, taken={"a"}))
    assert storage.plan(machine) == VolumePlan(provision=(DELAYED,))
    assert pod_storage(user, view(volume(), wish=BOUND)).plan(machine) == VolumePlan()
    reserved = volume(claimRef=reference(uid=""), storageClassName="fast")
    storage = pod_storage(user, view(reserved, wish=DELAYED, of_class=LATER))
    assert storage.plan(machine) == VolumePlan(bind=((reserved, DELAYED),))

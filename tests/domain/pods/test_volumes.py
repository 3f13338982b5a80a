"""What is decided about volumes: owners and modes, sizes, parts, and where claims lead."""

from __future__ import annotations

import pytest

from podium.api.codec import from_plain
from podium.api.types.core_v1 import (
    EmptyDirVolumeSource,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    Volume,
    VolumeMount,
)
from podium.domain.pods import claimed_volumes, empty_dirs
from podium.domain.pods.claimed_volumes import ClaimedVolume, NotProcessed
from podium.domain.pods.sub_paths import sub_path
from podium.domain.pods.volume_files import VolumeProblem
from podium.domain.pods.volume_ownership import fs_user, group_mode, root_matches, token_mode
from support.pods import make_pod


def container(name, **fields):
    return {"name": name, "image": "kuard:1", **fields}


# -- owners and modes


@pytest.mark.parametrize(
    ("mode", "directory", "readonly", "expected"),
    [
        (0o644, False, False, 0o664),
        (0o600, False, True, 0o640),
        (0o400, False, True, 0o440),
        (0o755, True, False, 0o2775),
        (0o777, True, True, 0o2777),
        (0o1777, True, False, 0o3777),
    ],
)
def test_the_mode_for_a_group(mode, directory, readonly, expected):
    assert group_mode(mode, directory=directory, readonly=readonly) == expected


@pytest.mark.parametrize(
    ("mode", "gid", "matches"),
    [
        (0o2770, 7, True),
        (0o2775, 7, True),
        (0o2770, 8, False),
        (0o0770, 7, False),
        (0o2750, 7, False),
    ],
)
def test_a_root_that_shows_who_owns_the_volume(mode, gid, matches):
    assert root_matches(mode, gid, 7) is matches


def user(number):
    return {"securityContext": {"runAsUser": number}}


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        (make_pod("a"), None),
        (make_pod("a", securityContext={"runAsUser": 5}), 5),
        (make_pod(container("a", **user(5)), container("b", **user(5))), 5),
        (make_pod(container("a", **user(5)), container("b", **user(6))), None),
        (make_pod(container("a", **user(5)), "b"), None),
        (make_pod("a", initContainers=[container("i", **user(6))],
                  securityContext={"runAsUser": 5}), None),
    ],
)  # fmt: skip
def test_the_user_that_tokens_are_for(pod, expected):
    assert fs_user(pod) == expected
    assert token_mode(pod, 0o644) == (0o600 if expected else 0o644)


def test_a_token_for_a_group_is_nobody_elses():
    assert token_mode(make_pod("a", securityContext={"fsGroup": 5}), 0o644) == 0o600


# -- emptyDir

NODE_MEMORY = {"memory": "1Gi"}
LIMITED = container("a", resources={"limits": {"memory": "64Mi"}})


@pytest.mark.parametrize(
    ("pod", "limit", "allocatable", "expected"),
    [
        pytest.param(make_pod("a"), None, NODE_MEMORY, 1 << 30, id="the-node"),
        pytest.param(make_pod("a"), "1Mi", NODE_MEMORY, 1 << 20, id="the-volume"),
        pytest.param(make_pod("a"), "0", NODE_MEMORY, 1 << 30, id="zero-is-no-limit"),
        pytest.param(make_pod(LIMITED), None, NODE_MEMORY, 64 << 20, id="the-pod"),
        pytest.param(make_pod(LIMITED), "1Gi", NODE_MEMORY, 64 << 20, id="the-least"),
        pytest.param(make_pod(LIMITED, "b"), None, NODE_MEMORY, 1 << 30, id="not-all-limited"),
        pytest.param(make_pod("a"), None, None, 0, id="nothing-known"),
    ],
)
def test_the_size_of_memory(pod, limit, allocatable, expected):
    source = EmptyDirVolumeSource(medium="Memory", size_limit=limit)
    assert empty_dirs.memory_size(pod, source, allocatable) == expected


@pytest.mark.parametrize(
    ("used", "message"),
    [
        ({"v": 1 << 20, "w": 1 << 30}, ""),
        ({"v": (1 << 20) + 1}, 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". '),
        ({}, ""),
    ],
)
def test_a_volume_that_has_grown_too_large(used, message):
    volumes = [
        {"name": "w", "emptyDir": {}},
        {"name": "z", "emptyDir": {"sizeLimit": "0"}},
        {"name": "v", "emptyDir": {"sizeLimit": "1Mi"}},
    ]
    assert empty_dirs.exceeded(make_pod("a", volumes=volumes), used) == message


# -- parts of volumes


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ""),
        ({"subPath": "a/b"}, "a/b"),
        ({"subPath": "$(A)"}, "$(A)"),
        ({"subPathExpr": "x/$(A)-$$(B)"}, "x/one-$(B)"),
        ({"subPathExpr": "$(EMPTY)"}, ""),
    ],
)
def test_a_part_of_a_volume(fields, expected):
    mount = from_plain(VolumeMount, {"name": "v", "mountPath": "/v", **fields})
    assert sub_path(mount, {"A": "one", "EMPTY": ""}) == expected


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("$(NO)", "missing value for NO"),
        ("$(NO)/$(NEITHER)", "[missing value for NO, missing value for NEITHER]"),
        ("$(ROOT)", "error SubPath `/etc` must not be an absolute path"),
        ("a/$(UP)", "unable to provision SubPath `a/../..`: must not contain '..'"),
        ("$(NUL)", "unable to provision SubPath `a\0b`: invalid argument"),
    ],
)
def test_a_part_that_cannot_be(expression, text):
    mount = VolumeMount(name="v", mount_path="/v", sub_path_expr=expression)
    with pytest.raises(VolumeProblem) as caught:
        sub_path(mount, {"ROOT": "/etc", "UP": "../..", "NUL": "a\0b"})
    assert str(caught.value) == text


# -- claims

POD = make_pod("a", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}])
VOLUME = POD.spec.volumes[0]
EPHEMERAL = from_plain(Volume, {"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}})
NODE = from_plain(Node, {"metadata": {"name": "n", "labels": {"zone": "here"}}})


def claim(phase="Bound", volume="pv", **metadata):
    meta = {"name": "c", "namespace": "ns", "uid": "u", **metadata}
    plain = {"metadata": meta, "spec": {"volumeName": volume}, "status": {"phase": phase}}
    return from_plain(PersistentVolumeClaim, plain)


def persistent(uid="u", zone="here", **spec):
    term = {"matchExpressions": [{"key": "zone", "operator": "In", "values": [zone]}]}
    affinity = {"required": {"nodeSelectorTerms": [term]}}
    whole = {"claimRef": {"uid": uid}, "nodeAffinity": affinity, **spec}
    return from_plain(PersistentVolume, {"metadata": {"name": "pv"}, "spec": whole})


def test_where_claims_lead():
    assert claimed_volumes.bound_to(POD, VOLUME, claim()) == "pv"
    local = persistent(local={"path": "/x"})
    assert claimed_volumes.on_node(VOLUME, claim(), local, NODE) == ClaimedVolume(
        "pv", "/x", local=True
    )
    path = persistent(hostPath={"path": "/x", "type": "Directory"})
    assert claimed_volumes.on_node(VOLUME, claim(), path, NODE) == ClaimedVolume(
        "pv", "/x", local=False, host_path_type="Directory"
    )


@pytest.mark.parametrize(
    ("volume", "found", "text"),
    [
        (VOLUME, claim("Pending"), "error processing PVC ns/c: PVC is not bound"),
        (VOLUME, claim(volume=""), "error processing PVC ns/c: PVC has empty pvc.Spec.VolumeName"),
        (VOLUME, claim(deletionTimestamp="2025-01-01T00:00:00Z"),
         "error processing PVC ns/c: PVC is being deleted"),
        (EPHEMERAL, claim(), "error processing PVC ns/c: PVC ns/c was not created for pod "
         f"{POD.metadata.namespace}/{POD.metadata.name} (pod is not owner)"),
    ],
)  # fmt: skip
def test_claims_that_are_not_ready(volume, found, text):
    with pytest.raises(NotProcessed) as caught:
        claimed_volumes.bound_to(POD, volume, found)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (persistent(claimRef=None), "error processing PVC ns/c: found PV object pv but it has a "
         "nil pv.Spec.ClaimRef indicating it is not yet bound to the claim"),
        (persistent("other"), "error processing PVC ns/c: found PV object pv but its "
         "pv.Spec.ClaimRef.UID other does not point to claim.UID u"),
        (persistent(volumeMode="Block"),
         "volume v has volumeMode Block, but is specified in volumeMounts"),
        (persistent(local={"path": "/a\0b"}), "stat /a\0b: invalid argument"),
        (persistent(zone="there"), "no matching NodeSelectorTerms"),
        (persistent(nfs={"server": "s", "path": "/"}), "failed to get Plugin from volumeSpec for "
         'volume "pv" err=no volume plugin matched'),
    ],
)  # fmt: skip
def test_volumes_that_this_node_cannot_mount(found, text):
    with pytest.raises(VolumeProblem) as caught:
        claimed_volumes.on_node(VOLUME, claim(), found, NODE)
    assert str(caught.value) == text

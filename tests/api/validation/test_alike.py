"""Pods that are like a valid one are judged as if each were looked at."""

import msgspec
import pytest

from podium.api import codec
from podium.api.types.core_v1 import Pod
from podium.api.validation import alike
from podium.api.validation.pods import validate_pod
from podium.registry.strategies.pod_warnings import pod_warnings

TOKEN = "kube-api-access-x7k2p"


def pod(*volumes, name="web-1", mounts=(TOKEN,), **metadata):
    container = {
        "name": "c",
        "image": "i",
        "imagePullPolicy": "Always",
        "terminationMessagePolicy": "File",
        "volumeMounts": [{"name": mount, "mountPath": f"/{mount}"} for mount in mounts],
    }
    spec = {
        "containers": [container],
        "volumes": [{"emptyDir": {}, **volume} for volume in volumes or ({"name": TOKEN},)],
        "restartPolicy": "Always",
        "dnsPolicy": "ClusterFirst",
        "terminationGracePeriodSeconds": 30,
    }
    return codec.from_plain(Pod, {"metadata": {"name": name, **metadata}, "spec": spec})


OTHER = "kube-api-access-9ddqb"
UNLIKE = {
    "another-token-volume": pod({"name": OTHER}, mounts=(OTHER,)),
    "mount-of-the-other": pod({"name": OTHER}),
    "two-of-a-name": pod({"name": TOKEN}, {"name": TOKEN}),
    "two-token-volumes": pod({"name": TOKEN}, {"name": OTHER}),
    "no-such-name": pod({"name": "kube-api-access-X7K2P"}, mounts=("kube-api-access-X7K2P",)),
    "bad-annotation": pod(annotations={"seccomp.security.alpha.kubernetes.io/pod": "none"}),
    "no-image": msgspec.structs.replace(pod(), spec=msgspec.structs.replace(pod().spec)),
}
UNLIKE["no-image"].spec.containers[0].image = ""


CLAIM = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1"}}}}
EPHEMERAL = {"name": "data", "emptyDir": None, "ephemeral": {"volumeClaimTemplate": CLAIM}}
UNLIKE["no-room-for-a-claims-name"] = pod(EPHEMERAL, name="w" * 250, mounts=())


def unremembered(monkeypatch, made):
    """Validate *made* as if it were the first Pod of all."""
    with monkeypatch.context() as patch:
        patch.setattr(alike, "_valid", {})
        return validate_pod(made)


@pytest.mark.parametrize("other", UNLIKE.values(), ids=UNLIKE)
def test_nothing_invalid_passes_for_a_valid_one(monkeypatch, other):
    for valid in (pod(), pod(EPHEMERAL, mounts=())):
        assert validate_pod(valid) == []
    assert validate_pod(other) == unremembered(monkeypatch, other)
    assert validate_pod(pod()) == []


@pytest.mark.parametrize(
    "name", sorted(UNLIKE.keys() - {"another-token-volume", "two-token-volumes"})
)
def test_what_is_invalid_stays_so(name):
    assert validate_pod(UNLIKE[name])
    assert validate_pod(UNLIKE[name])


SECCOMP = "seccomp.security.alpha.kubernetes.io/pod"


def warnings(made):
    return alike.warned_once(made, pod_warnings, alike.likeness_of(made.spec))


def test_warnings_are_earned_by_those_who_earn_them():
    annotated = pod(annotations={SECCOMP: "runtime/default"})
    old = pod({"name": TOKEN, "emptyDir": None, "gitRepo": {"repository": "x"}})
    for _ in range(2):
        assert warnings(pod()) == []
        assert warnings(pod(annotations={"a": "b"})) == []
        assert [text.split(":")[0] for text in warnings(annotated)] == [
            f"metadata.annotations[{SECCOMP}]"
        ]
        assert [text.split(":")[0] for text in warnings(old)] == ["spec.volumes[0].gitRepo"]

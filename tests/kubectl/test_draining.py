"""Which Pods may go when a node is drained."""

from __future__ import annotations

import pytest

from podium.kubectl.draining.judging import Rules, judge, problems, warnings


def pod(name="p", *, owner="", volumes=(), phase="Running", annotations=None):
    owners = [{"kind": owner, "name": "o", "controller": True}] if owner else []
    metadata = {"namespace": "n", "name": name, "ownerReferences": owners,
                "annotations": annotations or {}}  # fmt: skip
    return {"metadata": metadata, "spec": {"volumes": [{"name": "v", one: {}} for one in volumes]},
            "status": {"phase": phase}}  # fmt: skip


def rules(*, force=False, ignore=False, data=False, missing=""):
    return Rules(force, ignore, data, lambda _namespace, _name: missing)


@pytest.mark.parametrize(
    ("one", "given", "goes"),
    [
        pytest.param(pod(owner="ReplicaSet"), rules(), True, id="managed"),
        pytest.param(pod(), rules(), False, id="unmanaged"),
        pytest.param(pod(), rules(force=True), True, id="unmanaged-by-force"),
        pytest.param(pod(phase="Succeeded"), rules(), True, id="over"),
        pytest.param(pod(owner="Job", volumes=["emptyDir"]), rules(), False, id="with-data"),
        pytest.param(pod(owner="Job", volumes=["emptyDir"]), rules(data=True), True,
                     id="data-goes"),
        pytest.param(pod(owner="Job", volumes=["secret"]), rules(), True, id="no-data-of-its-own"),
        pytest.param(pod(owner="DaemonSet"), rules(), False, id="daemon"),
        pytest.param(pod(owner="DaemonSet"), rules(ignore=True), False, id="daemon-stays"),
        pytest.param(pod(owner="DaemonSet", phase="Failed"), rules(), True, id="daemon-over"),
        pytest.param(pod(owner="DaemonSet"), rules(missing="gone"), False, id="orphan"),
        pytest.param(pod(owner="DaemonSet"), rules(missing="gone", force=True), True,
                     id="orphan-by-force"),
        pytest.param(pod(annotations={"kubernetes.io/config.mirror": "x"}), rules(), False,
                     id="mirror"),
    ],
)  # fmt: skip
def test_who_goes(one, given, goes):
    assert judge(one, given).goes is goes


def test_problems_are_gathered_by_their_reason():
    pods = [pod("a"), pod("b", owner="DaemonSet"), pod("c")]
    assert problems((one, judge(one, rules())) for one in pods) == [
        "cannot delete Pods that declare no controller (use --force to override): n/a, n/c",
        "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): n/b",
    ]


def test_warnings():
    pods = [pod("a"), pod("b", owner="DaemonSet")]
    given = rules(force=True, ignore=True)
    assert warnings((one, judge(one, given)) for one in pods) == (
        "deleting Pods that declare no controller: n/a; ignoring DaemonSet-managed Pods: n/b"
    )

from __future__ import annotations

import pytest
from msgspec.structs import replace

from podium.api.types.core_v1 import Node, Pod, PodCondition, PodReadinessGate, PodStatus
from podium.api.types.meta_v1 import ObjectMeta
from podium.domain.pods.manifests import BadManifest, static_pod
from podium.domain.pods.static import (
    from_api,
    is_mirror,
    is_static,
    mirror_of,
    shows,
    with_gates,
)
from support.pods import NOW

WEB = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}, uid: ../../etc, finalizers: [example.com/x]}
spec:
  priorityClassName: system-node-critical
  containers: [{name: c, image: web:1}]
"""


def made(text: str = WEB, *, path: str = "/m/web.yaml", node: str = "node-1") -> Pod:
    return static_pod(text.encode(), path, node, NOW)


def test_a_pod_of_the_node():
    pod = made()
    assert (pod.metadata.namespace, pod.metadata.name) == ("default", "web-node-1")
    assert pod.metadata.labels == {"app": "web"}
    assert pod.metadata.finalizers == []
    assert pod.spec.node_name == "node-1"
    assert pod.spec.priority == 2_000_001_000
    assert pod.metadata.annotations == {
        "kubernetes.io/config.hash": pod.metadata.uid,
        "kubernetes.io/config.seen": "2025-01-13T07:30:00.000000000Z",
        "kubernetes.io/config.source": "file",
    }
    assert [(t.operator, t.effect) for t in pod.spec.tolerations] == [("Exists", "NoExecute")]
    assert pod.spec.containers[0].image_pull_policy == "IfNotPresent"
    assert (pod.status.phase, pod.status.qos_class) == ("Pending", "BestEffort")
    assert is_static(pod)


def test_the_uid_says_what_is_in_the_manifest_and_where_it_is():
    uids = {
        made().metadata.uid,
        made().metadata.uid,
        made(WEB.replace("web:1", "web:2")).metadata.uid,
        made(path="/m/other.yaml").metadata.uid,
        made(node="node-2").metadata.uid,
    }
    assert len(uids) == 4
    assert all(len(uid) == 32 and int(uid, 16) for uid in uids)


def test_json_is_fine():
    text = '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"j","namespace":"n"},'
    pod = made(text + '"spec":{"containers":[{"name":"c","image":"i"}]}}')
    assert (pod.metadata.namespace, pod.metadata.name) == ("n", "j-node-1")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("kind: [", "yaml", id="no-yaml"),
        pytest.param("", "metadata.name", id="empty"),
        pytest.param(WEB.replace("kind: Pod", "kind: Service"), "Service", id="another-kind"),
        pytest.param(WEB.replace("name: web,", ""), "metadata.name: Required value", id="no-name"),
        pytest.param(WEB.replace("name: c", "name: C_"), "spec.containers[0].name", id="invalid"),
        pytest.param(WEB.replace("image:", "imag:"), "imag", id="a-field-that-is-not"),
        pytest.param(
            WEB + "  serviceAccountName: default\n",
            "static pods may not reference serviceaccounts",
            id="service-account",
        ),
        pytest.param(
            WEB + "  volumes: [{name: v, configMap: {name: m}}]\n",
            "static pods may not reference configmaps",
            id="config-map",
        ),
        pytest.param(
            WEB + "  volumes: [{name: v, persistentVolumeClaim: {claimName: m}}]\n",
            "static pods may not reference persistentvolumeclaims",
            id="claim",
        ),
        pytest.param(
            WEB + "  imagePullSecrets: [{name: s}]\n",
            "static pods may not reference secrets",
            id="pull-secret",
        ),
    ],
)
def test_what_no_pod_can_be_made_from(text, why):
    with pytest.raises(BadManifest, match=why.replace("[", r"\[").replace("]", r"\]")):
        made(text)


def test_its_mirror_is_owned_by_the_node_and_shows_no_other():
    pod = made()
    mirror = mirror_of(pod, Node(metadata=ObjectMeta(name="node-1", uid="u")))
    assert is_mirror(mirror)
    assert shows(mirror, pod)
    assert not shows(mirror, made(WEB.replace("web:1", "web:2")))
    [owner] = mirror.metadata.owner_references
    assert (owner.kind, owner.name, owner.uid, owner.controller) == ("Node", "node-1", "u", True)
    assert mirror.metadata.uid == ""
    assert not is_mirror(pod), "the static Pod itself is not changed"


def test_what_others_say_of_its_gates_is_taken_over_from_the_mirror_and_no_more():
    pod = made()
    gated = replace(
        pod, spec=replace(pod.spec, readiness_gates=[PodReadinessGate(condition_type="a/b")])
    )
    said = [PodCondition(type="a/b", status="True"), PodCondition(type="Ready", status="False")]
    mirror = replace(gated, status=PodStatus(conditions=said))
    assert with_gates(pod, mirror) is pod
    assert with_gates(gated, replace(mirror, status=PodStatus())) is gated
    told = with_gates(gated, mirror)
    assert told.status.conditions == said[:1]
    assert with_gates(told, mirror) is told
    assert with_gates(told, replace(mirror, status=PodStatus())).status.conditions == []


def test_a_pod_of_the_api_is_not_static_whatever_it_says():
    assert not is_static(from_api(made()))

"""What a node may do, by what runs on it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api.scheme import PERSISTENTVOLUMES, PODS, VOLUMEATTACHMENTS
from podium.api.types.core_v1 import PersistentVolume, Pod
from podium.api.types.storage_v1 import VolumeAttachment
from podium.apiserver.auth.node_authorizer import refusal
from podium.apiserver.auth.node_graph import NodeGraph
from podium.apiserver.paths import parse, split_target
from podium.domain.pods.references import configmap_names, secret_names

UNRELATED = "no relationship found between node 'n1' and this object"


def pod(name: str, node: str, **more: Any) -> Pod:
    container = {
        "name": "c",
        "image": "i",
        "env": [
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "by-variable", "key": "k"}}},
            {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "by-variable", "key": "k"}}},
        ],
        "envFrom": [
            {"secretRef": {"name": "by-environment"}},
            {"configMapRef": {"name": "by-environment"}},
        ],
    }
    projected = [{"secret": {"name": "by-projection"}}, {"configMap": {"name": "by-projection"}}]
    reference = {"secretRef": {"name": "by-driver"}}
    document = {
        "metadata": {"name": name, "namespace": "d", "uid": f"uid-{name}"},
        "spec": {
            "nodeName": node,
            "serviceAccountName": "default",
            "imagePullSecrets": [{"name": "by-pull"}],
            "containers": [container],
            "volumes": [
                {"name": "a", "secret": {"secretName": "by-volume"}},
                {"name": "b", "configMap": {"name": "by-volume"}},
                {"name": "c", "projected": {"sources": projected}},
                {"name": "d", "persistentVolumeClaim": {"claimName": "claimed"}},
                {"name": "e", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}},
                {"name": "f", "csi": {"driver": "x", "nodePublishSecretRef": {"name": "by-csi"}}},
                {"name": "g", "azureFile": {"secretName": "by-azure", "shareName": "s"}},
                {"name": "h", "cephfs": {"monitors": ["m"], **reference}},
            ],
            **more,
        },
    }
    return msgspec.convert(document, Pod)


def volume(name: str, claim: str, **source: Any) -> PersistentVolume:
    spec: dict[str, Any] = {"claimRef": {"namespace": "d", "name": claim}, **source}
    return msgspec.convert({"metadata": {"name": name}, "spec": spec}, PersistentVolume)


def csi(**references: str) -> dict[str, Any]:
    named = {key: {"name": name, "namespace": "v"} for key, name in references.items()}
    return {"csi": {"driver": "x", "volumeHandle": "h", **named}}


def attachment(name: str, node: str) -> VolumeAttachment:
    spec = {"attacher": "x", "nodeName": node, "source": {}}
    return msgspec.convert({"metadata": {"name": name}, "spec": spec}, VolumeAttachment)


def full_graph() -> NodeGraph:
    """Pods in namespace d: ``mine`` and a mirror Pod on n1, ``theirs`` on n2; volumes of theirs."""
    mirror = pod("mirror", "n1")
    mirror.metadata.annotations = {"kubernetes.io/config.mirror": "x"}
    mirror.spec.image_pull_secrets[0].name = "by-mirror"
    theirs = pod("theirs", "n2", imagePullSecrets=[{"name": "of-others"}])
    secret = {"nodeStageSecretRef": "by-volume", "controllerPublishSecretRef": "of-the-controller"}
    graph = NodeGraph()
    for resource, obj in (
        (PODS, pod("mine", "n1")),
        (PODS, mirror),
        (PODS, theirs),
        (PODS, pod("nowhere", "", imagePullSecrets=[{"name": "of-nobody"}])),
        (PERSISTENTVOLUMES, volume("bound", "claimed", **csi(**secret))),
        (PERSISTENTVOLUMES, volume("elsewhere", "other")),
        (VOLUMEATTACHMENTS, attachment("a1", "n1")),
        (VOLUMEATTACHMENTS, attachment("a2", "n2")),
    ):
        graph.apply(resource, None, obj)
    return graph


GRAPH = full_graph()


def ask(request_line: str, node: str = "n1", graph: NodeGraph = GRAPH) -> str | None:
    method, target = request_line.split(" ")
    path, query = split_target(target)
    return refusal(node, parse(method, path, query), query, graph)


STORAGE = "/apis/storage.k8s.io/v1"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


@pytest.mark.parametrize(
    "request_line",
    [
        "POST /api/v1/nodes",
        "GET /api/v1/nodes/n1",
        "GET /api/v1/nodes?fieldSelector=metadata.name%3Dn1&watch=1",
        "PATCH /api/v1/nodes/n1/status",
        "PUT /api/v1/nodes/n1",
        f"POST {LEASES}",
        f"PUT {LEASES}/n1",
        "GET /api/v1/pods?fieldSelector=spec.nodeName%3Dn1&watch=1",
        "GET /api/v1/pods?fieldSelector=status.phase%3DRunning%2Cspec.nodeName%3D%3Dn1",
        "GET /api/v1/namespaces/d/pods/mine",
        "GET /api/v1/namespaces/d/pods/mirror",
        "GET /api/v1/namespaces/d/pods?fieldSelector=metadata.name%3Dmine&watch=1",
        "PATCH /api/v1/namespaces/d/pods/mine/status",
        "POST /api/v1/namespaces/d/pods",
        "DELETE /api/v1/namespaces/d/pods/gone",
        "POST /api/v1/namespaces/d/pods/mine/eviction",
        "GET /api/v1/namespaces/d/secrets/by-volume",
        "GET /api/v1/namespaces/d/secrets?fieldSelector=metadata.name%3Dby-pull&watch=1",
        "GET /api/v1/namespaces/v/secrets/by-volume",
        "GET /api/v1/namespaces/d/configmaps/by-volume",
        "GET /api/v1/namespaces/d/serviceaccounts/default",
        "POST /api/v1/namespaces/d/serviceaccounts/default/token",
        "GET /api/v1/services?watch=1",
        "GET /api/v1/namespaces/d/persistentvolumeclaims/claimed",
        "GET /api/v1/namespaces/d/persistentvolumeclaims/mine-e",
        "PATCH /api/v1/namespaces/d/persistentvolumeclaims/claimed/status",
        "GET /api/v1/persistentvolumes/bound",
        f"PUT {STORAGE}/csinodes/n1",
        f"GET {STORAGE}/volumeattachments/a1",
        f"GET {STORAGE}/csidrivers",
        "GET /apis/node.k8s.io/v1/runtimeclasses?watch=1",
        "GET /apis/resource.k8s.io/v1/resourceslices?fieldSelector=nodeName%3Dn1",
        "POST /apis/resource.k8s.io/v1/resourceslices",
        "POST /api/v1/namespaces/d/events",
    ],
)
def test_a_node_may(request_line: str) -> None:
    assert ask(request_line) is None


@pytest.mark.parametrize(
    ("request_line", "reason"),
    [
        ("GET /api/v1/nodes", "node 'n1' cannot read all nodes, only its own Node object"),
        ("GET /api/v1/nodes/n2", "node 'n1' cannot read 'n2', only its own Node object"),
        ("DELETE /api/v1/nodes/n1", ""),
        ("GET /api/v1/nodes/n1/status", ""),
        ("GET /api/v1/nodes/n1/proxy", ""),
        ("GET /api/v1/pods", "can only list/watch pods with spec.nodeName field selector"),
        (
            "GET /api/v1/pods?fieldSelector=spec.nodeName%3Dn2",
            "can only list/watch pods with spec.nodeName field selector",
        ),
        (
            "GET /api/v1/pods?fieldSelector=spec.nodeName!%3Dn1",
            "can only list/watch pods with spec.nodeName field selector",
        ),
        ("GET /api/v1/namespaces/d/pods/theirs", UNRELATED),
        ("GET /api/v1/namespaces/d/pods/gone", UNRELATED),
        ("PATCH /api/v1/namespaces/d/pods/mine", ""),
        ("POST /api/v1/namespaces/d/pods/mine/binding", ""),
        ("GET /api/v1/namespaces/d/pods/mine/log", ""),
        ("DELETE /api/v1/namespaces/d/pods", ""),
        ("GET /api/v1/namespaces/d/secrets", "No Object name found"),
        ("GET /api/v1/secrets", "can only read namespaced object of this type"),
        ("GET /api/v1/namespaces/d/secrets/other", UNRELATED),
        ("GET /api/v1/namespaces/d/secrets/of-others", UNRELATED),
        ("GET /api/v1/namespaces/d/secrets/of-nobody", UNRELATED),
        ("GET /api/v1/namespaces/d/secrets/by-mirror", UNRELATED),
        ("GET /api/v1/namespaces/v/secrets/of-the-controller", UNRELATED),
        ("GET /api/v1/namespaces/other/secrets/by-volume", UNRELATED),
        ("PUT /api/v1/namespaces/d/secrets/by-volume", "can only read resources of this type"),
        ("GET /api/v1/namespaces/d/configmaps/other", UNRELATED),
        ("POST /api/v1/namespaces/d/serviceaccounts/admin/token", UNRELATED),
        ("GET /api/v1/namespaces/d/serviceaccounts/admin", UNRELATED),
        (
            "POST /api/v1/namespaces/d/serviceaccounts",
            "can only create tokens for individual service accounts",
        ),
        (
            f"PUT {LEASES}/n2",
            "can only access node lease with the same name as the requesting node",
        ),
        (
            f"GET {LEASES}",
            "can only get, create, update, patch, or delete a node lease",
        ),
        (
            "PUT /apis/coordination.k8s.io/v1/namespaces/kube-system/leases/n1",
            'can only access leases in the "kube-node-lease" system namespace',
        ),
        ("GET /api/v1/namespaces/d/persistentvolumeclaims/other", UNRELATED),
        (
            "GET /api/v1/namespaces/d/persistentvolumeclaims",
            "can only get individual resources of this type",
        ),
        (
            "GET /api/v1/namespaces/d/persistentvolumeclaims/claimed/status",
            "can only get/update/patch this type",
        ),
        ("GET /api/v1/persistentvolumes/elsewhere", UNRELATED),
        ("GET /api/v1/persistentvolumes/free", UNRELATED),
        ("GET /api/v1/persistentvolumes/bound/status", "cannot get subresource"),
        (
            f"PUT {STORAGE}/csinodes/n2",
            "can only access CSINode with the same name as the requesting node",
        ),
        (f"GET {STORAGE}/volumeattachments/a2", UNRELATED),
        (
            "GET /apis/resource.k8s.io/v1/resourceslices",
            "can only list/watch/deletecollection resourceslices with nodeName field selector",
        ),
        ("GET /apis/resource.k8s.io/v1/resourceslices/x", UNRELATED),
        ("GET /apis/resource.k8s.io/v1/namespaces/d/resourceclaims/x", UNRELATED),
        ("GET /api/v1/namespaces/d/events", ""),
        ("GET /metrics", ""),
    ],
)
def test_a_node_may_not(request_line: str, reason: str) -> None:
    assert ask(request_line) == reason


def test_every_way_to_refer_to_a_secret_or_a_config_map() -> None:
    by_ways = {"by-environment", "by-variable", "by-volume", "by-projection"}
    more = {"by-pull", "by-csi", "by-azure", "by-driver"}
    assert set(secret_names(pod("a", "n"))) == by_ways | more
    assert set(configmap_names(pod("a", "n"))) == by_ways


def test_a_debug_container_makes_its_references_the_nodes_business() -> None:
    graph, before, after = NodeGraph(), pod("mine", "n1"), pod("mine", "n1")
    debug = {"name": "d", "image": "i", "envFrom": [{"secretRef": {"name": "by-debugging"}}]}
    after = pod("mine", "n1", ephemeralContainers=[debug])
    graph.apply(PODS, None, before)
    assert not graph.leads_to("n1", "secrets", "d", "by-debugging")
    graph.apply(PODS, before, after)
    assert graph.leads_to("n1", "secrets", "d", "by-debugging")
    assert graph.leads_to("n1", "secrets", "d", "by-pull")
    graph.apply(PODS, after, None)
    assert not graph.leads_to("n1", "secrets", "d", "by-pull")


STEPS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from(["", "n1", "n2"]),
        st.sampled_from(["s1", "s2"]),
        st.booleans(),
    ),
    max_size=12,
)


@given(STEPS)
def test_the_graph_knows_what_a_look_at_all_pods_would_tell(steps: list[Any]) -> None:
    graph, pods = NodeGraph(), dict[str, Pod]()
    for number, (name, node, secret, stays) in enumerate(steps):
        new = None
        if stays:
            new = pod(name, node, imagePullSecrets=[{"name": secret}], volumes=[])
            new.metadata.uid = f"{number}"
        graph.apply(PODS, pods.pop(name, None), new)
        if new is not None:
            pods[name] = new
    for node in ("n1", "n2"):
        mine = [p for p in pods.values() if p.spec.node_name == node]
        for secret in ("s1", "s2"):
            expected = any(secret in secret_names(p) for p in mine)
            assert graph.leads_to(node, "secrets", "d", secret) == expected
        for name in "abc":
            expected = any(p.metadata.name == name for p in mine)
            assert graph.leads_to(node, "pods", "d", name) == expected
    if not pods:
        assert graph._uses == {}

"""Nobody in a cluster has more rights than its part needs, nor fewer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.access import denied, read_access
from support.cluster import Cluster, cluster, eventually, pod
from support.kubectls import manifest

ACCOUNT = "system:serviceaccount:kube-system:"
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}


def labelled(name: str, **metadata: Any) -> dict[str, Any]:
    return {"name": name, "namespace": "life", "labels": {"app": "web"}, **metadata}


def thing(kind: str, name: str, version: str = "v1", **content: Any) -> dict[str, Any]:
    return manifest(kind, name, version, **content) | {"metadata": labelled(name)}


def web() -> dict[str, Any]:
    """A Pod with all that a node reads for it."""
    made: dict[str, Any] = pod("web", "sh", "-c", "echo up; sleep 1000")
    made["metadata"] = labelled("web")
    made["spec"] |= {
        "terminationGracePeriodSeconds": 0,
        "imagePullSecrets": [{"name": "registry"}],
        "volumes": [
            {"name": "s", "secret": {"secretName": "password"}},
            {"name": "c", "configMap": {"name": "settings"}},
            {"name": "d", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "e", "ephemeral": {"volumeClaimTemplate": {"spec": CLAIM}}},
        ],
    }
    made["spec"]["containers"][0] |= {
        "envFrom": [{"secretRef": {"name": "password"}}, {"configMapRef": {"name": "settings"}}],
        "volumeMounts": [{"name": name, "mountPath": f"/{name}"} for name in "scde"],
        "readinessProbe": {"exec": {"command": ["true"]}},
        "resources": {"requests": {"cpu": "1m"}},
    }
    return made


def objects() -> list[dict[str, Any]]:
    """Something to do for every component: a kind for each controller, and a Pod for the node."""
    account = {"kubernetes.io/service-account.name": "robot"}
    aggregated = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    return [
        manifest("Namespace", "life"),
        thing("ServiceAccount", "robot"),
        thing("Secret", "password"),
        thing("ConfigMap", "settings"),
        thing("ResourceQuota", "some", spec={"hard": {"pods": "5", "configmaps": "10"}}),
        thing("PersistentVolumeClaim", "claim", spec=CLAIM),
        thing("PersistentVolumeClaim", "data", spec=CLAIM),
        thing("Service", "web", spec={"selector": {"app": "web"}, "ports": [{"port": 80}]}),
        thing("Service", "mine", spec={"ports": [{"port": 80}]}),
        thing(
            "Endpoints", "mine",
            subsets=[{"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 80}]}],
        ),
        manifest("Secret", "token", type="kubernetes.io/service-account-token")
        | {"metadata": labelled("token", annotations=account)},
        thing(
            "PodDisruptionBudget", "web", "policy/v1",
            spec={"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
        ),
        manifest(
            "ClusterRole", "more-to-view", "rbac.authorization.k8s.io/v1",
            rules=[{"apiGroups": ["example.org"], "resources": ["x"], "verbs": ["get"]}],
        )
        | {"metadata": {"name": "more-to-view", "labels": aggregated}},
        web(),
    ]  # fmt: skip


def play(own: Cluster) -> None:
    own.apply(*objects())
    own.wait_ready("web", namespace="life")
    eventually(lambda: own.kubectl("logs", "-n", "life", "web").stdout == "up\n", "a log")
    ready = ["get", "endpoints", "web", "-n", "life", "-o", "jsonpath={.subsets[0].addresses}"]
    eventually(lambda: own.kubectl(*ready).stdout, "an endpoint")
    allowed = ["get", "pdb", "web", "-n", "life", "-o", "jsonpath={.status.currentHealthy}"]
    eventually(lambda: own.kubectl(*allowed).stdout == "1", "a healthy Pod")
    rules = ["get", "clusterrole", "view", "-o", "jsonpath={.rules[*].apiGroups}"]
    eventually(lambda: "example.org" in own.kubectl(*rules).stdout, "an aggregated role")
    token = ["get", "secret", "token", "-n", "life", "-o", "jsonpath={.data.token}"]
    eventually(lambda: own.kubectl(*token).stdout, "a token")
    owner = own.get("configmap", "settings", "-n", "life")["metadata"]
    reference = {
        "apiVersion": "v1", "kind": "ConfigMap", "name": "settings", "uid": owner["uid"],
    }  # fmt: skip
    metadata = labelled("child", ownerReferences=[reference])
    own.apply(manifest("ConfigMap", "child") | {"metadata": metadata})
    own.kubectl("delete", "pod", "web", "-n", "life", "--wait=true")
    own.kubectl("delete", "pvc", "--all", "-n", "life", "--wait=true")
    own.kubectl("delete", "configmap", "settings", "-n", "life")
    listed = ["get", "configmaps", "-n", "life", "-o", "name"]
    eventually(lambda: "child" not in own.kubectl(*listed).stdout, "the dependent to go")
    own.kubectl("delete", "namespace", "life", "--wait=true")


def test_a_life_without_a_denial_and_without_a_master(tmp_path: Path, demo_image: Path) -> None:
    with cluster(tmp_path, "--log-level", "debug") as own:
        own.podium("image", "load", str(demo_image))
        play(own)
        lines = read_access(own.log_file.read_text())
        own.log_file.write_text("")  # a failure need not show all that
    assert denied(lines) == []
    assert {line.code for line in lines} & {401, 500} == set()
    components = {line.user for line in lines if line.user != "kubernetes-admin"}
    assert components >= {
        "system:kube-controller-manager",
        "system:kube-scheduler",
        "system:node:node-1",
        *(
            f"{ACCOUNT}{name}"
            for name in (
                "clusterrole-aggregation-controller",
                "disruption-controller",
                "endpoint-controller",
                "endpointslice-controller",
                "endpointslicemirroring-controller",
                "ephemeral-volume-controller",
                "generic-garbage-collector",
                "namespace-controller",
                "local-path-provisioner",
                "node-controller",
                "persistent-volume-binder",
                "pvc-protection-controller",
                "resourcequota-controller",
                "root-ca-cert-publisher",
                "service-account-controller",
            )
        ),
    }
    masters = {line.user for line in lines if "system:masters" in line.groups}
    assert masters == {"kubernetes-admin"}  # the kubectls of this test

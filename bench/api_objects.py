"""The Pods that ``api.py`` makes, and requests about them."""

from __future__ import annotations

import json
from typing import Any

from api_load import request

JSON = "application/json"
STRATEGIC = "application/strategic-merge-patch+json"
NAMESPACES = 10
NODES = 100
_IMAGE = "registry.example.org/team/web:1.27.3"


def pod(name: str, number: int) -> dict[str, Any]:
    """Return what a controller would create: about 3 KB once it is stored."""
    container: dict[str, Any] = {
        "name": "web",
        "image": _IMAGE,
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "env": [
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"cpu": "500m", "memory": "256Mi"},
        },
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 5},
    }
    owner = {
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d4f8c7b9", "controller": True,
        "uid": "0b7c5c0e-6b0c-4f0e-9d5e-3f1c2a4b5d6e", "blockOwnerDeletion": True,
    }  # fmt: skip
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": {"app": "web", "shard": str(number % 10), "pod-template-hash": "5d4f8c7b9"},
            "annotations": {"prometheus.io/port": "8080"},
            "ownerReferences": [owner],
        },
        "spec": {
            "nodeName": f"node-{number % NODES}",
            "containers": [container],
            "terminationGracePeriodSeconds": 30,
        },
    }


def status(restarts: int) -> dict[str, Any]:
    """Return what a kubelet writes once the container runs again."""
    ready = [
        {"type": kind, "status": "True", "lastTransitionTime": "2026-01-02T03:04:05Z"}
        for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    ]
    container = {
        "name": "web",
        "image": _IMAGE,
        "imageID": "registry.example.org/team/web@sha256:" + "0123456789abcdef" * 4,
        "containerID": "podium://" + "fedcba9876543210" * 4,
        "ready": True,
        "started": True,
        "restartCount": restarts,
        "state": {"running": {"startedAt": "2026-01-02T03:04:05Z"}},
    }
    addresses = {"podIP": "10.42.0.7", "podIPs": [{"ip": "10.42.0.7"}], "hostIP": "192.0.2.1"}
    return {"phase": "Running", "conditions": ready, "containerStatuses": [container], **addresses}


def namespace(number: int) -> str:
    return f"bench-{number % NAMESPACES}"


def path(number: int) -> str:
    return f"/api/v1/namespaces/{namespace(number)}/pods/web-5d4f8c7b9-{number:06}"


def encoded(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def create(number: int) -> bytes:
    where, _, name = path(number).rpartition("/")
    return request("POST", where, encoded(pod(name, number)), JSON)


def body(data: bytes) -> bytes:
    """Return the body of a request."""
    return data.partition(b"\r\n\r\n")[2]


def update(present: bytes, turn: int) -> bytes:
    """Return the request that writes *present* back, as clients do that have read it."""
    obj = json.loads(present)
    metadata = obj["metadata"]
    del metadata["resourceVersion"]  # whatever there is now: the next turn, too, is accepted
    metadata["annotations"]["bench/turn"] = str(turn)
    where = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
    return request("PUT", where, encoded(obj), JSON)


def patch(number: int, turn: int) -> bytes:
    body = encoded({"metadata": {"annotations": {"bench/turn": str(turn)}}})
    return request("PATCH", path(number), body, STRATEGIC)


def patch_status(number: int, turn: int) -> bytes:
    body = encoded({"status": status(turn)})
    return request("PATCH", f"{path(number)}/status", body, STRATEGIC)


def preparations() -> list[bytes]:
    """What there has to be: a right for the user ``bench``, namespaces and their accounts."""
    everybody = {
        "metadata": {"name": "bench"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin",
        },
        "subjects": [
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "benchers"}
        ],
    }  # fmt: skip
    roles = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    found = [request("POST", roles, encoded(everybody), JSON)]
    account = encoded({"metadata": {"name": "default"}})
    for number in range(NAMESPACES):
        name = namespace(number)
        made = encoded({"metadata": {"name": name}})
        found.append(request("POST", "/api/v1/namespaces", made, JSON))
        accounts = f"/api/v1/namespaces/{name}/serviceaccounts"
        found.append(request("POST", accounts, account, JSON))
    return found

"""``kubectl delete --cascade``: dependents go with their owner, before it, or stay without it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.cluster import Cluster, eventually, pod


def owned(shared: Cluster, namespace: str, version: str) -> None:
    """Make a ReplicaSet-like pair: a config map, and a Pod that it owns and that blocks it."""

    def create(document: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(
            shared.kubectl(
                "-n", namespace, "create", "-o", "json", "-f", "-",
                version=version, stdin=json.dumps(document),
            ).stdout
        )  # fmt: skip
        return made

    owner = create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owner"}})
    child = pod("child")
    child["metadata"]["ownerReferences"] = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": "owner",
            "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": True,
        }
    ]
    create(child)


@pytest.mark.parametrize("version", ["1.28", "1.37"])
@pytest.mark.parametrize("policy", ["background", "foreground", "orphan"])
def test_cascade(shared: Cluster, namespace: str, version: str, policy: str) -> None:
    owned(shared, namespace, version)

    def names() -> set[str]:
        listed = shared.kubectl(
            "-n", namespace, "get", "pods,configmaps", "-o", "name", version=version
        ).stdout
        return {name.partition("/")[2] for name in listed.split()} - {"kube-root-ca.crt"}

    printed = shared.kubectl(
        "-n", namespace, "delete", "configmap", "owner", f"--cascade={policy}", version=version
    ).stdout
    assert printed.startswith('configmap "owner" deleted')
    assert "owner" not in names(), "kubectl waits for the owner to be gone"
    if policy == "background":
        eventually(lambda: not names(), "the dependent to follow")
    elif policy == "foreground":
        assert not names(), "the dependent was gone before its owner"
    else:
        references = shared.kubectl(
            "-n", namespace, "get", "pod", "child", "-o", "jsonpath={.metadata.ownerReferences}",
            version=version,
        ).stdout  # fmt: skip
        assert references == ""

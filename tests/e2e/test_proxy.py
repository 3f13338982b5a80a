"""Through the API server to nodes, Pods and Services, as ``kubectl get --raw`` and ``proxy`` do."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from support.cluster import KUBECTL, PODIUM, Cluster, eventually, pod


@contextmanager
def kubectl_proxy(shared: Cluster, *program: str | Path) -> Iterator[str]:
    """Run ``kubectl proxy``; yield where it listens."""
    process = subprocess.Popen(
        [*program, "proxy", "--port=0"],
        env={**os.environ, "KUBECONFIG": str(shared.kubeconfig)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        match = re.search(r"127\.0\.0\.1:\d+", process.stdout.readline())
        assert match is not None
        yield f"http://{match[0]}"
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.mark.parametrize("version", ["1.28", "1.37"])
def test_raw_and_proxied(shared: Cluster, namespace: str, version: str) -> None:
    manifest = pod("web", container={"ports": [{"name": "http", "containerPort": 8080}]})
    manifest["metadata"]["namespace"] = namespace
    shared.apply(
        manifest,
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": namespace},
            "spec": {
                "selector": {"app": "web"},
                "ports": [{"name": "main", "port": 80, "targetPort": "http"}],
            },
        },
    )
    shared.wait_ready("web", namespace=namespace)

    def raw(path: str) -> str:
        return shared.kubectl("get", "--raw", path, version=version, check=False).stdout

    summary = json.loads(raw("/api/v1/nodes/node-1/proxy/stats/summary"))
    assert summary["node"]["nodeName"] == "node-1"
    pods = json.loads(raw("/api/v1/nodes/node-1/proxy/pods"))
    assert "web" in [found["metadata"]["name"] for found in pods["items"]]
    below = f"/api/v1/namespaces/{namespace}"
    page = eventually(lambda: raw(f"{below}/pods/web/proxy/"), "a server that listens")
    assert raw(f"{below}/pods/web:8080/proxy/") == page
    for name in ("web:80", "web:main", "http:web:main"):
        eventually(lambda name=name: raw(f"{below}/services/{name}/proxy/") == page, "the page")
    ours = [(PODIUM, "kubectl")] if version == "1.37" else []
    for program in ((KUBECTL[version],), *ours):
        with (
            kubectl_proxy(shared, *program) as address,
            urlopen(f"{address}{below}/services/web:main/proxy/healthy", timeout=60) as response,
        ):
            assert response.status == 200
            assert response.read()


def test_services_without_anybody(shared: Cluster, namespace: str) -> None:
    spec = {"selector": {"app": "nobody"}, "ports": [{"port": 80}]}
    meta = {"name": "empty", "namespace": namespace}
    shared.apply({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})
    path = f"/api/v1/namespaces/{namespace}/services/empty/proxy/"

    def refusal() -> str:
        return shared.kubectl("get", "--raw", path, check=False).stderr.strip()

    expected = 'Error from server (ServiceUnavailable): no endpoints available for service "empty"'
    eventually(lambda: refusal() == expected, expected)

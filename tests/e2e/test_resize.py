"""kubectl and a resize that the node does not carry out: nobody is left in doubt about it."""

from __future__ import annotations

import json
from typing import Any

from support.cluster import Cluster, pod


def test_a_resize_is_stored_and_its_refusal_told(shared: Cluster, namespace: str):
    def kubectl(*words: str) -> str:
        return shared.kubectl("-n", namespace, *words, version="1.37").stdout

    manifest = pod("web")
    asked = {"requests": {"cpu": "50m", "memory": "32Mi"}}
    manifest["spec"]["containers"][0]["resources"] = asked
    shared.apply({**manifest, "metadata": {"name": "web", "namespace": namespace}})
    kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    [before] = shared.get("pod", "web", "-n", namespace)["status"]["containerStatuses"]

    name = manifest["spec"]["containers"][0]["name"]
    patch: dict[str, Any] = {"name": name, "resources": {"requests": {"cpu": "60m"}}}
    body = json.dumps({"spec": {"containers": [patch]}})
    assert kubectl("patch", "pod", "web", "--subresource=resize", "-p", body) == (
        "pod/web patched\n"
    )

    kubectl("wait", "--for=condition=PodResizePending", "pod/web", "--timeout=60s")
    resized = shared.get("pod", "web", "-n", namespace)
    assert resized["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "60m"
    [now] = resized["status"]["containerStatuses"]
    assert now == before, "the container runs on as it was"
    events = kubectl("events", "--for=pod/web")
    assert "In-place resize of Pods is not supported on this node" in events

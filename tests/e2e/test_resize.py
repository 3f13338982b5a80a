"""kubectl resizes a Pod that runs: its cgroups follow, and it says where they cannot."""

from __future__ import annotations

import json
from typing import Any

from podium.runtime.cgroups import Cgroups
from support.cluster import Cluster, eventually, pod

MIB = 1 << 20


def test_a_pod_is_resized_in_place(shared: Cluster, namespace: str):
    def kubectl(*words: str) -> str:
        return shared.kubectl("-n", namespace, *words, version="1.37").stdout

    def status() -> Any:
        return shared.get("pod", "web", "-n", namespace)["status"]

    def conditions() -> dict[str, Any]:
        return {c["type"]: c for c in status()["conditions"] if c["type"].startswith("PodRes")}

    def condition(kind: str, reason: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = conditions().get(kind)
        return found if found and found.get("reason") == reason else None

    def resize(cpu: str, memory: str) -> None:
        amounts = {"cpu": cpu, "memory": memory}
        part = {"name": name, "resources": {"requests": amounts, "limits": amounts}}
        body = json.dumps({"spec": {"containers": [part]}})
        kubectl("patch", "pod", "web", "--subresource=resize", "-p", body)

    cgroups = Cgroups.detect()
    manifest = pod("web")
    amounts = {"cpu": "100m", "memory": "64Mi"}
    manifest["spec"]["containers"][0]["resources"] = {"requests": amounts, "limits": amounts}
    name = manifest["spec"]["containers"][0]["name"]
    shared.apply({**manifest, "metadata": {"name": "web", "namespace": namespace}})
    kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    [before] = status()["containerStatuses"]
    of_pod = (
        f"/podium-{shared.id}/pod{shared.get('pod', 'web', '-n', namespace)['metadata']['uid']}"
    )
    of_container = f"{of_pod}/{before['containerID'].removeprefix('podium://')}"

    resize("200m", "128Mi")
    events = eventually(
        lambda: (text := kubectl("events", "--for=pod/web")) and "ResizeCompleted" in text and text,
        "the resize is done",
    )
    assert "ResizeStarted" in events
    wanted = {"cpu": "200m", "memory": "128Mi"}
    in_force = {"requests": wanted, "limits": wanted}
    eventually(lambda: status()["containerStatuses"][0]["resources"] == in_force, "it is told")
    [now] = status()["containerStatuses"]
    assert now["containerID"] == before["containerID"]
    assert now["allocatedResources"] == wanted
    for path in (of_pod, of_container):
        limits = cgroups.limits(path)
        assert (limits.cpu_quota, limits.memory_limit_bytes) == (20_000, 128 * MIB), path
        assert 195 <= limits.cpu_shares <= 204  # version 2 has fewer steps

    resize("100m", "4Ki")
    failed = eventually(lambda: condition("PodResizeInProgress", "Error"), "it is told")
    assert failed["message"].startswith("cannot decrease memory limits: [attempting to set pod")

    resize("100k", "64Mi")
    refused = eventually(lambda: condition("PodResizePending", "Infeasible"), "it is told")
    assert refused["message"].startswith("Node didn't have enough capacity: cpu, requested: 1000")

    resize("100m", "64Mi")
    eventually(lambda: not conditions(), "the resize is done")
    assert cgroups.limits(of_container).memory_limit_bytes == 64 * MIB
    assert status()["containerStatuses"][0]["restartCount"] == 0

    shared.podium("restart", "pod/web", "-n", namespace)
    eventually(lambda: status()["containerStatuses"][0]["restartCount"] == 1, "a second run")
    resize("50m", "64Mi")  # the first run's limits do not hold this up
    eventually(lambda: cgroups.limits(of_pod).cpu_quota == 5_000, "the Pod is narrowed")
    eventually(lambda: not conditions(), "the resize is done")


def test_a_pod_with_resources_as_a_whole(shared: Cluster, namespace: str):
    cgroups = Cgroups.detect()
    amounts = {"requests": {"cpu": "100m"}, "limits": {"cpu": "200m", "memory": "96Mi"}}
    manifest = pod("whole", resources=amounts)
    shared.apply({**manifest, "metadata": {"name": "whole", "namespace": namespace}})
    shared.wait_ready("whole", namespace=namespace)
    found = shared.get("pod", "whole", "-n", namespace)
    assert found["status"]["qosClass"] == "Burstable"
    container = found["status"]["containerStatuses"][0]["containerID"].removeprefix("podium://")
    of_class = f"/podium-{shared.id}/burstable"
    of_pod = f"{of_class}/pod{found['metadata']['uid']}"
    for path in (of_pod, f"{of_pod}/{container}"):
        limits = cgroups.limits(path)
        assert (limits.cpu_quota, limits.memory_limit_bytes) == (20_000, 96 * MIB), path
    assert cgroups.limits(of_class).cpu_shares >= 95  # others may be there

"""What a Pod costs beyond its containers; which runtimes there are is in the recorded lives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cluster import Cluster, pod
from support.echo import pid_of


@pytest.fixture
def runtime_class(shared: Cluster) -> Iterator[str]:
    overhead = {"podFixed": {"cpu": "250m", "memory": "32Mi"}}
    shared.apply(
        {
            "apiVersion": "node.k8s.io/v1",
            "kind": "RuntimeClass",
            "metadata": {"name": "test-runc"},
            "handler": "runc",
            "overhead": overhead,
        }
    )
    yield "test-runc"
    shared.kubectl("delete", "runtimeclass", "test-runc")


def test_overhead_counts_for_the_pod_alone(shared: Cluster, namespace: str, runtime_class: str):
    limits = {"cpu": "500m", "memory": "64Mi"}
    manifest = pod(
        "heavy", "sleep", "77100",
        runtimeClassName=runtime_class,
        container={"resources": {"limits": limits}},
    )  # fmt: skip
    manifest["metadata"]["namespace"] = namespace
    shared.apply(manifest)
    shared.wait_ready("heavy", namespace=namespace)
    own, pods = memory_limits(pid_of("sleep 77100"))
    assert (own, pods) == (64 << 20, (64 + 32) << 20)
    described = shared.kubectl("describe", "node", "node-1").stdout
    (line,) = (line for line in described.splitlines() if namespace in line)
    assert "750m" in line
    assert "96Mi" in line


def memory_limits(pid: int) -> tuple[int, int]:
    """Limits of the cgroup that a process is in, and of the one above it."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "memory":
            own, file = Path(f"/sys/fs/cgroup/memory{path}"), "memory.limit_in_bytes"
            break
        if not controllers:
            own, file = Path(f"/sys/fs/cgroup{path}"), "memory.max"
    return int((own / file).read_text()), int((own.parent / file).read_text())

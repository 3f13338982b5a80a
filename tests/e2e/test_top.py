"""``kubectl top``, unmodified."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from support.cluster import Cluster, eventually, pod


@pytest.mark.parametrize("version", ["1.28", "1.37"])
def test_top(shared: Cluster, namespace: str, version: str):
    burn = {"name": "burn", "image": "localhost/kuard:demo", "command": ["sh", "-c"]}
    burn["args"] = ["echo takes room > /file; while :; do :; done"]
    burn["resources"] = {"limits": {"cpu": "200m"}}
    manifest = pod("web", container=burn)
    manifest["metadata"]["namespace"] = namespace
    manifest["spec"]["terminationGracePeriodSeconds"] = 0
    shared.apply(manifest)
    shared.wait_ready("web", namespace=namespace)

    def top(*words: str) -> list[list[str]]:
        text = shared.kubectl("top", *words, "-n", namespace, version=version).stdout
        return [line.split() for line in text.splitlines()]

    eventually(
        lambda: not shared.kubectl("top", "pod", "-n", namespace, check=False).returncode,
        "the first sample",
    )
    [head, row] = top("pod", "--containers")
    assert head == ["POD", "NAME", "CPU(cores)", "MEMORY(bytes)"]
    assert row[:2] == ["web", "burn"]
    eventually(lambda: int(top("pod", "web")[1][1].removesuffix("m")) > 20, "it uses CPU")
    assert re.fullmatch(r"\d+Mi", top("pod", "-l", "app=web")[1][2])
    [head, row] = top("node")
    assert row[0] == "node-1"
    assert int(row[1].removesuffix("m")) > 0
    metrics = shared.kubectl(
        "get", "--raw", "/api/v1/nodes/node-1/proxy/metrics/cadvisor", version=version
    ).stdout
    line = next(
        line
        for line in metrics.splitlines()
        if line.startswith("container_cpu_usage_seconds_total") and f'"{namespace}"' in line
    )
    assert float(line.split()[-2]) > 0

    def summary() -> dict[str, Any]:
        path = "/api/v1/nodes/node-1/proxy/stats/summary"
        pods = json.loads(shared.kubectl("get", "--raw", path, version=version).stdout)["pods"]
        [told] = [p for p in pods if p["podRef"]["namespace"] == namespace]
        return dict(told)

    assert summary()["network"]["name"] == "eth0"
    # Disks are measured now and then: perhaps before the file was there.
    eventually(lambda: summary()["containers"][0]["rootfs"]["usedBytes"], "a file of some size")

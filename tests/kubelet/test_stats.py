"""What the kubelet tells about what is used."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podium.kubelet.stats.disks import PodPlaces, volume_readings
from podium.kubelet.stats.prometheus import Sample, family
from podium.runtime.network.interfaces import interfaces, seen_from_inside
from podium.runtime.port import RuntimeFailure
from podium.runtime.stats_port import NetworkInterfaceUsage
from support.node import NODE, Node
from support.objects import container, pod


async def summary(node: Node, query: str = "") -> Any:
    status, text = await node.fetch(f"/stats/summary{query}")
    assert status == 200, text
    return json.loads(text)


async def test_the_summary_tells_of_node_pods_and_containers(node):
    volumes = [{"name": "scratch", "emptyDir": {}}]
    limits = {
        "resources": {"limits": {"memory": "64Mi"}},
        "volumeMounts": [{"name": "scratch", "mountPath": "/s"}],
    }
    await node.create(limits, volumes=volumes)
    pod = await node.running()

    told = await summary(node)

    of_node = told["node"]
    assert of_node["nodeName"] == NODE
    assert of_node["memory"]["workingSetBytes"] > 0
    assert of_node["memory"]["availableBytes"] > 0
    assert of_node["rlimit"]["maxpid"] > of_node["rlimit"]["curproc"] > 0
    for disk in (of_node["fs"], *of_node["runtime"].values()):
        assert disk["capacityBytes"] > disk["availableBytes"]
    [of_pod] = told["pods"]
    assert of_pod["podRef"] == {"name": "p", "namespace": "default", "uid": pod.metadata.uid}
    assert of_pod["network"]["rxBytes"] == 10
    volumes = {volume["name"].split("-")[0]: volume for volume in of_pod["volume"]}
    assert volumes.keys() == {"scratch", "kube"}  # the other holds the token
    assert all(volume["inodesUsed"] > 0 for volume in volumes.values())
    assert of_pod["ephemeral-storage"]["usedBytes"] >= 4096
    assert of_pod["process_stats"] == {"process_count": 1}
    [container] = of_pod["containers"]
    assert container["name"] == "c"
    assert container["cpu"]["usageCoreNanoSeconds"] == 1_000_000
    assert container["memory"]["availableBytes"] == (64 << 20) - (1 << 20)
    assert container["rootfs"]["usedBytes"] == 4096
    assert container["logs"]["inodesUsed"] > 0


async def test_cpu_in_use_is_what_was_used_since_somebody_asked_last(node):
    await node.create()
    await node.running()
    first = (await summary(node))["pods"][0]["containers"][0]["cpu"]
    assert "usageNanoCores" not in first
    node.runtime.cpu_used += 2_000_000_000
    await node.pass_time(4)
    second = (await summary(node))["pods"][0]["containers"][0]["cpu"]
    assert second["usageNanoCores"] == 500_000_000


async def test_who_looks_after_disks_takes_no_samples_of_cpu(node):
    """They would stay for ever where nobody asks for rates."""
    await node.create({"resources": {"limits": {"ephemeral-storage": "1Gi"}}})
    await node.running()
    await node.pass_time(30)
    told = (await summary(node))["pods"][0]
    assert "usageNanoCores" not in told["cpu"]
    assert "usageNanoCores" not in told["containers"][0]["cpu"]


async def test_the_short_form_has_cpu_and_memory_alone(node):
    await node.create()
    await node.running()
    told = await summary(node, "?only_cpu_and_memory=true")
    assert told["node"].keys() == {
        "nodeName", "systemContainers", "startTime", "cpu", "memory", "swap"
    }  # fmt: skip
    assert told["pods"][0].keys() == {"podRef", "startTime", "containers", "cpu", "memory"}
    assert told["pods"][0]["containers"][0].keys() == {
        "name", "startTime", "cpu", "memory", "swap"
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/metrics", "/metrics/resource", "/stats/summary"])
async def test_a_runtime_that_does_not_answer_is_told_of(node, monkeypatch, path):
    async def fail() -> None:
        raise RuntimeFailure("it is stuck")

    monkeypatch.setattr(node.runtime, "list_containers", fail)
    assert await node.fetch(path) == (500, "failed to get stats: it is stuck\n")


async def test_metrics_that_metrics_servers_read(node):
    await node.create()
    await node.running()
    status, text = await node.fetch("/metrics/resource")
    assert status == 200
    at = int(node.clock.now().timestamp() * 1000)
    labels = '{container="c",namespace="default",pod="p"}'
    lines = text.splitlines()
    assert f"container_cpu_usage_seconds_total{labels} 0.001 {at}" in lines
    assert f"container_memory_working_set_bytes{labels} 1048576 {at}" in lines
    assert "# TYPE container_cpu_usage_seconds_total counter" in lines
    assert "resource_scrape_error 0" in lines
    names = {line.split("{")[0].split(" ")[0] for line in lines if not line.startswith("#")}
    assert {"node_cpu_usage_seconds_total", "pod_memory_working_set_bytes"} <= names


async def test_metrics_of_every_cgroup(node):
    limits = {"resources": {"limits": {"memory": "64Mi", "cpu": "100m"}}}
    await node.create(limits)
    pod = await node.running()
    status, text = await node.fetch("/metrics/cadvisor")
    assert status == 200
    at = int(node.clock.now().timestamp() * 1000)
    run = pod.status.container_statuses[0].container_id.removeprefix("podium://")
    cgroup = f"/podium-test/pod{pod.metadata.uid}"
    of_pod = f'container="",id="{cgroup}",image="",name="",namespace="default",pod="p"'
    image = "docker.io/library/busybox:1.36"
    of_container = (
        f'container="c",id="{cgroup}/{run}",image="{image}",name="{run}",namespace="default",'
        'pod="p"'
    )
    lines = text.splitlines()
    assert f'container_cpu_usage_seconds_total{{{of_container},cpu="total"}} 0.001 {at}' in lines
    assert f"container_memory_working_set_bytes{{{of_container}}} 1048576 {at}" in lines
    assert f"container_oom_events_total{{{of_container}}} 3 {at}" in lines
    assert f"container_spec_memory_limit_bytes{{{of_pod}}} 67108864 {at}" in lines
    assert f'container_network_receive_bytes_total{{{of_pod},interface="eth0"}} 10 {at}' in lines
    root = 'container="",id="/",image="",name="",namespace="",pod=""'
    assert any(line.startswith(f"container_memory_usage_bytes{{{root}}} ") for line in lines)
    assert "# TYPE container_cpu_usage_seconds_total counter" in lines
    assert any(line.startswith("machine_cpu_cores ") for line in lines)


async def test_metrics_of_probes(node):
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1}
    await node.create({"readinessProbe": probe})
    await node.running()
    await node.until(lambda: any("Unhealthy" in text for text in node.messages()), step=0.5)
    status, text = await node.fetch("/metrics/probes")
    assert status == 200
    uid = node.pod().metadata.uid
    labels = 'container="c",namespace="default",pod="p",probe_type="Readiness"'
    lines = text.splitlines()
    totals = [line for line in lines if line.startswith("prober_probe_total{")]
    [total] = totals
    begin, _, count = total.rpartition(" ")
    assert begin == f'prober_probe_total{{{labels},pod_uid="{uid}",result="failed"}}'
    assert f'prober_probe_duration_seconds_bucket{{{labels},le="0.005"}} {count}' in lines
    assert f'prober_probe_duration_seconds_bucket{{{labels},le="+Inf"}} {count}' in lines
    assert f"prober_probe_duration_seconds_count{{{labels}}} {count}" in lines
    await node.delete(grace=0)
    await node.until(lambda: not node.cgroups.pods, step=0.5)
    await node.until(lambda: not list((node.directory / "logs").iterdir()), step=0.5)
    assert (await node.fetch("/metrics/probes"))[1] == ""


def test_a_claimed_volume_is_as_full_as_its_file_system(tmp_path):
    claim = {"persistentVolumeClaim": {"claimName": "data"}}
    made = pod({"containers": [container()], "volumes": [{"name": "v", **claim}]})
    found = PodPlaces({}, {}, {"v": str(tmp_path)}, ("", ""))
    [reading] = volume_readings(made, found, {})
    assert (reading.name, reading.claim, reading.ephemeral) == ("v", "data", False)
    whole = reading.file_system
    assert reading.used.bytes == whole.capacity - whole.available > 0
    gone = PodPlaces({}, {}, {"v": str(tmp_path / "gone")}, ("", ""))
    assert list(volume_readings(made, gone, {})) == []


@pytest.mark.parametrize(
    ("labels", "value", "line"),
    [
        pytest.param({}, 3, "m 3", id="plain"),
        pytest.param({"a": 'x"y\\z\n'}, 0.5, 'm{a="x\\"y\\\\z\\n"} 0.5', id="escaped"),
        pytest.param({}, 1e-7, "m 1e-07", id="small"),
    ],
)
def test_samples(labels, value, line):
    text = family("m", "gauge", "words", [Sample(labels, value)])
    assert text == f"# HELP m words\n# TYPE m gauge\n{line}\n"


def test_interfaces_as_the_kernel_tells_them():
    text = (
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs "
        "drop fifo colls carrier compressed\n"
        "  veth1: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n"
    )
    found = interfaces(text)
    assert found == {"veth1": NetworkInterfaceUsage("veth1", 1, 2, 3, 4, 5, 6, 7, 8)}
    inside = seen_from_inside(found["veth1"])
    assert inside == NetworkInterfaceUsage("eth0", 5, 6, 7, 8, 1, 2, 3, 4)

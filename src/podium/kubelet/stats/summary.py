"""``/stats/summary``: a reading as ``stats/v1alpha1``'s Summary. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from podium.api.go_time import format_time
from podium.kit.disk_usage import DiskUsage
from podium.kubelet.stats.readings import (
    ContainerReading,
    FileSystem,
    NodeReading,
    PodReading,
    Reading,
    VolumeReading,
)
from podium.runtime.stats_port import CpuMemoryUsage, NetworkInterfaceUsage

Part = dict[str, Any]


def summary(reading: Reading, *, only_cpu_and_memory: bool = False) -> Part:
    told = _Teller(reading.time)
    node, pods = told.node(reading.node), [told.pod(pod) for pod in reading.pods]
    if only_cpu_and_memory:
        node = _picked(node, "nodeName", "systemContainers", "startTime", "cpu", "memory", "swap")
        pods = [_picked(p, "podRef", "startTime", "containers", "cpu", "memory") for p in pods]
        for pod in pods:
            pod["containers"] = [
                _picked(c, "name", "startTime", "cpu", "memory", "swap") for c in pod["containers"]
            ]
    return {"node": node, "pods": pods}


def _picked(part: Part, *names: str) -> Part:
    return {name: part[name] for name in names if name in part}


class _Teller:
    def __init__(self, time: datetime) -> None:
        self._time = format_time(time)

    def node(self, node: NodeReading) -> Part:
        images = self._disk(node.images, node.images_used)
        return {
            "nodeName": node.name,
            "systemContainers": self._system(node),
            "startTime": format_time(node.started_at),
            **self._compute(node.usage, node.nano_cores, node.memory),
            "network": self._network(list(node.network.values()), node.default_link),
            "fs": self._disk(node.file_system),
            "runtime": {"imageFs": images, "containerFs": self._disk(node.containers)},
            "rlimit": {"time": self._time, "maxpid": node.max_pid, "curproc": node.processes},
            "swap": {
                "time": self._time,
                "swapAvailableBytes": max(node.swap - node.usage.swap_usage_bytes, 0),
                "swapUsageBytes": node.usage.swap_usage_bytes,
            },
        }

    def _system(self, node: NodeReading) -> list[Part]:
        """All Pods together; the rest of upstream's system containers have no cgroup here."""
        if node.pods is None:
            return []
        compute = self._compute(node.pods, node.pods_nano_cores, node.memory)
        return [{"name": "pods", "startTime": format_time(node.started_at), **compute}]

    def pod(self, reading: PodReading) -> Part:
        meta, status = reading.pod.metadata, reading.pod.status
        started = status.start_time or meta.creation_timestamp
        part: Part = {
            "podRef": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid},
            "startTime": format_time(started) if started else None,
            "containers": [self._container(container) for container in reading.containers],
        }
        if reading.usage is not None:
            part |= self._compute(reading.usage, reading.nano_cores)
            part["swap"] = {
                "time": self._time, "swapUsageBytes": reading.usage.swap_usage_bytes
            }  # fmt: skip
        if reading.network:
            part["network"] = self._network(reading.network, reading.network[0].name)
        if reading.volumes:
            part["volume"] = [self._volume(v, meta.namespace) for v in reading.volumes]
        if reading.own_files is not None and reading.containers[0].rootfs is not None:
            part["ephemeral-storage"] = self._used(reading.ephemeral_storage)
        part["process_stats"] = {"process_count": reading.processes}
        return part

    def _container(self, reading: ContainerReading) -> Part:
        limit = reading.memory_limit
        part: Part = {
            "name": reading.name,
            "startTime": format_time(reading.started_at),
            **self._compute(reading.usage, reading.nano_cores, limit),
            "swap": {"time": self._time, "swapUsageBytes": reading.usage.swap_usage_bytes},
        }
        for name, used in (("rootfs", reading.rootfs), ("logs", reading.logs)):
            if used is not None:
                part[name] = self._used(used)
        return part

    def _compute(self, usage: CpuMemoryUsage, nano_cores: int | None, capacity: int = 0) -> Part:
        cpu: Part = {"time": self._time, "usageCoreNanoSeconds": usage.cpu_usage_nanoseconds}
        if nano_cores is not None:
            cpu["usageNanoCores"] = nano_cores
        memory: Part = {"time": self._time}
        if capacity:
            memory["availableBytes"] = max(capacity - usage.memory_working_set_bytes, 0)
        memory |= {
            "usageBytes": usage.memory_usage_bytes,
            "workingSetBytes": usage.memory_working_set_bytes,
            "rssBytes": usage.memory_rss_bytes,
            "pageFaults": usage.page_faults,
            "majorPageFaults": usage.major_page_faults,
        }
        return {"cpu": cpu, "memory": memory}

    def _network(self, links: Sequence[NetworkInterfaceUsage], default: str) -> Part:
        first = [_link(link) for link in links if link.name == default]
        return {
            "time": self._time,
            **(first[0] if first else {"name": ""}),
            "interfaces": [_link(link) for link in links],
        }

    def _disk(self, found: FileSystem, used: DiskUsage | None = None) -> Part:
        return {
            "time": self._time,
            "availableBytes": found.available,
            "capacityBytes": found.capacity,
            "usedBytes": used.bytes if used else found.capacity - found.available,
            "inodesFree": found.inodes_free,
            "inodes": found.inodes,
            "inodesUsed": used.inodes if used else found.inodes - found.inodes_free,
        }

    def _volume(self, volume: VolumeReading, namespace: str) -> Part:
        part = {**self._disk(volume.file_system, volume.used), "name": volume.name}
        if volume.claim:
            part["pvcRef"] = {"name": volume.claim, "namespace": namespace}
        return part

    def _used(self, used: DiskUsage) -> Part:
        return {"time": self._time, "usedBytes": used.bytes, "inodesUsed": used.inodes}


def _link(link: NetworkInterfaceUsage) -> Part:
    return {
        "name": link.name,
        "rxBytes": link.rx_bytes,
        "rxErrors": link.rx_errors,
        "txBytes": link.tx_bytes,
        "txErrors": link.tx_errors,
    }

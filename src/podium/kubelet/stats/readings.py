"""What was read at one moment. Plain values; sizes are bytes, CPU is nanoseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from podium.api.types.core_v1 import Pod
from podium.kit.disk_usage import DiskUsage
from podium.runtime.stats_port import CpuMemoryUsage, NetworkInterfaceUsage


class FileSystem(msgspec.Struct, frozen=True):
    """A file system as a whole."""

    available: int
    capacity: int
    inodes_free: int
    inodes: int
    device: int = 0


class ContainerReading(msgspec.Struct, frozen=True, kw_only=True):
    """``rootfs`` and ``logs`` are None where disks were not looked at."""

    id: str
    name: str
    image: str
    started_at: datetime
    usage: CpuMemoryUsage
    nano_cores: int | None
    memory_limit: int = 0
    rootfs: DiskUsage | None = None
    logs: DiskUsage | None = None


class VolumeReading(msgspec.Struct, frozen=True, kw_only=True):
    """``file_system`` is the one that the volume lies on, or is."""

    name: str
    used: DiskUsage
    file_system: FileSystem
    claim: str = ""
    ephemeral: bool = False  #: counts as the Pod's local storage


class PodReading(msgspec.Struct, frozen=True, kw_only=True):
    pod: Pod
    sandbox_id: str
    cgroup: str
    usage: CpuMemoryUsage | None
    nano_cores: int | None
    processes: int
    containers: Sequence[ContainerReading]
    network: Sequence[NetworkInterfaceUsage] = ()
    volumes: Sequence[VolumeReading] = ()
    own_files: DiskUsage | None = None  #: /etc/hosts, termination messages

    @property
    def ephemeral_storage(self) -> DiskUsage:
        """What counts against limits of ephemeral storage: roots, logs, local volumes."""
        parts = [c.rootfs for c in self.containers] + [c.logs for c in self.containers]
        parts += [volume.used for volume in self.volumes if volume.ephemeral]
        parts.append(self.own_files)
        known = [part for part in parts if part is not None]
        return DiskUsage(sum(p.bytes for p in known), sum(p.inodes for p in known))


class NodeReading(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    started_at: datetime  #: when the machine was
    usage: CpuMemoryUsage
    nano_cores: int | None
    memory: int
    network: Mapping[str, NetworkInterfaceUsage]
    default_link: str
    file_system: FileSystem
    images: FileSystem
    images_used: DiskUsage
    containers: FileSystem
    max_pid: int
    processes: int
    swap: int = 0
    cpus: int = 1
    pods: CpuMemoryUsage | None = None  #: all of them together
    pods_nano_cores: int | None = None


class Reading(msgspec.Struct, frozen=True):
    time: datetime
    node: NodeReading
    pods: Sequence[PodReading] = ()

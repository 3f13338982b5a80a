"""What a Pod has on the node's disks: logs, volumes, files of the kubelet's for it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from podium.api.types.core_v1 import Pod, Volume
from podium.domain.pods.claimed_volumes import claim_name
from podium.domain.pods.containers import every_container
from podium.domain.pods.empty_dirs import MEMORY
from podium.domain.pods.identity import log_directory_name
from podium.kit.disk_usage import DiskUsage
from podium.kubelet.options import KubeletOptions
from podium.kubelet.stats.readings import FileSystem, VolumeReading
from podium.kubelet.volumes.manager import disk_path


@dataclass(frozen=True, slots=True)
class PodPlaces:
    """Directories of one Pod, as text: those of its volumes by name, of its logs by container."""

    logs: Mapping[str, str]
    volumes: Mapping[str, str]
    own: tuple[str, str]

    def all(self) -> Iterator[str]:
        yield from self.logs.values()
        yield from self.volumes.values()
        yield from self.own


def places(pod: Pod, options: KubeletOptions) -> PodPlaces:
    meta = pod.metadata
    logs = options.log_dir / log_directory_name(meta.namespace, meta.name, meta.uid)
    directory = options.pod_dir(meta.uid)
    containers = every_container(pod)
    volumes = {
        v.name: str(found) for v in pod.spec.volumes if (found := _place(v, meta.uid, options))
    }
    own = (str(directory / "etc-hosts"), str(directory / "containers"))
    return PodPlaces({c.name: str(logs / c.name) for c in containers}, volumes, own)


def _place(volume: Volume, uid: str, options: KubeletOptions) -> Path | None:
    """Where a volume of the Pod's own lies that may grow; what the kubelet fills does not."""
    if volume.empty_dir is None:
        return None
    in_memory = volume.empty_dir.medium == MEMORY
    return disk_path(options.secret_dir(uid) if in_memory else options.pod_dir(uid), volume.name)


def volume_readings(
    pod: Pod, found: PodPlaces, used: Mapping[str, DiskUsage]
) -> Iterator[VolumeReading]:
    for volume in pod.spec.volumes:
        path = found.volumes.get(volume.name)
        if path is None or path not in used:
            continue
        yield VolumeReading(
            name=volume.name,
            used=used[path],
            file_system=file_system(path),
            claim=claim_name(pod, volume) or "",
            ephemeral=volume.empty_dir is not None and volume.empty_dir.medium != MEMORY,
        )


def file_system(path: str | Path) -> FileSystem:
    """Raises OSError."""
    found = os.statvfs(path)
    return FileSystem(
        available=found.f_bavail * found.f_frsize,
        capacity=found.f_blocks * found.f_frsize,
        inodes_free=found.f_favail,
        inodes=found.f_files,
        device=os.stat(path).st_dev,
    )

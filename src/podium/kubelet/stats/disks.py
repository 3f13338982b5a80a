"""What a Pod has on the node's disks: logs, volumes, files of the kubelet's for it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from podium.api.types.core_v1 import Pod, Volume
from podium.domain.pods.claimed_volumes import claim_name
from podium.domain.pods.containers import every_container
from podium.domain.pods.empty_dirs import MEMORY
from podium.domain.pods.identity import log_directory_name
from podium.kit.disk_usage import DiskUsage
from podium.kubelet.options import KubeletOptions
from podium.kubelet.stats.readings import FileSystem, VolumeReading


class PodPlaces(msgspec.Struct, frozen=True):
    """Directories of one Pod, as text: logs by container, its own volumes and claimed ones by name,
    and what the kubelet keeps for it."""

    logs: Mapping[str, str]
    volumes: Mapping[str, str]
    claimed: Mapping[str, str]
    own: tuple[str, str]

    def counted(self) -> Iterator[str]:
        """What has to be counted; what others share is as large as its file system says."""
        yield from self.logs.values()
        yield from self.volumes.values()
        yield from self.own


def places(pod: Pod, options: KubeletOptions, volumes: Mapping[str, str]) -> PodPlaces:
    """*volumes* says where those of the Pod lie."""
    meta = pod.metadata
    logs = options.log_dir / log_directory_name(meta.namespace, meta.name, meta.uid)
    directory = options.pod_dir(meta.uid)
    claimed = {volume.name for volume in pod.spec.volumes if claim_name(pod, volume)}
    return PodPlaces(
        logs={c.name: str(logs / c.name) for c in every_container(pod)},
        volumes={name: path for name, path in volumes.items() if name not in claimed},
        claimed={name: path for name, path in volumes.items() if name in claimed},
        own=(str(directory / "etc-hosts"), str(directory / "containers")),
    )


def volume_readings(
    pod: Pod, found: PodPlaces, used: Mapping[str, DiskUsage]
) -> Iterator[VolumeReading]:
    for volume in pod.spec.volumes:
        path = found.volumes.get(volume.name, "")
        try:
            if path in used:
                yield VolumeReading(
                    name=volume.name,
                    used=used[path],
                    file_system=file_system(path),
                    ephemeral=_is_ephemeral(volume),
                )
            elif volume.name in found.claimed:
                whole = file_system(found.claimed[volume.name])
                taken = DiskUsage(
                    whole.capacity - whole.available, whole.inodes - whole.inodes_free
                )
                claim = claim_name(pod, volume)
                yield VolumeReading(name=volume.name, used=taken, file_system=whole, claim=claim)
        except OSError:
            continue  # it has just gone, with its Pod


def _is_ephemeral(volume: Volume) -> bool:
    """Whether a volume counts as the Pod's local storage, as upstream counts."""
    in_memory = volume.empty_dir is not None and volume.empty_dir.medium == MEMORY
    return (volume.empty_dir is not None and not in_memory) or volume.config_map is not None


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

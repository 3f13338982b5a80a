"""Where a container's volumes are mounted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from podium.api.types.core_v1 import Container, Pod
from podium.domain.pods.sub_paths import sub_path
from podium.kubelet.volumes.manager import PodVolumes
from podium.runtime.port import Mount, MountPropagation

_PROPAGATION = {
    "HostToContainer": MountPropagation.HOST_TO_CONTAINER,
    "Bidirectional": MountPropagation.BIDIRECTIONAL,
}


def volume_mounts(
    pod: Pod,
    container: Container,
    envs: Mapping[str, str],
    volumes: PodVolumes,
    images: Mapping[str, str],
) -> Iterator[Mount]:
    """Yield the mounts in the order of the spec; parts of volumes are made and pinned. *images*
    are the IDs of those that are mounted, by volume.

    What the kubelet fills is read-only to the container, whatever the mount says. The volumes must
    be set up. Raises VolumeProblem.
    """
    by_name = {volume.name: volume for volume in pod.spec.volumes}
    for number, mount in enumerate(container.volume_mounts):
        volume = by_name[mount.name]
        part = sub_path(mount, envs)
        if volume.image is not None:
            image = images[volume.name]
            yield Mount(mount.mount_path, "", True, image=image, image_sub_path=part)
            continue
        path, readonly = volumes.source(volume)
        if part:
            path = volumes.pin(volume, container, number, part)
        recursive = mount.read_only and mount.recursive_read_only in ("Enabled", "IfPossible")
        yield Mount(
            mount.mount_path,
            path,
            mount.read_only or readonly,
            _PROPAGATION.get(mount.mount_propagation or "", MountPropagation.PRIVATE),
            recursive,
        )

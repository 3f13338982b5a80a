"""The PersistentVolumes behind a Pod's claims, asked of the API one by one."""

from __future__ import annotations

import os
from collections.abc import Callable

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.core_v1 import Node, Pod, Volume
from podium.client.client import Client
from podium.client.errors import Unreachable
from podium.domain.pods.claimed_volumes import (
    ClaimedVolume,
    bound_to,
    claim_name,
    on_node,
    unfetched,
    volume_unfetched,
)
from podium.domain.pods.volume_files import VolumeProblem


class PodClaims:
    """What the claims of one Pod have led to; that stays so as long as the Pod lives."""

    def __init__(self, client: Client, node: Callable[[], Node]) -> None:
        self._client, self._node = client, node
        self._found: dict[str, ClaimedVolume] = {}

    def found(self, volume: Volume) -> ClaimedVolume | None:
        return self._found.get(volume.name)

    async def find(self, pod: Pod, volume: Volume) -> None:
        """Look for *volume*. Raises VolumeProblem."""
        if volume.name in self._found:
            return
        namespace, name = pod.metadata.namespace, claim_name(pod, volume)
        try:
            claim = await self._client.get(scheme.PERSISTENTVOLUMECLAIMS, name, namespace)
        except (ApiError, Unreachable) as exc:
            raise unfetched(namespace, name, exc) from exc
        wanted = bound_to(pod, volume, claim)
        try:
            persistent = await self._client.get(scheme.PERSISTENTVOLUMES, wanted)
        except (ApiError, Unreachable) as exc:
            raise volume_unfetched(claim, exc) from exc
        self._found[volume.name] = on_node(volume, claim, persistent, self._node())


def check_local(path: str) -> None:
    """Raise VolumeProblem where there is no directory at *path*: a disk is not mounted by us."""
    if not os.path.exists(path):
        raise VolumeProblem(f'path "{path}" does not exist')
    if not os.path.isdir(path):
        raise VolumeProblem(f'path "{path}" is not a directory: disks are not mounted by this node')

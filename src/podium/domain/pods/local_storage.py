"""What a Pod may keep on the node's disks, and who keeps more than that.

Follows ``localStorageEviction`` of ``pkg/kubelet/eviction``.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from podium.api.quantity import to_int
from podium.api.resources import as_written, pod_limits
from podium.api.types.core_v1 import Pod
from podium.domain.pods.empty_dirs import exceeded, size_limits

RESOURCE = "ephemeral-storage"


class StorageUse(msgspec.Struct, frozen=True):
    """Bytes: of volumes by name, of containers' roots and logs by name, and of all together."""

    volumes: Mapping[str, int] = msgspec.field(default_factory=dict)
    containers: Mapping[str, int] = msgspec.field(default_factory=dict)
    total: int = 0


def is_limited(pod: Pod) -> bool:
    """Whether there is anything to keep an eye on."""
    return bool(size_limits(pod)) or RESOURCE in pod_limits(pod)


def too_much(pod: Pod, use: StorageUse) -> str:
    """Return upstream's message about the first limit that is exceeded; "" where none is."""
    message = exceeded(pod, use.volumes)
    if message:
        return message
    limits = pod_limits(pod)
    if RESOURCE in limits and use.total * 1000 > limits[RESOURCE]:
        limit = as_written(pod, limits)[RESOURCE]
        return f"Pod ephemeral local storage usage exceeds the total limit of containers {limit}. "
    for container in pod.spec.containers:
        text = container.resources.limits.get(RESOURCE, "0")
        if to_int(text) and use.containers.get(container.name, 0) > to_int(text):
            return (
                f'Container {container.name} exceeded its local ephemeral storage limit "{text}". '
            )
    return ""

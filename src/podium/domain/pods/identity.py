"""What ties runtime objects to the Pods that they were made for.

The label and annotation names are those of upstream's kubelet, so that tools that read them
(and another kubelet) understand ours; ``podium.io/restart-back-off`` is our own.
"""

from __future__ import annotations

import json
import zlib

from podium.api.types.core_v1 import Container, Pod

POD_NAME = "io.kubernetes.pod.name"
POD_NAMESPACE = "io.kubernetes.pod.namespace"
POD_UID = "io.kubernetes.pod.uid"
CONTAINER_NAME = "io.kubernetes.container.name"

CONTAINER_HASH = "io.kubernetes.container.hash"
RESTART_COUNT = "io.kubernetes.container.restartCount"
TERMINATION_MESSAGE_PATH = "io.kubernetes.container.terminationMessagePath"
TERMINATION_MESSAGE_POLICY = "io.kubernetes.container.terminationMessagePolicy"
GRACE_PERIOD = "io.kubernetes.pod.terminationGracePeriod"
RESTART_BACK_OFF = "podium.io/restart-back-off"


def container_hash(container: Container) -> str:
    """Name what a running container has to be replaced for when it changes: its image.

    Upstream (1.31 and later) takes name and image, too: nothing else of a container can change
    that would not be applied in place.
    """
    picked = json.dumps([container.name, container.image], separators=(",", ":"))
    return f"{zlib.crc32(picked.encode()):x}"


def pod_key(pod: Pod) -> str:
    return f"{pod.metadata.namespace}/{pod.metadata.name}"


def pod_full_name(pod: Pod) -> str:
    """``name_namespace(uid)``, as messages have it."""
    return f"{pod.metadata.name}_{pod.metadata.namespace}({pod.metadata.uid})"


def log_directory_name(namespace: str, name: str, uid: str) -> str:
    """The directory of a Pod's logs below ``/var/log/pods``."""
    return f"{namespace}_{name}_{uid}"

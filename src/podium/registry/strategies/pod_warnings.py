"""What is allowed in a Pod and yet likely a mistake.

Follows ``pkg/api/pod/warnings.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from podium.api.field import Path
from podium.api.quantity import to_milli
from podium.api.types.core_v1 import ContainerPort, Pod, Volume
from podium.api.validation.mounts import AnyContainer
from podium.api.validation.operating_system import all_containers
from podium.api.validation.pod_annotations import APP_ARMOR, SECCOMP_CONTAINER, SECCOMP_POD

SPEC = Path("spec")
_VOLUMES = (
    ("photon_persistent_disk", "photonPersistentDisk", "v1.11, non-functional in v1.16+"),
    ("git_repo", "gitRepo", "v1.11, and disabled by default in v1.33+"),
    ("scale_io", "scaleIO", "v1.16, non-functional in v1.22+"),
    ("flocker", "flocker", "v1.22, non-functional in v1.25+"),
    ("storageos", "storageOS", "v1.22, non-functional in v1.25+"),
    ("quobyte", "quobyte", "v1.22, non-functional in v1.25+"),
    ("glusterfs", "glusterfs", "v1.25, non-functional in v1.26+"),
    ("cephfs", "cephfs", "v1.28, non-functional in v1.31+"),
    ("rbd", "rbd", "v1.28, non-functional in v1.31+"),
)
_NODE_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": (
        'deprecated since v1.17; use "topology.kubernetes.io/region" instead'
    ),
    "failure-domain.beta.kubernetes.io/zone": (
        'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'
    ),
    "beta.kubernetes.io/instance-type": (
        'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'
    ),
}


def pod_warnings(pod: Pod) -> Iterator[str]:
    """Yield the warnings that a Pod's spec and annotations earn."""
    for key in sorted(pod.spec.node_selector):
        if key in _NODE_LABELS:
            yield f"{SPEC.child('nodeSelector').key(key)}: {_NODE_LABELS[key]}"
    for i, volume in enumerate(pod.spec.volumes):
        yield from _volume_warnings(SPEC.child("volumes").index(i), volume)
    for key in sorted(pod.metadata.annotations):
        at = Path("metadata.annotations").key(key)
        if key == SECCOMP_POD or key.startswith(SECCOMP_CONTAINER):
            yield f'{at}: non-functional in v1.27+; use the "seccompProfile" field instead'
        elif key.startswith(APP_ARMOR):
            yield f'{at}: deprecated since v1.30; use the "appArmorProfile" field instead'
    taken: dict[tuple[str, int], Path] = {}
    for path, container in all_containers(SPEC, pod.spec):
        yield from _container_warnings(path, container)
        yield from _port_warnings(path.child("ports"), container.ports, taken)
    grace = pod.spec.termination_grace_period_seconds
    if grace is not None and grace < 0:
        at = SPEC.child("terminationGracePeriodSeconds")
        yield f"{at}: must be >= 0; negative values are invalid and will be treated as 1"


def _volume_warnings(path: Path, volume: Volume) -> Iterator[str]:
    for attribute, name, since in _VOLUMES:
        if getattr(volume, attribute) is not None:
            yield f"{path.child(name)}: deprecated in {since}"


def _container_warnings(path: Path, container: AnyContainer) -> Iterator[str]:
    for part in ("limits", "requests"):
        for name in ("ephemeral-storage", "memory"):
            amount = getattr(container.resources, part).get(name)
            if amount is not None and to_milli(amount) % 1000:
                at = path.child("resources", part).key(name)
                yield f'{at}: fractional byte value "{amount}" is invalid, must be an integer'
    seen: set[str] = set()
    for i, variable in enumerate(container.env):
        if variable.name in seen:
            at = path.child("env").index(i)
            yield (
                f'{at}: hides previous definition of "{variable.name}", '
                "which may be dropped when using apply"
            )
        seen.add(variable.name)


def _port_warnings(
    path: Path, ports: list[ContainerPort], taken: dict[tuple[str, int], Path]
) -> Iterator[str]:
    own: set[tuple[str, int]] = set()
    for i, port in enumerate(ports):
        key = (port.protocol, port.container_port)
        at = path.index(i)
        if key in own:
            yield f"{at}: duplicate port definition with {taken[key]}"
        own.add(key)
        taken[key] = taken.get(key, at) if str(taken.get(key, "")).startswith(str(path)) else at

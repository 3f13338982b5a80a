"""Static Pods, made from manifests on the node, and the mirror Pods that show them in the API.

Follows ``pkg/kubelet/pod/mirror_client.go``.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from podium.api.annotations import HASH, MIRROR, SOURCE
from podium.api.types.core_v1 import Node, Pod, PodStatus
from podium.api.types.meta_v1 import ObjectMeta, OwnerReference

#: The source that manifests are.
FILE = "file"


def mirror_of(pod: Pod, node: Node) -> Pod:
    """Return the object that shows the static *pod* in the API; *node* owns it."""
    annotations = {**pod.metadata.annotations, MIRROR: pod.metadata.annotations[HASH]}
    owner = OwnerReference(
        api_version="v1",
        kind="Node",
        name=node.metadata.name,
        uid=node.metadata.uid,
        controller=True,
    )
    metadata = ObjectMeta(
        name=pod.metadata.name,
        namespace=pod.metadata.namespace,
        labels=pod.metadata.labels,
        annotations=annotations,
        owner_references=[owner],
    )
    return replace(pod, metadata=metadata, status=PodStatus())


def is_mirror(pod: Pod) -> bool:
    return MIRROR in pod.metadata.annotations


def is_static(pod: Pod) -> bool:
    """Whether *pod* was made by :func:`static_pod`; it must have come past :func:`from_api`."""
    return pod.metadata.annotations.get(SOURCE) == FILE


def shows(mirror: Pod, pod: Pod) -> bool:
    """Whether *mirror* is that of the static *pod*, and of no former manifest."""
    return mirror.metadata.annotations.get(MIRROR) == pod.metadata.annotations.get(HASH)


def with_gates(pod: Pod, mirror: Pod) -> Pod:
    """Return the static *pod* with what others have said of its readiness gates on its *mirror*;
    itself where that is nothing new."""
    gates = {gate.condition_type for gate in pod.spec.readiness_gates}
    said = [condition for condition in mirror.status.conditions if condition.type in gates]
    known = [condition for condition in pod.status.conditions if condition.type in gates]
    if said == known:
        return pod
    others = [condition for condition in pod.status.conditions if condition.type not in gates]
    return replace(pod, status=replace(pod.status, conditions=[*others, *said]))


def from_api(pod: Pod) -> Pod:
    """Return a Pod of the API without marks of a static one that somebody may have given it."""
    annotations = pod.metadata.annotations
    if SOURCE not in annotations:
        return pod
    kept = {name: value for name, value in annotations.items() if name != SOURCE}
    return replace(pod, metadata=replace(pod.metadata, annotations=kept))


def ended(pod: Pod, now: datetime) -> Pod:
    """Return the static *pod* as one that is deleted: its manifest has gone."""
    metadata = replace(
        pod.metadata,
        deletion_timestamp=now.replace(microsecond=0),
        deletion_grace_period_seconds=pod.spec.termination_grace_period_seconds,
    )
    return replace(pod, metadata=metadata)

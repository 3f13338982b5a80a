"""What the node has granted a Pod, where that is not what its spec asks for by now: resizes.

``pods/resize`` changes the spec of a Pod that runs. The node goes on working with what it has
granted (:func:`granted`) until :func:`decide` grants something else, and the status tells which of
both is in force: ``containerStatuses[].resources`` and ``allocatedResources`` the former, the
condition ``PodResizePending`` why the latter is not.

Follows ``pkg/kubelet/allocation``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from podium.api.quantity import to_milli
from podium.api.resources import GUARANTEED, pod_requests, qos_class
from podium.api.types.core_v1 import Container, Node, Pod, PodStatus, ResourceRequirements
from podium.domain.pods.static import is_static
from podium.domain.scheduling.admission import shortages

INFEASIBLE, DEFERRED = "Infeasible", "Deferred"


class Allocation(msgspec.Struct, frozen=True):
    """Resources by the name of the container, init containers included, and of the Pod itself."""

    containers: Mapping[str, ResourceRequirements] = msgspec.field(default_factory=dict)
    pod: ResourceRequirements | None = None


class ResizePending(msgspec.Struct, frozen=True):
    """Why a resize is not carried out: becomes the condition ``PodResizePending``."""

    reason: str
    message: str


class Room(msgspec.Struct, frozen=True):
    """What there is to grant from: the node, and the other Pods that it is promised to."""

    node: Node
    others: Sequence[Pod]


def allocation_of(pod: Pod) -> Allocation:
    """Return what *pod* asks for."""
    containers = (*pod.spec.init_containers, *pod.spec.containers)
    return Allocation({c.name: c.resources for c in containers}, pod.spec.resources)


def reported_allocation(pod: Pod) -> Allocation:
    """Return what the status says that the containers have, else what they ask for."""
    known = {
        status.name: status.resources
        for status in (*pod.status.init_container_statuses, *pod.status.container_statuses)
        if status.resources is not None
    }
    asked = allocation_of(pod)
    return Allocation({**asked.containers, **known}, asked.pod)


def granted(pod: Pod, allocation: Allocation) -> Pod:
    """Return *pod* with the resources of *allocation*; itself if it has them."""
    if allocation_of(pod) == allocation:
        return pod
    spec = replace(
        pod.spec,
        containers=[_granted(c, allocation) for c in pod.spec.containers],
        init_containers=[_granted(c, allocation) for c in pod.spec.init_containers],
        resources=allocation.pod,
    )
    return replace(pod, spec=spec)


def _granted(container: Container, allocation: Allocation) -> Container:
    resources = allocation.containers.get(container.name, container.resources)
    return (
        container if resources == container.resources else replace(container, resources=resources)
    )


def decide(pod: Pod, room: Room) -> ResizePending | None:
    """Return why *pod*, which runs with something else, is not granted what it asks for by now.

    What the node could never give is infeasible; what others have taken is put off.
    """
    if is_static(pod):
        return ResizePending(INFEASIBLE, "In-place resize of static-pods is not supported")
    asked = pod_requests(pod)
    allocatable = room.node.status.allocatable
    for name, unit in (("memory", 1000), ("cpu", 1)):
        requested = -(-asked.get(name, 0) // unit)
        capacity = to_milli(allocatable.get(name, "0")) // unit
        if requested > capacity:
            return ResizePending(
                INFEASIBLE,
                f"Node didn't have enough capacity: {name}, "
                f"requested: {requested}, capacity: {capacity}",
            )
    # Of the Pod itself counts what it asks for, not what its status still says.
    refusals = shortages(replace(pod, status=PodStatus()), room.node, room.others)
    return ResizePending(DEFERRED, refusals[0].message) if refusals else None


def retry_order(pod: Pod, before: Pod, since: datetime | None) -> tuple[object, ...]:
    """The key by which resizes that wait are considered again, the first to get room first.

    *before* is the Pod as it was granted; *since* when it began to wait. Resizes that take no more
    go first, then those of higher priority, then Guaranteed Pods, then those who wait longest.
    """
    asked, has = pod_requests(pod), pod_requests(before)
    increases = any(asked.get(name, 0) > has.get(name, 0) for name in ("cpu", "memory"))
    waiting = since.timestamp() if since is not None else float("inf")
    guaranteed = qos_class(pod) == GUARANTEED
    return (increases, -(pod.spec.priority or 0), not guaranteed, waiting)

"""What the node has granted a Pod, where that is not what its spec asks for by now: resizes.

``pods/resize`` changes the spec of a Pod that runs. The node goes on working with what it has
granted (:func:`granted`) until :func:`decide` grants something else, and the status tells which of
both is in force: ``containerStatuses[].resources`` and ``allocatedResources`` the former, the
condition ``PodResizePending`` why the latter is not.

Follows ``pkg/kubelet/allocation``. This node carries no resize out yet, so every one that would
change something is infeasible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from podium.api.types.core_v1 import Container, Pod, ResourceRequirements

INFEASIBLE, DEFERRED = "Infeasible", "Deferred"
UNSUPPORTED = "In-place resize of Pods is not supported on this node"


@dataclass(frozen=True, slots=True)
class Allocation:
    """Resources by the name of the container, init containers included, and of the Pod itself."""

    containers: Mapping[str, ResourceRequirements] = field(default_factory=dict)
    pod: ResourceRequirements | None = None


@dataclass(frozen=True, slots=True)
class ResizePending:
    """Why a resize is not carried out: becomes the condition ``PodResizePending``."""

    reason: str
    message: str


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


def decide(pod: Pod, allocation: Allocation) -> Allocation | ResizePending:
    """Return what *pod*, which runs with *allocation*, is granted from now on, or why it is not.

    To carry resizes out, return the new allocation here where it fits, and apply it where the
    worker asks (``kubelet/allocation.py``).
    """
    if allocation_of(pod) == allocation:
        return allocation
    return ResizePending(INFEASIBLE, UNSUPPORTED)

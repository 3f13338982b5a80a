"""The containers of a Pod, whichever list of the spec they stand in; their names are unique."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

from podium.api.types.core_v1 import Container, EphemeralContainer, Pod

_COMMON = tuple(name for name in Container.__struct_fields__)
_values = attrgetter(*_COMMON)


def every_container(pod: Pod) -> Iterator[Container]:
    """Yield init, regular and ephemeral containers, in the order of the spec."""
    yield from pod.spec.init_containers
    yield from pod.spec.containers
    yield from map(as_container, pod.spec.ephemeral_containers)


def find_container(pod: Pod, name: str) -> Container | None:
    return next((c for c in every_container(pod) if c.name == name), None)


def as_container(ephemeral: EphemeralContainer) -> Container:
    """What an ephemeral container has in common with others: all but its target."""
    return Container(**dict(zip(_COMMON, _values(ephemeral), strict=True)))


def field_path(pod: Pod, name: str) -> str:
    """``spec.initContainers{name}``: how events name a container."""
    if any(container.name == name for container in pod.spec.init_containers):
        return f"spec.initContainers{{{name}}}"
    if any(container.name == name for container in pod.spec.ephemeral_containers):
        return f"spec.ephemeralContainers{{{name}}}"
    return f"spec.containers{{{name}}}"


def target_of(pod: Pod, name: str) -> str:
    """The ``targetContainerName`` of an ephemeral container; "" for none, and for others."""
    found = (c for c in pod.spec.ephemeral_containers if c.name == name)
    return next((container.target_container_name for container in found), "")

"""What ``pods/resize`` may change: CPU and memory, of containers and of the Pod as a whole."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from podium.api.annotations import MIRROR
from podium.api.field import FieldError, Path, forbidden, invalid
from podium.api.resources import is_sidecar, qos_class
from podium.api.types.core_v1 import Container, Pod, PodSpec, ResourceRequirements
from podium.api.validation.common import Errors
from podium.api.validation.pod_annotations import without_old_cost
from podium.api.validation.pods import ANNOTATIONS, SPEC, validate_pod_fields

RESIZED = ("cpu", "memory")
_ONLY = "only cpu and memory resources are mutable"


def validate_pod_resize(new: Pod, old: Pod) -> list[FieldError]:
    """Return the offences of an update by ``/resize``, beyond those of the metadata."""
    errors = without_old_cost(validate_pod_fields(new), ANNOTATIONS, old)
    if MIRROR in old.metadata.annotations:
        return [forbidden(Path(""), "static pods cannot be resized")]
    if old.spec.os is not None and old.spec.os.name == "windows":
        return [forbidden(Path(""), "windows pods cannot be resized")]
    if (old.status.qos_class or qos_class(old)) != qos_class(new):
        text = "Pod QOS Class may not change as a result of resizing"
        errors.append(invalid(SPEC, new.status.qos_class, text))
    if not _node_can(old):
        errors.append(forbidden(SPEC, "Pod running on node without support for resize"))
    settled = replace(new.spec)
    errors.extend(_settle_pod(settled, old.spec))
    if old.status.node_allocatable_resource_claim_statuses:
        text = "pods with node allocatable resource claims cannot be resized"
        errors.append(forbidden(SPEC, text))
    moved = [error for kind in _KINDS for error in _same_containers(kind, new.spec, old.spec)]
    if moved:
        return errors + moved
    errors.extend(_removed(new.spec, old.spec))
    errors.extend(_settle_containers(settled, old.spec))
    if not errors and settled != old.spec:
        errors.append(forbidden(SPEC, _ONLY))
    return errors


def _node_can(pod: Pod) -> bool:
    """A node that can resize containers tells of their resources."""
    for status in pod.status.container_statuses:
        if status.state.running is not None:
            return status.resources is not None
    return True  # nothing runs that could tell


class _Kind(msgspec.Struct, frozen=True):
    attribute: str
    name: str

    @property
    def path(self) -> Path:
        return SPEC.child(self.name)

    def of(self, spec: PodSpec) -> list[Container]:
        containers: list[Container] = getattr(spec, self.attribute)
        return containers


_REGULAR, _INIT = _Kind("containers", "containers"), _Kind("init_containers", "initContainers")
_KINDS = (_REGULAR, _INIT)


def _same_containers(kind: _Kind, new: PodSpec, old: PodSpec) -> Errors:
    mine, theirs = kind.of(new), kind.of(old)
    if len(mine) != len(theirs):
        yield forbidden(kind.path, f"{kind.name} may not be added or removed on resize")
        return
    for i, (now, was) in enumerate(zip(mine, theirs, strict=True)):
        if now.name != was.name:
            text = f"{kind.name} may not be renamed or reordered on resize"
            yield forbidden(kind.path.index(i).child("name"), text)


def _settle_pod(settled: PodSpec, old: PodSpec) -> Errors:
    """Set back in *settled* what may change of the Pod's own resources."""
    new, before = settled.resources, old.resources
    if before is not None and new is None:
        yield forbidden(SPEC.child("resources"), "pod-level resources cannot be removed")
        return
    if new is None:
        return
    if before is not None:
        for name, mine, theirs in _parts(new, before):
            if theirs.keys() - mine.keys():
                at = SPEC.child("resources", name)
                yield forbidden(at, f"pod-level resource {name} cannot be removed")
    kept = _with_compute_of(new, before or ResourceRequirements())
    kept.claims = new.claims
    settled.resources = None if before is None and kept == ResourceRequirements() else kept
    if settled.resources != before:
        yield forbidden(SPEC, f"{_ONLY} at pod-level")


def _removed(new: PodSpec, old: PodSpec) -> Errors:
    """Requests and limits that are there may become others, not none."""
    for kind in (_INIT, _REGULAR):
        for i, (now, was) in enumerate(zip(kind.of(new), kind.of(old), strict=True)):
            for name, mine, theirs in _parts(now.resources, was.resources):
                if theirs.keys() - mine.keys():
                    at = kind.path.index(i).child("resources", name)
                    yield forbidden(at, f"resource {name} cannot be removed")


def _parts(
    new: ResourceRequirements, old: ResourceRequirements
) -> tuple[tuple[str, Mapping[str, str], Mapping[str, str]], ...]:
    return ("requests", new.requests, old.requests), ("limits", new.limits, old.limits)


def _settle_containers(settled: PodSpec, old: PodSpec) -> Errors:
    """Set back in *settled* what may change of containers; nothing else may differ."""
    containers = []
    for now, was in zip(settled.containers, old.containers, strict=True):
        kept = replace(now, resources=_with_compute_of(now.resources, was.resources))
        if kept != was:
            yield forbidden(SPEC, _ONLY)
        containers.append(kept)
    init = []
    for i, (now, was) in enumerate(zip(settled.init_containers, old.init_containers, strict=True)):
        kept = replace(now, resources=_with_compute_of(now.resources, was.resources))
        at = SPEC.child("initContainers").index(i)
        if kept != was:
            text = "only cpu and memory resources for init or sidecar containers are mutable"
            yield forbidden(at, text)
        if now != was and not is_sidecar(now):
            yield from _runs_once(at, now)
        init.append(kept)
    settled.containers, settled.init_containers = containers, init


def _runs_once(path: Path, container: Container) -> Errors:
    for policy in container.resize_policy:
        if policy.restart_policy == "RestartContainer":
            text = (
                "non-sidecar init containers with a resize policy of RestartContainer cannot be "
                "resized"
            )
            yield forbidden(path, text)


def _with_compute_of(
    resources: ResourceRequirements, other: ResourceRequirements
) -> ResourceRequirements:
    """Return *resources* with the CPU and memory of *other*, and without claims."""
    return ResourceRequirements(
        limits=_compute_from(resources.limits, other.limits),
        requests=_compute_from(resources.requests, other.requests),
    )


def _compute_from(mine: Mapping[str, str], theirs: Mapping[str, str]) -> dict[str, str]:
    kept = {name: amount for name, amount in mine.items() if name not in RESIZED}
    return kept | {name: theirs[name] for name in RESIZED if name in theirs}

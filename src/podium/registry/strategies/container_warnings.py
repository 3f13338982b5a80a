"""What is allowed in containers of a Pod and yet likely a mistake.

Follows ``pkg/api/pod/warnings.go``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from podium.api.field import Path
from podium.api.quantity import to_milli
from podium.api.types.core_v1 import ContainerPort, EnvVar, PodSpec
from podium.api.validation.mounts import AnyContainer
from podium.api.validation.operating_system import all_containers
from podium.api.validation.pod_annotations import APP_ARMOR, SECCOMP_CONTAINER

Place = tuple[Path, ContainerPort]


def fractional_bytes(path: Path, amounts: Mapping[str, str], *names: str) -> Iterator[str]:
    for name in names:
        amount = amounts.get(name)
        if amount is not None and to_milli(amount) % 1000:
            yield (
                f'{path.key(name)}: fractional byte value "{amount}" is invalid, must be an integer'
            )


def container_warnings(
    path: Path, spec: PodSpec, annotations: Path, present: Mapping[str, str], *, template: bool
) -> Iterator[str]:
    """*path* is the spec's, *annotations* that of the annotations *present*."""
    for at, container in all_containers(path, spec):
        yield from _profiles(annotations, present, spec, container, template=template)
        resources = at.child("resources")
        for name in ("memory", "ephemeral-storage"):
            for part in ("limits", "requests"):
                amounts: Mapping[str, str] = getattr(container.resources, part)
                yield from fractional_bytes(resources.child(part), amounts, name)
        yield from _hidden_variables(at.child("env"), container.env)
    yield from _port_warnings(path, spec)


def _profiles(
    path: Path,
    present: Mapping[str, str],
    spec: PodSpec,
    container: AnyContainer,
    *,
    template: bool,
) -> Iterator[str]:
    """Annotations that fields have replaced. A new Pod's of AppArmor became fields already."""
    own, pod = container.security_context, spec.security_context
    key = SECCOMP_CONTAINER + container.name
    if key in present and (own is None or own.seccomp_profile is None):
        yield f'{path.key(key)}: non-functional in v1.27+; use the "seccompProfile" field instead'
    key = APP_ARMOR + container.name
    stated = (own is not None and own.app_armor_profile is not None) or (
        pod is not None and pod.app_armor_profile is not None
    )
    if key in present and not (template and stated):
        yield f'{path.key(key)}: deprecated since v1.30; use the "appArmorProfile" field instead'


def _hidden_variables(path: Path, variables: list[EnvVar]) -> Iterator[str]:
    """A variable given twice is fine where the second value builds on the first."""
    seen: set[str] = set()
    for i, variable in enumerate(variables):
        reference = f"$({variable.name})"
        builds = variable.value_from is None and reference in variable.value != reference
        if variable.name in seen and not builds:
            yield (
                f'{path.index(i)}: hides previous definition of "{variable.name}", '
                "which may be dropped when using apply"
            )
        seen.add(variable.name)


def _port_warnings(path: Path, spec: PodSpec) -> Iterator[str]:
    """Ports of all containers that are, or may be, the same."""
    taken: dict[tuple[int, str], list[Place]] = {}
    for at, container in all_containers(path, spec):
        for i, port in enumerate(container.ports):
            here = at.child("ports").index(i)
            if port.host_ip and port.host_port == 0:
                yield f"{here}: hostIP set without hostPort: {_dump(port)}"
            others = taken.setdefault((port.container_port, port.protocol), [])
            for there, other in others:
                relation = _relation(port, other)
                if relation:
                    yield f"{here}: {relation} port definition with {there}"
            others.append((here, port))


def _relation(one: ContainerPort, other: ContainerPort) -> str:
    if (one.host_ip, one.host_port) == (other.host_ip, other.host_port):
        return "duplicate"
    if one.host_port == 0 or other.host_port == 0:
        return "overlapping"
    if one.host_port == other.host_port and (not one.host_ip) != (not other.host_ip):
        return "dangerously ambiguous"
    return ""


def _dump(port: ContainerPort) -> str:
    return (
        f"{{Name:{port.name} HostPort:{port.host_port} ContainerPort:{port.container_port} "
        f"Protocol:{port.protocol} HostIP:{port.host_ip}}}"
    )

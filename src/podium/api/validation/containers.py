"""Validation of containers: regular, init and ephemeral ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from podium.api import names
from podium.api.field import (
    Path,
    duplicate,
    forbidden,
    invalid,
    not_found,
    required,
)
from podium.api.resources import is_sidecar
from podium.api.types.core_v1 import (
    Container,
    ContainerPort,
    EphemeralContainer,
    PodSpec,
    Volume,
)
from podium.api.validation.common import (
    Errors,
    dns1123_label,
    forbid_set,
    invalid_each,
    one_of,
    port_number,
)
from podium.api.validation.environment import validate_env, validate_env_from
from podium.api.validation.mounts import (
    AnyContainer,
    validate_volume_devices,
    validate_volume_mounts,
)
from podium.api.validation.probes import (
    validate_lifecycle,
    validate_liveness_probe,
    validate_readiness_probe,
)
from podium.api.validation.resources import validate_container_resources
from podium.api.validation.restarts import (
    validate_init_resize_policy,
    validate_resize_policy,
    validate_restart_policy,
)
from podium.api.validation.security import validate_security_context

PROTOCOLS = ("SCTP", "TCP", "UDP")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
TERMINATION_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
RESTART_POLICIES = ("Always", "OnFailure", "Never")


class Surroundings(msgspec.Struct, frozen=True):
    """What of the Pod a container's validity depends on."""

    volumes: Mapping[str, Volume]
    claims: Collection[str]
    restart_policy: str
    grace_period: int | None
    host_users: bool
    system: str | None = None  #: linux or windows, where the Pod says


def validate_containers(path: Path, containers: list[Container], pod: Surroundings) -> Errors:
    if not containers:
        yield required(path)
        return
    seen: set[str] = set()
    for i, container in enumerate(containers):
        at = path.index(i)
        yield from _validate_common(at, container, pod)
        if container.name in seen:
            yield duplicate(at.child("name"), container.name)
        seen.add(container.name)
        yield from _validate_hooks_and_probes(at, container, pod)
        yield from validate_restart_policy(at, container, init=False)
    yield from _validate_host_ports(path, containers)


def validate_init_containers(path: Path, spec: PodSpec, pod: Surroundings) -> Errors:
    taken = {container.name for container in spec.containers}
    for i, container in enumerate(spec.init_containers):
        at = path.index(i)
        yield from _validate_common(at, container, pod)
        yield from validate_restart_policy(at, container, init=True)
        if container.name in taken:
            yield duplicate(at.child("name"), container.name)
        elif container.name:
            taken.add(container.name)
        yield from _validate_host_ports(path, [container])
        if is_sidecar(container):
            yield from _validate_hooks_and_probes(at, container, pod)
        else:
            text = "may not be set for init containers without restartPolicy=Always"
            yield from forbid_set(at, container, _HOOKS_AND_PROBES, text)
        yield from validate_init_resize_policy(at.child("resizePolicy"), container)


_HOOKS_AND_PROBES = (
    ("lifecycle", "lifecycle"),
    ("liveness_probe", "livenessProbe"),
    ("readiness_probe", "readinessProbe"),
    ("startup_probe", "startupProbe"),
)
_NOT_FOR_EPHEMERAL = (
    ("ports", "ports"),
    ("resources", "resources"),
    ("resize_policy", "resizePolicy"),
    ("restart_policy", "restartPolicy"),
    ("restart_policy_rules", "restartPolicyRules"),
    ("liveness_probe", "livenessProbe"),
    ("readiness_probe", "readinessProbe"),
    ("startup_probe", "startupProbe"),
    ("lifecycle", "lifecycle"),
)


def validate_ephemeral_containers(path: Path, spec: PodSpec, pod: Surroundings) -> Errors:
    others = {container.name for container in (*spec.containers, *spec.init_containers)}
    taken = set(others)
    for i, container in enumerate(spec.ephemeral_containers):
        at = path.index(i)
        yield from _validate_common(at, container, pod)
        yield from validate_image_spaces(at, container)
        if container.name in taken:
            yield duplicate(at.child("name"), container.name)
        taken.add(container.name)
        target = container.target_container_name
        if target and target not in others:
            yield not_found(at.child("targetContainerName"), target)
        yield from _validate_ephemeral_fields(at, container)


def _validate_ephemeral_fields(path: Path, container: EphemeralContainer) -> Errors:
    text = "cannot be set for an Ephemeral Container"
    for attribute, name in _NOT_FOR_EPHEMERAL:
        if getattr(container, attribute) != getattr(_EMPTY, attribute):
            yield forbidden(path.child(name), text)
    for i, mount in enumerate(container.volume_mounts):
        at = path.child("volumeMounts").index(i)
        sub_paths = (("sub_path", "subPath"), ("sub_path_expr", "subPathExpr"))
        yield from forbid_set(at, mount, sub_paths, text)


_EMPTY = EphemeralContainer()


def validate_image_spaces(path: Path, container: AnyContainer) -> Errors:
    """In Pods, not in templates, an image may not be padded."""
    if container.image != container.image.strip():
        text = "must not have leading or trailing whitespace"
        yield invalid(path.child("image"), container.image, text)


def _validate_common(path: Path, container: AnyContainer, pod: Surroundings) -> Errors:
    if not container.name:
        yield required(path.child("name"))
    else:
        yield from dns1123_label(path.child("name"), container.name)
    if not container.image:
        yield required(path.child("image"))
    yield from one_of(
        path.child("terminationMessagePolicy"),
        container.termination_message_policy,
        TERMINATION_MESSAGE_POLICIES,
    )
    yield from _validate_ports(path.child("ports"), container.ports)
    yield from validate_env(path.child("env"), container.env)
    yield from validate_env_from(path.child("envFrom"), container.env_from)
    yield from validate_volume_mounts(path.child("volumeMounts"), container, pod.volumes)
    yield from validate_volume_devices(path.child("volumeDevices"), container, pod.volumes)
    yield from one_of(path.child("imagePullPolicy"), container.image_pull_policy, PULL_POLICIES)
    yield from validate_container_resources(
        path.child("resources"), container.resources, pod.claims
    )
    at = path.child("resizePolicy")
    yield from validate_resize_policy(at, container, pod.restart_policy)
    yield from validate_security_context(
        path.child("securityContext"), container.security_context, host_users=pod.host_users
    )


def _validate_hooks_and_probes(path: Path, container: Container, pod: Surroundings) -> Errors:
    grace = pod.grace_period
    at = path.child("lifecycle")
    yield from validate_lifecycle(at, container.lifecycle, grace, pod.system)
    at = path.child("livenessProbe")
    yield from validate_liveness_probe(at, container.liveness_probe, grace)
    at = path.child("readinessProbe")
    yield from validate_readiness_probe(at, container.readiness_probe, grace)
    at = path.child("startupProbe")
    yield from validate_liveness_probe(at, container.startup_probe, grace)


def _validate_ports(path: Path, ports: list[ContainerPort]) -> Errors:
    taken: set[str] = set()
    for i, port in enumerate(ports):
        at = path.index(i)
        if port.name:
            problems = names.port_name(port.name)
            yield from invalid_each(at.child("name"), port.name, problems)
            if port.name in taken:
                yield duplicate(at.child("name"), port.name)
            elif not problems:
                taken.add(port.name)
        if port.container_port == 0:
            yield required(at.child("containerPort"))
        else:
            yield from port_number(at.child("containerPort"), port.container_port)
        if port.host_port != 0:
            yield from port_number(at.child("hostPort"), port.host_port)
        yield from one_of(at.child("protocol"), port.protocol, PROTOCOLS)


def _validate_host_ports(path: Path, containers: list[Container]) -> Errors:
    """No two containers of a Pod may take one port of the host."""
    taken: set[str] = set()
    for i, container in enumerate(containers):
        for j, port in enumerate(container.ports):
            if port.host_port == 0:
                continue
            key = f"{port.protocol}/{port.host_ip}/{port.host_port}"
            if key in taken:
                at = path.index(i).child("ports").index(j)
                yield duplicate(at.child("hostPort"), key)
            taken.add(key)

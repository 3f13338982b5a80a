"""What a Pod's status may say of its containers."""

from __future__ import annotations

from collections.abc import Sequence

from podium.api.field import (
    Path,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
    too_long,
)
from podium.api.restarts import restarts
from podium.api.types.core_v1 import (
    Container,
    ContainerStatus,
    LinuxContainerUser,
    Pod,
    PodSpec,
    ResourceStatus,
    VolumeMountStatus,
)
from podium.api.validation.common import Errors, user_or_group_id

HEALTH = ("Healthy", "Unhealthy", "Unknown")
MAX_IMAGE_REF = 256


def validate_container_statuses(path: Path, new: Pod, old: Pod) -> Errors:
    """Compare the statuses below *path* with those of *old*, whose spec says what may restart."""
    status, before, spec = new.status, old.status, old.spec
    at = path.child("containerStatuses")
    yield from _transitions(
        at, status.container_statuses, before.container_statuses, spec, spec.containers
    )
    at = path.child("initContainerStatuses")
    yield from _transitions(
        at, status.init_container_statuses, before.init_container_statuses, spec,
        spec.init_containers,
    )  # fmt: skip
    at = path.child("ephemeralContainerStatuses")
    yield from _returns(
        at, status.ephemeral_container_statuses, before.ephemeral_container_statuses
    )


def _transitions(
    path: Path,
    new: Sequence[ContainerStatus],
    old: Sequence[ContainerStatus],
    spec: PodSpec,
    containers: Sequence[Container],
) -> Errors:
    """A container that is over for good does not come back to life."""
    if _all_could_restart(spec):
        return
    policies = {container.name: container for container in containers}

    def over(status: ContainerStatus) -> bool:
        ended, container = status.state.terminated, policies.get(status.name)
        if ended is None:
            return False
        return container is None or not restarts(spec.restart_policy, container, ended.exit_code)

    yield from _returns(path, new, [s if over(s) else ContainerStatus(name=s.name) for s in old])


def _all_could_restart(spec: PodSpec) -> bool:
    return any(
        rule.action == "RestartAllContainers"
        for container in (*spec.init_containers, *spec.containers)
        for rule in container.restart_policy_rules
    )


def _returns(path: Path, new: Sequence[ContainerStatus], old: Sequence[ContainerStatus]) -> Errors:
    """Whatever has ended in *old* must have ended in *new*, if that tells of it."""
    now = {status.name: status for status in reversed(new)}
    for i, was in enumerate(old):
        if was.state.terminated is None or was.name not in now:
            continue
        if now[was.name].state.terminated is None:
            at = path.index(i).child("state")
            yield forbidden(at, "may not be transitioned to non-terminated state")


def validate_users(path: Path, statuses: Sequence[ContainerStatus], system: str) -> Errors:
    for i, status in enumerate(statuses):
        user = status.user.linux if status.user is not None else None
        if user is None:
            continue
        at = path.index(i).child("user", "linux")
        if system == "windows":
            yield forbidden(at, "cannot be set for a windows pod")
        elif system == "linux":
            yield from _validate_linux_user(at, user)


def _validate_linux_user(path: Path, user: LinuxContainerUser) -> Errors:
    yield from user_or_group_id(path.child("uid"), user.uid)
    yield from user_or_group_id(path.child("gid"), user.gid)
    for i, group in enumerate(user.supplemental_groups):
        yield from user_or_group_id(path.child("supplementalGroups").index(i), group)


def validate_device_health(
    path: Path, statuses: Sequence[ContainerStatus], containers: Sequence[Container]
) -> Errors:
    """Check ``allocatedResourcesStatus`` against what the containers ask for."""
    specs = {container.name: container for container in reversed(containers)}
    for i, status in enumerate(statuses):
        for j, resource in enumerate(status.allocated_resources_status):
            at = path.index(i).child("allocatedResourcesStatus").index(j)
            container = specs.get(status.name)
            if container is not None:
                yield from _validate_name(at.child("name"), resource.name, container)
            yield from _validate_health(at.child("resources"), resource)


def _validate_name(path: Path, name: str, container: Container) -> Errors:
    resources = container.resources
    if not name.startswith("claim:"):
        if name not in resources.requests:
            yield invalid(path, name, "must match one of the container's resource requests")
        return
    claims = {f"{c.name}/{c.request}" if c.request else c.name for c in resources.claims}
    if name.removeprefix("claim:") not in claims:
        text = (
            "must match one of the container's resource claims in a format "
            "'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"
        )
        yield invalid(path, name, text)


def _validate_health(path: Path, resource: ResourceStatus) -> Errors:
    seen: set[str] = set()
    for i, health in enumerate(resource.resources):
        at = path.index(i)
        if health.health not in HEALTH:
            yield not_supported(at.child("health"), health.health, HEALTH)
        if health.resource_id in seen:
            yield duplicate(at.child("resourceID"), health.resource_id)
        seen.add(health.resource_id)


def forbid_device_health(path: Path, statuses: Sequence[ContainerStatus]) -> Errors:
    """Ephemeral containers have no resources."""
    for i, status in enumerate(statuses):
        if status.allocated_resources_status:
            at = path.index(i).child("allocatedResourcesStatus")
            yield forbidden(at, "must not be specified in container status")


def validate_volume_statuses(path: Path, statuses: Sequence[ContainerStatus]) -> Errors:
    for i, status in enumerate(statuses):
        for j, mount in enumerate(status.volume_mounts):
            at = path.index(i).child("volumeMounts").index(j).child("volumeStatus")
            yield from _validate_volume_status(at, mount)


def _validate_volume_status(path: Path, mount: VolumeMountStatus) -> Errors:
    image = mount.volume_status.image if mount.volume_status is not None else None
    if image is None:
        return
    at = path.child("image", "imageRef")
    if not image.image_ref:
        yield required(at, "imageRef must not be empty")
    if len(image.image_ref.encode()) > MAX_IMAGE_REF:
        yield too_long(at, MAX_IMAGE_REF)

"""Which AppArmor profile a container runs under, and whether a node can enforce it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from podium.api.types.core_v1 import AppArmorProfile, Container, Pod
from podium.domain.pods.security import effective_context

REASON = "AppArmor"
RUNTIME_DEFAULT, LOCALHOST, UNCONFINED = "RuntimeDefault", "Localhost", "Unconfined"
#: How Pods asked for it before ``appArmorProfile``; clients still send it.
ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"


class SecurityModules(msgspec.Struct, frozen=True):
    """Which of the kernel's security modules are at work on the node."""

    apparmor: bool = False
    selinux: bool = False


NO_MODULES = SecurityModules()


def apparmor_profile(pod: Pod, container: Container) -> AppArmorProfile | None:
    """Return the profile that was asked for: the container's, its Pod's, else the annotation's."""
    profile = effective_context(pod, container).app_armor_profile
    if profile is not None:
        return profile
    text = pod.metadata.annotations.get(ANNOTATION + container.name, "")
    if text == "runtime/default":
        return AppArmorProfile(type=RUNTIME_DEFAULT)
    if text.startswith("localhost/"):
        return AppArmorProfile(type=LOCALHOST, localhost_profile=text.removeprefix("localhost/"))
    return AppArmorProfile(type=UNCONFINED) if text == "unconfined" else None


def apparmor_problem(pod: Pod, modules: SecurityModules) -> str:
    """Say why the Pod's profiles cannot be enforced; "" when they can, or when it has none."""
    containers = (*pod.spec.init_containers, *pod.spec.containers)
    if modules.apparmor or not _required(pod, containers):
        return ""
    return "Cannot enforce AppArmor: AppArmor is not enabled on the host"


def _required(pod: Pod, containers: Iterable[Container]) -> bool:
    profiles = (apparmor_profile(pod, container) for container in containers)
    return any(profile is not None and profile.type != UNCONFINED for profile in profiles)

"""CRI's security context of a container, from the Pod's wishes and the image's ``USER``. Pure."""

from __future__ import annotations

from pathlib import Path

from podium.api.types.core_v1 import Container, Pod, SecurityContext
from podium.domain.pods.apparmor import apparmor_profile
from podium.domain.pods.seccomp import LOCALHOST, seccomp_profile
from podium.domain.pods.security import (
    MASKED_PATHS,
    READONLY_PATHS,
    STRICT,
    UNMASKED,
    ImageUser,
    effective_context,
    pod_context,
    supplemental_groups,
)
from podium.runtime.port import (
    Capability,
    LinuxContainerSecurityContext,
    NamespaceMode,
    NamespaceOption,
    ProfileType,
    SecurityProfile,
    SupplementalGroupsPolicy,
    UserNamespace,
)


def security_context(
    pod: Pod,
    container: Container,
    image: ImageUser,
    profiles: Path,
    users: UserNamespace,
    target: str = "",
) -> LinuxContainerSecurityContext:
    """*profiles* is the node's directory of seccomp profiles; *users* are the Pod's, if not the
    node's; *target* is the ID of the container that an ephemeral one shares the processes of."""
    context = effective_context(pod, container)
    by_image = context.run_as_user is None
    unmasked = context.proc_mount == UNMASKED
    strict = pod_context(pod).supplemental_groups_policy == STRICT
    return LinuxContainerSecurityContext(
        namespace_options=namespace_options(pod, users, target),
        capabilities=_capabilities(context),
        privileged=bool(context.privileged),
        run_as_user=image.number if by_image else context.run_as_user,
        run_as_group=context.run_as_group,
        run_as_username=image.name if by_image else "",
        no_new_privs=context.allow_privilege_escalation is False,
        readonly_rootfs=bool(context.read_only_root_filesystem),
        supplemental_groups=supplemental_groups(pod),
        supplemental_groups_policy=(
            SupplementalGroupsPolicy.STRICT if strict else SupplementalGroupsPolicy.MERGE
        ),
        masked_paths=() if unmasked else MASKED_PATHS,
        readonly_paths=() if unmasked else READONLY_PATHS,
        seccomp=_seccomp(pod, container, profiles),
        apparmor=_apparmor(pod, container),
    )


def namespace_options(pod: Pod, users: UserNamespace, target: str = "") -> NamespaceOption:
    """Which namespaces the Pod's containers share, with each other or with the node; a target
    counts where processes are not shared anyway."""
    spec = pod.spec
    process = NamespaceMode.CONTAINER
    if spec.host_pid:
        process = NamespaceMode.NODE
    elif spec.share_process_namespace:
        process = NamespaceMode.POD
    elif target:
        process = NamespaceMode.TARGET
    return NamespaceOption(
        network=NamespaceMode.NODE if spec.host_network else NamespaceMode.POD,
        pid=process,
        ipc=NamespaceMode.NODE if spec.host_ipc else NamespaceMode.POD,
        target_id=target if process is NamespaceMode.TARGET else "",
        userns_options=users,
    )


def _capabilities(context: SecurityContext) -> Capability:
    wanted = context.capabilities
    return Capability(wanted.add, wanted.drop) if wanted is not None else Capability()


def _seccomp(pod: Pod, container: Container, profiles: Path) -> SecurityProfile:
    wanted = seccomp_profile(pod, container)
    path = str(profiles / (wanted.localhost_profile or "")) if wanted.type == LOCALHOST else ""
    return SecurityProfile(ProfileType(wanted.type), path)


def _apparmor(pod: Pod, container: Container) -> SecurityProfile | None:
    wanted = apparmor_profile(pod, container)
    if wanted is None:
        return None
    return SecurityProfile(ProfileType(wanted.type), wanted.localhost_profile or "")

"""What a container's and its Pod's ``securityContext`` come to together.

Follows ``pkg/securitycontext`` and ``pkg/kubelet/kuberuntime/security_context_others.go``.
"""

from __future__ import annotations

import msgspec

from podium.api.types.core_v1 import Container, Pod, PodSecurityContext, SecurityContext
from podium.domain.pods.identity import pod_full_name

MASKED_PATHS = (
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
)
READONLY_PATHS = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")

UNMASKED, STRICT = "Unmasked", "Strict"
_LARGEST_ID = 2**31 - 1
#: What a container takes from its Pod where it says nothing itself.
_INHERITED = (
    "run_as_user", "run_as_group", "run_as_non_root", "seccomp_profile", "app_armor_profile",
    "se_linux_options",
)  # fmt: skip


class SecurityProblem(ValueError):
    """A container may not run as it would; the text goes with CreateContainerConfigError."""


class ImageUser(msgspec.Struct, frozen=True):
    """The ``USER`` of an image: a number or a name; neither means root."""

    uid: int | None = None
    name: str = ""

    @property
    def number(self) -> int | None:
        return 0 if self.uid is None and not self.name else self.uid


def effective_context(pod: Pod, container: Container) -> SecurityContext:
    """Return the container's security context, with its Pod's where it says nothing."""
    own = container.security_context or SecurityContext()
    common = pod_context(pod)
    inherited = {name: getattr(common, name) for name in _INHERITED if getattr(own, name) is None}
    return msgspec.structs.replace(own, **inherited)


def pod_context(pod: Pod) -> PodSecurityContext:
    return pod.spec.security_context or PodSecurityContext()


def check_non_root(pod: Pod, container: Container, image: ImageUser) -> None:
    """Raise SecurityProblem if the container must not run as root and would, or might."""
    context = effective_context(pod, container)
    if not context.run_as_non_root:
        return
    where = f'(pod: "{pod_full_name(pod)}", container: {container.name})'
    if context.run_as_user is not None:
        if context.run_as_user == 0:
            raise SecurityProblem(f"container's runAsUser breaks non-root policy {where}")
        return
    uid = image.number
    if uid is None:
        raise SecurityProblem(
            f"container has runAsNonRoot and image has non-numeric user ({image.name}), "
            f"cannot verify user is non-root {where}"
        )
    if uid == 0:
        raise SecurityProblem(f"container has runAsNonRoot and image will run as root {where}")
    if uid > _LARGEST_ID:
        raise SecurityProblem(
            f"container has runAsNonRoot and image has an invalid user id ({uid}). "
            f"(Must be 1-({_LARGEST_ID})): must be between 0 and {_LARGEST_ID}, inclusive {where}"
        )


def supplemental_groups(pod: Pod) -> tuple[int, ...]:
    """Groups that all of the Pod's processes are in: what it lists, and who owns its volumes."""
    context = pod_context(pod)
    own = (context.fs_group,) if context.fs_group is not None else ()
    return (*own, *context.supplemental_groups)

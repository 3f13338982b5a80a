"""Which seccomp profile a container runs under."""

from __future__ import annotations

from podium.api.types.core_v1 import Container, Pod, SeccompProfile

RUNTIME_DEFAULT, UNCONFINED, LOCALHOST = "RuntimeDefault", "Unconfined", "Localhost"


def seccomp_profile(pod: Pod, container: Container) -> SeccompProfile:
    """Return the container's own profile, else the Pod's, else the runtime's default.

    Only who asks for it runs unconfined: the node behaves as with ``seccompDefault: true``.
    """
    for context in (container.security_context, pod.spec.security_context):
        if context is not None and context.seccomp_profile is not None:
            return context.seccomp_profile
    return SeccompProfile(type=RUNTIME_DEFAULT)

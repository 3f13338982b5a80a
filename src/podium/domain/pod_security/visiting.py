"""What the checks have in common: the containers they look at, and how they list offenders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from podium.api.types.core_v1 import (
    Container,
    EphemeralContainer,
    Pod,
    PodSecurityContext,
    PodTemplateSpec,
    SecurityContext,
)

AnyContainer = Container | EphemeralContainer
AnyPod = Pod | PodTemplateSpec


class Violation(msgspec.Struct, frozen=True):
    """Why a Pod is not allowed, in short and in full."""

    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})"


Check = Callable[[AnyPod], Violation | None]

_NO_POD_CONTEXT, _NO_CONTEXT = PodSecurityContext(), SecurityContext()


def containers(pod: AnyPod) -> Iterator[AnyContainer]:
    """Yield all containers, in the order of upstream's messages."""
    yield from pod.spec.init_containers
    yield from pod.spec.containers
    yield from pod.spec.ephemeral_containers


def context(container: AnyContainer) -> SecurityContext:
    """Return what the container says of its own security, not to be changed."""
    return container.security_context or _NO_CONTEXT


def pod_context(pod: AnyPod) -> PodSecurityContext:
    """Return what the Pod says of its security, not to be changed."""
    return pod.spec.security_context or _NO_POD_CONTEXT


def is_windows(pod: AnyPod) -> bool:
    return pod.spec.os is not None and pod.spec.os.name == "windows"


def has_own_users(pod: AnyPod) -> bool:
    """Whether the Pod runs in a user namespace."""
    return pod.spec.host_users is False


def quoted(items: Iterable[str]) -> str:
    return ", ".join(f'"{item}"' for item in items)


def plural(one: str, count: int) -> str:
    return one if count == 1 else f"{one}s"


def counted(word: str, names: list[str]) -> str:
    """``container "a"``, ``containers "a", "b"``."""
    return f"{plural(word, len(names))} {quoted(names)}"


def setters(pod_is_one: bool, names: list[str]) -> str:
    """``pod and containers "a", "b"``: who sets what must not be set."""
    found = ["pod"] if pod_is_one else []
    if names:
        found.append(counted("container", names))
    return " and ".join(found)

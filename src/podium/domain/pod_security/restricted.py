"""The checks that the restricted level adds: what a hardened Pod has to give up by itself."""

from __future__ import annotations

import msgspec

from podium.api.types.core_v1 import Volume
from podium.domain.pod_security import baseline
from podium.domain.pod_security.baseline import PROFILES
from podium.domain.pod_security.visiting import (
    AnyPod,
    Check,
    Violation,
    containers,
    context,
    counted,
    has_own_users,
    is_windows,
    plural,
    pod_context,
    quoted,
    setters,
)

_VOLUMES = frozenset({
    "config_map", "csi", "downward_api", "empty_dir", "ephemeral", "image",
    "persistent_volume_claim", "projected", "secret",
})  # fmt: skip
_SOURCES = {
    attribute.name: attribute.encode_name
    for attribute in msgspec.structs.fields(Volume)
    if attribute.name != "name"
}
_CAPABILITIES = frozenset({"NET_BIND_SERVICE"})
_NON_ROOT = "runAsNonRoot != true"


def except_windows(check: Check) -> Check:
    """Return *check* for Pods that have what it is about: since 1.25 a Pod can say it is not."""

    def checked(pod: AnyPod) -> Violation | None:
        return None if is_windows(pod) else check(pod)

    return checked


def except_own_users(check: Check) -> Check:
    """Return *check* for Pods that share the host's users: in a user namespace root is nobody."""

    def checked(pod: AnyPod) -> Violation | None:
        return None if has_own_users(pod) else check(pod)

    return checked


def privilege_escalation(pod: AnyPod) -> Violation | None:
    bad = [
        container.name
        for container in containers(pod)
        if context(container).allow_privilege_escalation is not False
    ]
    what = f"{counted('container', bad)} must set securityContext.allowPrivilegeEscalation=false"
    return Violation("allowPrivilegeEscalation != false", what) if bad else None


def capabilities(pod: AnyPod) -> Violation | None:
    keeping = []
    for container in containers(pod):
        own = context(container).capabilities
        if own is None or "ALL" not in own.drop:
            keeping.append(container.name)
    what = []
    if keeping:
        what.append(
            f'{counted("container", keeping)} must set securityContext.capabilities.drop=["ALL"]'
        )
    if adding := baseline.capabilities_beyond(_CAPABILITIES, pod):
        what.append(adding)
    return Violation("unrestricted capabilities", "; ".join(what)) if what else None


def volumes(pod: AnyPod) -> Violation | None:
    bad, kinds = [], set()
    for volume in pod.spec.volumes:
        given = [name for name in _SOURCES if getattr(volume, name) is not None]
        if _VOLUMES.isdisjoint(given):
            bad.append(volume.name)
            kinds.add(_SOURCES[given[0]] if given else "unknown")
    if not bad:
        return None
    uses = "uses" if len(bad) == 1 else "use"
    listed = f"{plural('restricted volume type', len(kinds))} {quoted(sorted(kinds))}"
    return Violation("restricted volume types", f"{counted('volume', bad)} {uses} {listed}")


def run_as_non_root(pod: AnyPod) -> Violation | None:
    of_pod = pod_context(pod).run_as_non_root
    saying_no, silent = [], []
    for container in containers(pod):
        own = context(container).run_as_non_root
        if own is False:
            saying_no.append(container.name)
        elif own is None and not of_pod:
            silent.append(container.name)
    who = setters(of_pod is False, saying_no)
    if who:
        return Violation(_NON_ROOT, f"{who} must not set securityContext.runAsNonRoot=false")
    if silent:
        who = f"pod or {counted('container', silent)}"
        return Violation(_NON_ROOT, f"{who} must set securityContext.runAsNonRoot=true")
    return None


def run_as_user(pod: AnyPod) -> Violation | None:
    bad = [container.name for container in containers(pod) if context(container).run_as_user == 0]
    who = setters(pod_context(pod).run_as_user == 0, bad)
    return Violation("runAsUser=0", f"{who} must not set runAsUser=0") if who else None


def seccomp_profile(pod: AnyPod) -> Violation | None:
    bad = baseline.seccomp_profile(pod)
    if bad is not None:
        return bad
    of_pod = pod_context(pod).seccomp_profile
    if of_pod is not None:
        return None
    silent = [
        container.name
        for container in containers(pod)
        if context(container).seccomp_profile is None
    ]
    if not silent:
        return None
    profiles = " or ".join(f'"{profile}"' for profile in PROFILES)
    what = f"must set securityContext.seccompProfile.type to {profiles}"
    return Violation("seccompProfile", f"pod or {counted('container', silent)} {what}")

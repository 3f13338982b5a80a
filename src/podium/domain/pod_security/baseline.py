"""The checks of the baseline level: what gives a Pod a way out of its confinement."""

from __future__ import annotations

from collections.abc import Iterator

from podium.api.go_text import quote
from podium.api.types.core_v1 import LifecycleHandler, Probe, SELinuxOptions
from podium.api.validation.pod_annotations import APP_ARMOR, SECCOMP_CONTAINER, SECCOMP_POD
from podium.domain.pod_security.visiting import (
    AnyContainer,
    AnyPod,
    Check,
    Violation,
    containers,
    context,
    counted,
    has_own_users,
    plural,
    pod_context,
    quoted,
    setters,
)

CAPABILITIES = frozenset({
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
    "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
})  # fmt: skip
SELINUX_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t"})
SELINUX_TYPES_1_31 = SELINUX_TYPES | {"container_engine_t"}
SYSCTLS = frozenset({
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start",
})  # fmt: skip
SYSCTLS_1_27 = SYSCTLS | {"net.ipv4.ip_local_reserved_ports"}
SYSCTLS_1_29 = SYSCTLS_1_27 | {
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}  # fmt: skip
SYSCTLS_1_32 = SYSCTLS_1_29 | {"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"}
SYSCTLS_1_37 = SYSCTLS_1_32 | {
    "net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_notsent_lowat",
}  # fmt: skip
PROFILES = ("RuntimeDefault", "Localhost")


def app_armor_profile(pod: AnyPod) -> Violation | None:
    values: set[str] = set()
    of_pod = pod_context(pod).app_armor_profile
    pod_is_bad = of_pod is not None and of_pod.type not in PROFILES
    if of_pod is not None and pod_is_bad:
        values.add(of_pod.type)
    bad = []
    for container in containers(pod):
        own = context(container).app_armor_profile
        if own is not None and own.type not in PROFILES:
            bad.append(container.name)
            values.add(own.type)
    annotations = sorted(
        f"{key}={quote(value)}"
        for key, value in pod.metadata.annotations.items()
        if key.startswith(APP_ARMOR)
        and not (value in ("", "runtime/default") or value.startswith("localhost/"))
    )
    who = [text for text in (setters(pod_is_bad, bad),) if text]
    if annotations:
        who.append(plural("annotation", len(annotations)))
    if not who:
        return None
    listed = [*sorted(values), *annotations]
    return Violation(
        f"forbidden AppArmor {plural('profile', len(listed))}",
        f"{' and '.join(who)} must not set AppArmor profile type to {quoted(listed)}",
    )


def capabilities(pod: AnyPod) -> Violation | None:
    bad = capabilities_beyond(CAPABILITIES, pod)
    return Violation("non-default capabilities", bad) if bad else None


def capabilities_beyond(allowed: frozenset[str], pod: AnyPod) -> str:
    """Tell which containers add other capabilities than *allowed*, "" if none does."""
    bad, added = [], set()
    for container in containers(pod):
        own = context(container).capabilities
        more = set(own.add) - allowed if own is not None else set()
        if more:
            bad.append(container.name)
            added |= more
    what = f"must not include {quoted(sorted(added))} in securityContext.capabilities.add"
    return f"{counted('container', bad)} {what}" if bad else ""


def host_namespaces(pod: AnyPod) -> Violation | None:
    shared = [
        f"{name}=true"
        for name, value in (
            ("hostNetwork", pod.spec.host_network),
            ("hostPID", pod.spec.host_pid),
            ("hostIPC", pod.spec.host_ipc),
        )
        if value
    ]
    return Violation("host namespaces", ", ".join(shared)) if shared else None


def host_path_volumes(pod: AnyPod) -> Violation | None:
    bad = [volume.name for volume in pod.spec.volumes if volume.host_path is not None]
    return Violation("hostPath volumes", counted("volume", bad)) if bad else None


def host_ports(pod: AnyPod) -> Violation | None:
    bad, ports = [], set()
    for container in containers(pod):
        own = {str(port.host_port) for port in container.ports if port.host_port}
        if own:
            bad.append(container.name)
            ports |= own
    if not bad:
        return None
    listed = f"{plural('hostPort', len(ports))} {', '.join(sorted(ports))}"
    return Violation("hostPort", f"{counted('container', bad)} {_uses(bad)} {listed}")


def probe_hosts(pod: AnyPod) -> Violation | None:
    bad, hosts = set(), set()
    for container in containers(pod):
        own = set(_hosts(container))
        if own:
            bad.add(container.name)
            hosts |= own
    if not bad:
        return None
    names = sorted(bad)
    listed = f"{plural('probe or lifecycle host', len(hosts))} {quoted(sorted(hosts))}"
    who = f"{counted('container', names)} {_uses(names)}"
    return Violation("probe or lifecycle host", f"{who} {listed}")


def _hosts(container: AnyContainer) -> Iterator[str]:
    handlers: list[Probe | LifecycleHandler | None] = [
        container.liveness_probe, container.readiness_probe, container.startup_probe,
    ]  # fmt: skip
    if container.lifecycle is not None:
        handlers += [container.lifecycle.post_start, container.lifecycle.pre_stop]
    for handler in handlers:
        for action in (handler.http_get, handler.tcp_socket) if handler is not None else ():
            if action is not None and action.host:
                yield action.host


def privileged(pod: AnyPod) -> Violation | None:
    bad = [container.name for container in containers(pod) if context(container).privileged]
    what = f"{counted('container', bad)} must not set securityContext.privileged=true"
    return Violation("privileged", what) if bad else None


def proc_mount(pod: AnyPod) -> Violation | None:
    bad, types = [], set()
    for container in containers(pod):
        own = context(container).proc_mount
        if own is not None and own != "Default":
            bad.append(container.name)
            types.add(own)
    if not bad:
        return None
    what = f"must not set securityContext.procMount to {quoted(sorted(types))}"
    return Violation("procMount", f"{counted('container', bad)} {what}")


def proc_mount_1_35(pod: AnyPod) -> Violation | None:
    return None if has_own_users(pod) else proc_mount(pod)


def selinux_options(allowed: frozenset[str]) -> Check:
    """Return the check that takes the types in *allowed*, and no user or role."""

    def check(pod: AnyPod) -> Violation | None:
        of_pod = pod_context(pod).se_linux_options
        offending = [of_pod] if of_pod is not None and _is_bad(of_pod, allowed) else []
        bad = []
        for container in containers(pod):
            own = context(container).se_linux_options
            if own is not None and _is_bad(own, allowed):
                bad.append(container.name)
                offending.append(own)
        if not offending:
            return None
        types = sorted({options.type for options in offending} - allowed)
        what = [counted("type", types)] if types else []
        if any(options.user for options in offending):
            what.append("user may not be set")
        if any(options.role for options in offending):
            what.append("role may not be set")
        who = setters(len(offending) > len(bad), bad)
        text = f"{who} set forbidden securityContext.seLinuxOptions: {'; '.join(what)}"
        return Violation("seLinuxOptions", text)

    return check


def _is_bad(options: SELinuxOptions, allowed: frozenset[str]) -> bool:
    return options.type not in allowed or bool(options.user or options.role)


def seccomp_annotations(pod: AnyPod) -> Violation | None:
    """The annotations that came before the fields."""
    keys = {SECCOMP_POD, *(SECCOMP_CONTAINER + container.name for container in containers(pod))}
    bad = sorted(
        f"{key}={quote(pod.metadata.annotations[key])}"
        for key in keys & pod.metadata.annotations.keys()
        if not _seccomp_value(pod.metadata.annotations[key])
    )
    if not bad:
        return None
    what = f"forbidden {plural('annotation', len(bad))} {', '.join(bad)}"
    return Violation("seccompProfile", what)


def _seccomp_value(value: str) -> bool:
    return value in ("runtime/default", "docker/default") or value.startswith("localhost/")


def seccomp_profile(pod: AnyPod) -> Violation | None:
    of_pod = pod_context(pod).seccomp_profile
    pod_is_bad = of_pod is not None and of_pod.type not in PROFILES
    values = {of_pod.type} if of_pod is not None and pod_is_bad else set()
    bad = []
    for container in containers(pod):
        own = context(container).seccomp_profile
        if own is not None and own.type not in PROFILES:
            bad.append(container.name)
            values.add(own.type)
    who = setters(pod_is_bad, bad)
    if not who:
        return None
    what = f"must not set securityContext.seccompProfile.type to {quoted(sorted(values))}"
    return Violation("seccompProfile", f"{who} {what}")


def sysctls(allowed: frozenset[str]) -> Check:
    """Return the check that takes the names in *allowed*."""

    def check(pod: AnyPod) -> Violation | None:
        bad = [each.name for each in pod_context(pod).sysctls if each.name not in allowed]
        return Violation("forbidden sysctls", ", ".join(bad)) if bad else None

    return check


def windows_host_process(pod: AnyPod) -> Violation | None:
    of_pod = pod_context(pod).windows_options
    bad = []
    for container in containers(pod):
        own = context(container).windows_options
        if own is not None and own.host_process:
            bad.append(container.name)
    who = setters(of_pod is not None and bool(of_pod.host_process), bad)
    what = "must not set securityContext.windowsOptions.hostProcess=true"
    return Violation("hostProcess", f"{who} {what}") if who else None


def _uses(names: list[str]) -> str:
    return "uses" if len(names) == 1 else "use"

"""Validation of ``spec.os`` and of the fields that belong to one operating system only."""

from __future__ import annotations

from collections.abc import Iterator

from podium.api.field import Path, forbidden, invalid, not_supported, required
from podium.api.types.core_v1 import PodSecurityContext, PodSpec, SecurityContext
from podium.api.validation.common import Errors
from podium.api.validation.mounts import AnyContainer

SYSTEMS = ("linux", "windows")

_POD_FIELDS = (
    ("app_armor_profile", "securityContext.appArmorProfile"),
    ("se_linux_options", "securityContext.seLinuxOptions"),
    ("host_users", "hostUsers"),
    ("host_pid", "hostPID"),
    ("host_ipc", "hostIPC"),
    ("seccomp_profile", "securityContext.seccompProfile"),
    ("fs_group", "securityContext.fsGroup"),
    ("fs_group_change_policy", "securityContext.fsGroupChangePolicy"),
    ("sysctls", "securityContext.sysctls"),
    ("share_process_namespace", "shareProcessNamespace"),
    ("run_as_user", "securityContext.runAsUser"),
    ("run_as_group", "securityContext.runAsGroup"),
    ("supplemental_groups", "securityContext.supplementalGroups"),
    ("supplemental_groups_policy", "securityContext.supplementalGroupsPolicy"),
    ("se_linux_change_policy", "securityContext.seLinuxChangePolicy"),
)
_CONTAINER_FIELDS = (
    ("app_armor_profile", "appArmorProfile"),
    ("se_linux_options", "seLinuxOptions"),
    ("seccomp_profile", "seccompProfile"),
    ("capabilities", "capabilities"),
    ("read_only_root_filesystem", "readOnlyRootFilesystem"),
    ("privileged", "privileged"),
    ("allow_privilege_escalation", "allowPrivilegeEscalation"),
    ("proc_mount", "procMount"),
    ("run_as_user", "runAsUser"),
    ("run_as_group", "runAsGroup"),
)
#: Plain booleans, where false means not set.
_FLAGS = ("host_pid", "host_ipc")


def all_containers(path: Path, spec: PodSpec) -> Iterator[tuple[Path, AnyContainer]]:
    """Yield every container with its path: init, regular, ephemeral."""
    for i, init in enumerate(spec.init_containers):
        yield path.child("initContainers").index(i), init
    for i, container in enumerate(spec.containers):
        yield path.child("containers").index(i), container
    for i, ephemeral in enumerate(spec.ephemeral_containers):
        yield path.child("ephemeralContainers").index(i), ephemeral


def validate_os(path: Path, spec: PodSpec) -> Errors:
    if spec.os is None:
        return
    if not spec.os.name:
        yield required(path.child("os", "name"), "cannot be empty")
    elif spec.os.name not in SYSTEMS:
        yield not_supported(path.child("os"), spec.os.name, SYSTEMS)
    elif spec.os.name == "windows":
        yield from _only_windows(path, spec)
    else:
        yield from _only_linux(path, spec)


def _only_linux(path: Path, spec: PodSpec) -> Errors:
    text = "windows options cannot be set for a linux pod"
    context = spec.security_context or PodSecurityContext()
    if context.windows_options is not None:
        yield forbidden(path.child("securityContext", "windowsOptions"), text)
    for at, container in all_containers(path, spec):
        own = container.security_context
        if own is not None and own.windows_options is not None:
            yield forbidden(at.child("securityContext", "windowsOptions"), text)


def _only_windows(path: Path, spec: PodSpec) -> Errors:
    text = "cannot be set for a windows pod"
    context = spec.security_context or PodSecurityContext()
    for attribute, name in _POD_FIELDS:
        owner = context if name.startswith("securityContext.") else spec
        if _is_set(attribute, getattr(owner, attribute)):
            yield forbidden(path.child(name), text)
    for at, container in all_containers(path, spec):
        own = container.security_context or SecurityContext()
        for attribute, name in _CONTAINER_FIELDS:
            if getattr(own, attribute) is not None:
                yield forbidden(at.child("securityContext", name), text)


def _is_set(attribute: str, value: object) -> bool:
    return bool(value) if attribute in _FLAGS or isinstance(value, list) else value is not None


def validate_windows_options(path: Path, spec: PodSpec) -> Errors:
    """Check that HostProcess is asked for by all containers or none, and on the host's network."""
    context = spec.security_context or PodSecurityContext()
    pod_wide = context.windows_options and context.windows_options.host_process
    total = count = 0
    for at, container in all_containers(path, spec):
        total += 1
        options = container.security_context and container.security_context.windows_options
        own = options.host_process if options else None
        if pod_wide is not None and own is not None and own != pod_wide:
            said = "true" if pod_wide else "false"
            text = f"pod hostProcess value must be identical if both are specified, was {said}"
            yield invalid(at.child("securityContext", "windowsOptions", "hostProcess"), own, text)
        count += bool(pod_wide if own is None else own)
    if count and count != total:
        text = (
            "If pod contains any hostProcess containers then all containers must be "
            "HostProcess containers"
        )
        yield invalid(path, "", text)
    if count and not spec.host_network:
        text = "hostNetwork must be true if pod contains any hostProcess containers"
        yield invalid(path.child("hostNetwork"), False, text)

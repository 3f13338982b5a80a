"""Validation of security contexts, of Pods and of containers."""

from __future__ import annotations

import re

from podium.api.field import (
    Path,
    Verbatim,
    duplicate,
    invalid,
    not_supported,
    required,
    too_long,
)
from podium.api.types.core_v1 import (
    AppArmorProfile,
    PodSecurityContext,
    PodSpec,
    SeccompProfile,
    SecurityContext,
    Sysctl,
)
from podium.api.validation.common import (
    Errors,
    descending_path,
    user_or_group_id,
)
from podium.api.validation.windows import validate_windows_security_options

_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
SYSCTL_NAME = rf"^({_SEGMENT}[\./])*{_SEGMENT}$"
_SYSCTL = re.compile(SYSCTL_NAME)
PROFILE_TYPES = ("Localhost", "RuntimeDefault", "Unconfined")
_MAX_PROFILE = 4095


def validate_pod_security_context(path: Path, spec: PodSpec) -> Errors:
    """Check ``spec.securityContext``, and what hangs together with host namespaces."""
    context = spec.security_context or PodSecurityContext()
    yield from user_or_group_id(path.child("fsGroup"), context.fs_group)
    yield from user_or_group_id(path.child("runAsUser"), context.run_as_user)
    yield from user_or_group_id(path.child("runAsGroup"), context.run_as_group)
    for i, group in enumerate(context.supplemental_groups):
        yield from user_or_group_id(path.child("supplementalGroups").index(i), group)
    if spec.share_process_namespace and spec.host_pid:
        text = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield invalid(path.child("shareProcessNamespace"), True, text)
    yield from _validate_sysctls(path.child("sysctls"), context.sysctls)
    at = path.child("fsGroupChangePolicy")
    yield from _if_set(at, context.fs_group_change_policy, ("Always", "OnRootMismatch"))
    yield from validate_seccomp(path.child("seccompProfile"), context.seccomp_profile)
    at = path.child("windowsOptions")
    yield from validate_windows_security_options(at, context.windows_options)
    yield from validate_app_armor(path.child("appArmorProfile"), context.app_armor_profile)
    at = path.child("supplementalGroupsPolicy")
    yield from _if_set(at, context.supplemental_groups_policy, ("Merge", "Strict"))
    at = path.child("seLinuxChangePolicy")
    yield from _if_set(at, context.se_linux_change_policy, ("MountOption", "Recursive"))


def _if_set(path: Path, value: str | None, supported: tuple[str, ...]) -> Errors:
    if value is not None and value not in supported:
        yield not_supported(path, value, supported)


def _validate_sysctls(path: Path, sysctls: list[Sysctl]) -> Errors:
    seen: set[str] = set()
    for i, sysctl in enumerate(sysctls):
        at = path.index(i).child("name")
        if not sysctl.name:
            yield required(at)
        elif len(sysctl.name) > 253 or not _SYSCTL.match(sysctl.name):
            text = f"must have at most 253 characters and match regex {SYSCTL_NAME}"
            yield invalid(at, sysctl.name, text)
        elif sysctl.name in seen:
            yield duplicate(at, sysctl.name)
        seen.add(sysctl.name)


def validate_security_context(
    path: Path, context: SecurityContext | None, *, host_users: bool
) -> Errors:
    """Check a container's security context; *host_users* says that the Pod has no user
    namespace of its own."""
    if context is None:
        return
    yield from user_or_group_id(path.child("runAsUser"), context.run_as_user)
    yield from user_or_group_id(path.child("runAsGroup"), context.run_as_group)
    if context.proc_mount is not None:
        kinds = ("Default", "Unmasked")
        if context.proc_mount not in kinds:
            yield not_supported(path.child("procMount"), context.proc_mount, kinds)
        if context.proc_mount == "Unmasked" and host_users:
            text = "`hostUsers` must be false to use `Unmasked`"
            yield invalid(path.child("procMount"), context.proc_mount, text)
    yield from validate_seccomp(path.child("seccompProfile"), context.seccomp_profile)
    if context.allow_privilege_escalation is False:
        yield from _validate_escalation(path, context)
    at = path.child("windowsOptions")
    yield from validate_windows_security_options(at, context.windows_options)
    yield from validate_app_armor(path.child("appArmorProfile"), context.app_armor_profile)


def _validate_escalation(path: Path, context: SecurityContext) -> Errors:
    if context.privileged:
        text = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        yield invalid(path, _dump(context), text)
    for capability in context.capabilities.add if context.capabilities is not None else ():
        if capability == "CAP_SYS_ADMIN":
            text = (
                "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` "
                "CAP_SYS_ADMIN"
            )
            yield invalid(path, _dump(context), text)


#: The fields of a security context in upstream's order: Go name, Go type, ours.
_DUMPED = (
    ("Capabilities", "core.Capabilities", "capabilities"),
    ("Privileged", "bool", "privileged"),
    ("SELinuxOptions", "core.SELinuxOptions", "se_linux_options"),
    ("WindowsOptions", "core.WindowsSecurityContextOptions", "windows_options"),
    ("RunAsUser", "int64", "run_as_user"),
    ("RunAsGroup", "int64", "run_as_group"),
    ("RunAsNonRoot", "bool", "run_as_non_root"),
    ("ReadOnlyRootFilesystem", "bool", "read_only_root_filesystem"),
    ("AllowPrivilegeEscalation", "bool", "allow_privilege_escalation"),
    ("ProcMount", "core.ProcMountType", "proc_mount"),
    ("SeccompProfile", "core.SeccompProfile", "seccomp_profile"),
)


def _dump(context: SecurityContext) -> Verbatim:
    """Return the context as upstream prints it: which fields are set, behind pointers."""
    fields = ", ".join(
        f"{name}:(*{kind})({_pointer(getattr(context, attribute))})"
        for name, kind, attribute in _DUMPED
    )
    return Verbatim(f"core.SecurityContext{{{fields}}}")


def _pointer(value: object) -> str:
    return "nil" if value is None else "0xc000000000"


def validate_seccomp(path: Path, profile: SeccompProfile | None) -> Errors:
    if profile is None:
        return
    if not profile.type:
        yield required(path.child("type"), "type is required when seccompProfile is set")
    elif profile.type not in PROFILE_TYPES:
        yield not_supported(path.child("type"), profile.type, PROFILE_TYPES)
    at = path.child("localhostProfile")
    if profile.type == "Localhost":
        if profile.localhost_profile is None:
            yield required(at, "must be set when seccomp type is Localhost")
        else:
            yield from descending_path(at, profile.localhost_profile)
    elif profile.localhost_profile is not None:
        text = "can only be set when seccomp type is Localhost"
        pointer = _pointer(profile.localhost_profile)
        dump = f'{{Type:"{profile.type}", LocalhostProfile:(*string)({pointer})}}'
        yield invalid(at, Verbatim(f"core.SeccompProfile{dump}"), text)


def validate_app_armor(path: Path, profile: AppArmorProfile | None) -> Errors:
    if profile is None:
        return
    at, name = path.child("localhostProfile"), profile.localhost_profile
    if not profile.type:
        yield required(path.child("type"), "type is required when appArmorProfile is set")
    elif profile.type not in PROFILE_TYPES:
        yield not_supported(path.child("type"), profile.type, PROFILE_TYPES)
    elif profile.type != "Localhost":
        if name is not None:
            yield invalid(at, name, "can only be set when AppArmor type is Localhost")
    else:
        if not name:
            yield required(at, "must be set when AppArmor type is Localhost")
        elif name != name.strip():
            yield invalid(at, name, "must not be padded with whitespace")
        if len((name or "").encode()) > _MAX_PROFILE:
            yield too_long(at, _MAX_PROFILE)

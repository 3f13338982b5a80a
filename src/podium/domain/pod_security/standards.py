"""Which check belongs to which level since which version of the standards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from podium.domain.pod_security import baseline, restricted
from podium.domain.pod_security.levels import LevelVersion
from podium.domain.pod_security.visiting import AnyPod, Check, Violation

#: The newest version in which a check has changed; later ones, and ``latest``, are the same.
NEWEST = 37

#: By minor version, the check as it is from there on.
Versions = Mapping[int, Check]

#: In the order in which violations are told.
BASELINE: Mapping[str, Versions] = {
    "appArmorProfile": {0: baseline.app_armor_profile},
    "capabilities_baseline": {0: baseline.capabilities},
    "hostNamespaces": {0: baseline.host_namespaces},
    "hostPathVolumes": {0: baseline.host_path_volumes},
    "hostPorts": {0: baseline.host_ports},
    "hostProbesAndHostLifecycle": {34: baseline.probe_hosts},
    "privileged": {0: baseline.privileged},
    "procMount": {0: baseline.proc_mount, 35: baseline.proc_mount_1_35},
    "seLinuxOptions": {
        0: baseline.selinux_options(baseline.SELINUX_TYPES),
        31: baseline.selinux_options(baseline.SELINUX_TYPES_1_31),
    },
    "seccompProfile_baseline": {0: baseline.seccomp_annotations, 19: baseline.seccomp_profile},
    "sysctls": {
        0: baseline.sysctls(baseline.SYSCTLS),
        27: baseline.sysctls(baseline.SYSCTLS_1_27),
        29: baseline.sysctls(baseline.SYSCTLS_1_29),
        32: baseline.sysctls(baseline.SYSCTLS_1_32),
        37: baseline.sysctls(baseline.SYSCTLS_1_37),
    },
    "windowsHostProcess": {0: baseline.windows_host_process},
}
RESTRICTED: Mapping[str, Versions] = {
    "allowPrivilegeEscalation": {
        8: restricted.privilege_escalation,
        25: restricted.except_windows(restricted.privilege_escalation),
    },
    "capabilities_restricted": {
        22: restricted.capabilities,
        25: restricted.except_windows(restricted.capabilities),
    },
    "procMount_restricted": {35: baseline.proc_mount},
    "restrictedVolumes": {0: restricted.volumes},
    "runAsNonRoot": {
        0: restricted.run_as_non_root,
        35: restricted.except_own_users(restricted.run_as_non_root),
    },
    "runAsUser": {
        23: restricted.run_as_user,
        35: restricted.except_own_users(restricted.run_as_user),
    },
    "seccompProfile_restricted": {
        19: restricted.seccomp_profile,
        25: restricted.except_windows(restricted.seccomp_profile),
    },
}
#: Checks of the baseline that a restricted one takes the place of.
_OVERRIDES = {
    "capabilities_restricted": "capabilities_baseline",
    "procMount_restricted": "procMount",
    "restrictedVolumes": "hostPathVolumes",
    "seccompProfile_restricted": "seccompProfile_baseline",
}


def evaluate(wanted: LevelVersion, pod: AnyPod) -> Sequence[Violation]:
    """Return what is wrong with a Pod by the level and version *wanted*."""
    found = (check(pod) for check in checks(wanted).values())
    return [violation for violation in found if violation is not None]


def checks(wanted: LevelVersion) -> Mapping[str, Check]:
    """Return the checks of a level and version, in order."""
    if wanted.level == "privileged":
        return {}
    version = NEWEST if wanted.version is None else min(wanted.version, NEWEST)
    return _checks(wanted.level == "restricted", version)


@cache
def _checks(is_restricted: bool, version: int) -> Mapping[str, Check]:
    found = _of(BASELINE, version)
    if not is_restricted:
        return found
    more = _of(RESTRICTED, version)
    overridden = {_OVERRIDES[name] for name in more if name in _OVERRIDES}
    return {name: check for name, check in found.items() if name not in overridden} | more


def _of(standard: Mapping[str, Versions], version: int) -> dict[str, Check]:
    found = {}
    for name, versions in standard.items():
        begun = [since for since in versions if since <= version]
        if begun:
            found[name] = versions[max(begun)]
    return found


def details(violations: Sequence[Violation]) -> str:
    """``host namespaces (hostPID=true), hostPort (container "c" uses hostPort 80)``."""
    return ", ".join(str(violation) for violation in violations)


def reasons(violations: Sequence[Violation]) -> str:
    """``host namespaces, hostPort``."""
    return ", ".join(violation.reason for violation in violations)

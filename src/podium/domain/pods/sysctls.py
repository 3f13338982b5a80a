"""Which sysctls a Pod may set: the safe ones, and those that the node's administrator allows.

Follows ``pkg/kubelet/sysctl``. Only what the kernel keeps apart for each namespace can be set.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from podium.api.types.core_v1 import Pod
from podium.domain.pods.security import pod_context

REASON = "SysctlForbidden"

SAFE = (
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
)

_IPC, _NET = "ipc", "net"
_NAMESPACED = {"kernel.sem": _IPC}
_NAMESPACED_PREFIXES = {
    "kernel.shm": _IPC,
    "kernel.msg": _IPC,
    "fs.mqueue.": _IPC,
    "net.": _NET,
}
_SEGMENT = "[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?"
PATTERN = rf"^({_SEGMENT}[\./])*(({_SEGMENT})?\*|{_SEGMENT})$".replace("?:", "")
_PATTERN = re.compile(PATTERN)
_LONGEST = 253


class SysctlAllowlist(msgspec.Struct, frozen=True):
    """Names, and prefixes of names, each with the kind of namespace that the kernel keeps it in."""

    names: Mapping[str, str] = msgspec.field(default_factory=dict)
    prefixes: Mapping[str, str] = msgspec.field(default_factory=dict)

    @classmethod
    def of(cls, patterns: Iterable[str] = ()) -> SysctlAllowlist:
        """Allow the safe ones and *patterns* (names; a ``*`` at the end stands for anything).

        Raises ValueError.
        """
        names: dict[str, str] = {}
        prefixes: dict[str, str] = {}
        for pattern in (*SAFE, *patterns):
            if len(pattern) > _LONGEST or not _PATTERN.match(pattern):
                raise ValueError(
                    f'sysctl "{pattern}" must have at most {_LONGEST} characters and match regex '
                    f"{PATTERN}"
                )
            name = dotted(pattern)
            kind = _namespace(name.removesuffix("*"))
            if not kind:
                raise ValueError(f'the sysctl "{name}" are not known to be namespaced')
            (prefixes if name.endswith("*") else names)[name.removesuffix("*")] = kind
        return cls(names, prefixes)

    def problem(self, pod: Pod) -> str:
        """Say which of the Pod's sysctls is forbidden and why; "" for none."""
        for sysctl in pod_context(pod).sysctls:
            name = dotted(sysctl.name)
            kind = self._kind(name)
            if not kind:
                return f'forbidden sysctl: "{name}" not allowlisted'
            if (kind == _IPC and pod.spec.host_ipc) or (kind == _NET and pod.spec.host_network):
                return f'forbidden sysctl: "{name}" not allowed with host {kind} enabled'
        return ""

    def _kind(self, name: str) -> str:
        if name in self.names:
            return self.names[name]
        return next((kind for p, kind in self.prefixes.items() if name.startswith(p)), "")


def pod_sysctls(pod: Pod) -> dict[str, str]:
    """What the Pod sets, by name with dots."""
    return {dotted(sysctl.name): sysctl.value for sysctl in pod_context(pod).sysctls}


def dotted(name: str) -> str:
    """Write a name with dots between its parts: ``net/ipv4/conf/eth0.1/x`` has dots and slashes
    the other way round, as sysctl(8) takes it too."""
    first = next((letter for letter in name if letter in "./"), ".")
    return name if first == "." else name.translate(str.maketrans("./", "/."))


def _namespace(name: str) -> str:
    if name in _NAMESPACED:
        return _NAMESPACED[name]
    prefixes = _NAMESPACED_PREFIXES.items()
    return next((kind for prefix, kind in prefixes if name.startswith(prefix)), "")

"""Linux capabilities: the names, what containers get by default, what this process may give."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from podium.runtime.port import Capability

#: By bit number, as in ``linux/capability.h``.
NAMES: Sequence[str] = tuple(
    f"CAP_{name}"
    for name in (
        "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP "
        "LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER "
        "SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE "
        "SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP "
        "MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF "
        "CHECKPOINT_RESTORE"
    ).split()
)

#: What containerd gives a container that asks for nothing.
DEFAULT: Sequence[str] = tuple(
    f"CAP_{name}"
    for name in (
        "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP "
        "NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE"
    ).split()
)


def wanted(request: Capability, known: Collection[str] = NAMES) -> list[str]:
    """Apply *request* to the default set as CRI does; ``ALL`` stands for all *known*.

    ``ALL`` counts before single names, and dropping counts before adding: ``drop: [ALL]`` with
    ``add: [CHOWN]`` leaves CHOWN.
    """
    added = [_full(name) for name in request.add]
    dropped = {_full(name) for name in request.drop}
    result = list(DEFAULT)
    if "CAP_ALL" in added:
        result = list(known)
    if "CAP_ALL" in dropped:
        result = []
    result = [name for name in result if name not in dropped]
    result += [name for name in added if name != "CAP_ALL" and name not in result]
    return result


def bounding_set(status: str | None = None) -> frozenset[str]:
    """Return what *status* (``/proc/self/status``) says this process may hand on."""
    text = status if status is not None else Path("/proc/self/status").read_text()
    for line in text.splitlines():
        if line.startswith("CapBnd:"):
            bits = int(line.split()[1], 16)
            return frozenset(name for bit, name in enumerate(NAMES) if bits >> bit & 1)
    return frozenset(NAMES)


def _full(name: str) -> str:
    upper = name.upper()
    return upper if upper.startswith("CAP_") else f"CAP_{upper}"

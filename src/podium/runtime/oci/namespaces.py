"""The namespaces of a sandbox: made by a thread that does not outlive the call, pinned as files.

A namespace lives as long as something refers to it. A bind mount of its file does, so that no
process has to sit in a sandbox that has no container yet.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
import threading
from collections.abc import Collection, Mapping
from pathlib import Path

from podium.runtime import linux
from podium.runtime.oci.layout import SandboxPaths
from podium.runtime.port import RuntimeFailure, creation_failed

_KINDS = {
    "network": ("net", linux.CLONE_NEWNET),
    "ipc": ("ipc", linux.CLONE_NEWIPC),
    "uts": ("uts", linux.CLONE_NEWUTS),
}
_SHM_SIZE = "65536k"
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1


def pin(
    paths: SandboxPaths, kinds: Collection[str], hostname: str, sysctls: Mapping[str, str]
) -> None:
    """Make the namespaces *kinds*, each pinned at ``paths.namespace(kind)``.

    The host name is set where ``uts`` is among them, the loopback link is up where ``network`` is;
    *sysctls* are written inside. Raises OSError.
    """
    flags = 0
    for kind in kinds:
        flags |= _KINDS[kind][1]
        paths.namespace(kind).touch(mode=0o600)

    def make() -> None:
        linux.unshare(flags)
        _furnish(kinds, hostname, sysctls)
        own = f"/proc/self/task/{threading.get_native_id()}/ns"
        for kind in kinds:
            linux.mount(f"{own}/{_KINDS[kind][0]}", str(paths.namespace(kind)), flags=linux.MS_BIND)

    if kinds:
        linux.in_own_thread(make)


def network_sysctls(groups: tuple[int, int] = (0, 2**31 - 1)) -> dict[str, str]:
    """containerd's defaults: anybody in the Pod may use low ports, and whoever is in *groups* (the
    first and the last) ping."""
    return {
        "net.ipv4.ip_unprivileged_port_start": "0",
        "net.ipv4.ping_group_range": f"{groups[0]} {groups[1]}",
    }


def make(sysctls: Mapping[str, str]) -> dict[str, int]:
    """Make a namespace of each kind, furnished but for the host name; return descriptors by kind.

    Raises OSError.
    """

    def make() -> dict[str, int]:
        for _, flag in _KINDS.values():
            linux.unshare(flag)
        _furnish(("network", "ipc"), "", sysctls)
        own = f"/proc/self/task/{threading.get_native_id()}/ns"
        with contextlib.ExitStack() as opened:
            made = {}
            for kind, (name, _) in _KINDS.items():
                made[kind] = os.open(f"{own}/{name}", os.O_RDONLY | os.O_CLOEXEC)
                opened.callback(os.close, made[kind])
            opened.pop_all()
        return made

    return linux.in_own_thread(make)


def furnish(
    paths: SandboxPaths, kinds: Collection[str], hostname: str, sysctls: Mapping[str, str]
) -> None:
    """Do the same inside namespaces *kinds* that are pinned already. Raises OSError."""

    def enter() -> None:
        for kind in kinds:
            descriptor = os.open(paths.namespace(kind), os.O_RDONLY | os.O_CLOEXEC)
            try:
                linux.setns(descriptor, _KINDS[kind][1])
            finally:
                os.close(descriptor)
        _furnish(kinds, hostname, sysctls)

    if kinds:
        linux.in_own_thread(enter)


def _furnish(kinds: Collection[str], hostname: str, sysctls: Mapping[str, str]) -> None:
    """Set up the namespaces that this thread is in."""
    if "uts" in kinds:
        socket.sethostname(hostname)
    if "network" in kinds:
        _loopback_up()
    for name, value in sysctls.items():
        _write_sysctl(name, value)


def _write_sysctl(name: str, value: str) -> None:
    """Raises RuntimeFailure, in the words of containerd and runc."""
    file = sysctl_file(name)
    try:
        file.write_text(value)
    except OSError as exc:
        call, why = "open" if exc.filename else "write", (exc.strerror or str(exc)).lower()
        raise RuntimeFailure(
            creation_failed(
                "runc create failed: unable to start container process: error during container "
                f"init: write sysctl key {name}: {call} {file}: {why}"
            )
        ) from exc


def sysctl_file(name: str) -> Path:
    """Where the kernel has a sysctl; a slash in *name* stands for a dot in its path.

    Raises ValueError for a name that could lead elsewhere.
    """
    parts = [part.replace("/", ".") for part in name.split(".")]
    if any(part.strip(".") == "" for part in parts):
        raise ValueError(f'sysctl "{name}" is not a name')
    return Path("/proc/sys", *parts)


def pin_processes(paths: SandboxPaths, first: int) -> None:
    """Pin the process namespace that the process *first* is the first of. Raises OSError."""
    paths.namespace("pid").touch(mode=0o600)
    linux.mount(f"/proc/{first}/ns/pid", str(paths.namespace("pid")), flags=linux.MS_BIND)


def unpin(paths: SandboxPaths) -> None:
    """Let the namespaces and the shared memory go. Repeatable."""
    for kind in (*_KINDS, "pid", "user"):
        linux.umount(str(paths.namespace(kind)))
        with contextlib.suppress(FileNotFoundError):
            paths.namespace(kind).unlink()
    linux.umount(str(paths.shm))


def pinned(paths: SandboxPaths, kinds: Collection[str]) -> bool:
    """Tell whether all of *kinds* are still there: after a reboot they are not."""
    if not paths.run.exists():
        return False
    device = os.stat("/proc/self/ns/net").st_dev
    try:
        return all(os.stat(paths.namespace(kind)).st_dev == device for kind in kinds)
    except FileNotFoundError:
        return False


def mount_shm(paths: SandboxPaths) -> None:
    """Mount the memory that the sandbox's containers share at /dev/shm."""
    paths.shm.mkdir(mode=0o700, exist_ok=True)
    flags = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
    linux.mount("shm", str(paths.shm), "tmpfs", flags, f"mode=1777,size={_SHM_SIZE}")


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        request = struct.pack("16sH22x", b"lo", 0)
        (flags,) = struct.unpack_from("H", fcntl.ioctl(sock, _SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(sock, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", flags | _IFF_UP))

"""What the machine is and has, read from /proc, /sys and the file system."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from podium.domain.pods.apparmor import SecurityModules

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}


@dataclass(frozen=True, slots=True)
class Machine:
    """Sizes in bytes. Facts that do not change while the kubelet runs."""

    hostname: str
    architecture: str
    kernel_version: str
    os_image: str
    machine_id: str
    system_uuid: str
    boot_id: str
    cpus: int
    memory: int
    swap: int
    disk: int
    hugepages: tuple[int, ...]  #: page sizes the kernel offers


@dataclass(frozen=True, slots=True)
class Pressure:
    """What is left right now."""

    memory_available: int
    disk_available: int
    disk_size: int
    inodes_free: int
    inodes: int
    pids_free: int


def read_machine(root_dir: Path) -> Machine:
    """Read the facts; *root_dir* says which file system Pods' disk space comes from."""
    meminfo = _meminfo()
    system = os.uname()
    disk = os.statvfs(root_dir)
    return Machine(
        hostname=system.nodename,
        architecture=_ARCHITECTURES.get(system.machine, system.machine),
        kernel_version=system.release,
        os_image=_os_image(),
        machine_id=_text("/etc/machine-id") or _text("/var/lib/dbus/machine-id"),
        system_uuid=_text("/sys/class/dmi/id/product_uuid") or _text("/etc/machine-id"),
        boot_id=_text("/proc/sys/kernel/random/boot_id"),
        cpus=os.cpu_count() or 1,
        memory=meminfo.get("MemTotal", 0),
        swap=meminfo.get("SwapTotal", 0),
        disk=disk.f_blocks * disk.f_frsize,
        hugepages=_hugepages(),
    )


def read_security_modules() -> SecurityModules:
    """Ask the kernel, as libapparmor and libselinux do."""
    apparmor = _text("/sys/module/apparmor/parameters/enabled").startswith("Y")
    return SecurityModules(
        apparmor=apparmor and Path("/sys/kernel/security/apparmor").exists(),
        selinux=Path("/sys/fs/selinux/enforce").exists(),
    )


def read_pressure(root_dir: Path) -> Pressure:
    disk = os.statvfs(root_dir)
    most = int(_text("/proc/sys/kernel/pid_max") or 32768)
    used = int(_text("/proc/loadavg").split("/")[1].split()[0]) if _text("/proc/loadavg") else 0
    return Pressure(
        memory_available=_meminfo().get("MemAvailable", 0),
        disk_available=disk.f_bavail * disk.f_frsize,
        disk_size=disk.f_blocks * disk.f_frsize,
        inodes_free=disk.f_favail,
        inodes=disk.f_files,
        pids_free=max(most - used, 0),
    )


def _meminfo() -> dict[str, int]:
    values = {}
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if words:
            values[name] = int(words[0]) * (1024 if len(words) > 1 else 1)
    return values


def _os_image() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    except OSError:
        return "Linux"


def _hugepages() -> tuple[int, ...]:
    directory = Path("/sys/kernel/mm/hugepages")
    try:
        names = [entry.name for entry in directory.iterdir()]
    except OSError:
        return ()
    return tuple(sorted(int(n.removeprefix("hugepages-").removesuffix("kB")) * 1024 for n in names))


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""

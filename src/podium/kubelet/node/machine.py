"""What the machine is and has, read from /proc, /sys and the file system."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path

import msgspec

from podium.domain.pods.apparmor import SecurityModules
from podium.runtime.stats_port import CpuMemoryUsage

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}


class Machine(msgspec.Struct, frozen=True):
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
    hugepages: Mapping[int, int]  #: how many pages there are, by their size


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


def total_memory() -> int:
    return _meminfo().get("MemTotal", 0)


def process_ids() -> tuple[int, int]:
    """How many processes and threads there may be, and how many there are."""
    most = [_text(f"/proc/sys/kernel/{name}") for name in ("pid_max", "threads-max")]
    running = _text("/proc/loadavg").split("/")[1].split()[0]
    return min(int(number or 32768) for number in most), int(running)


def read_usage() -> CpuMemoryUsage:
    """What is used of the whole machine. The working set is all but free and idle file pages."""
    memory = _meminfo()
    used = memory.get("MemTotal", 0) - memory.get("MemFree", 0)
    faults = _table("/proc/vmstat")
    return CpuMemoryUsage(
        cpu_usage_nanoseconds=_busy(),
        memory_working_set_bytes=max(used - memory.get("Inactive(file)", 0), 0),
        memory_rss_bytes=memory.get("AnonPages", 0),
        memory_usage_bytes=used,
        page_faults=faults.get("pgfault", 0),
        major_page_faults=faults.get("pgmajfault", 0),
        swap_usage_bytes=memory.get("SwapTotal", 0) - memory.get("SwapFree", 0),
    )


def _busy() -> int:
    """Nanoseconds that processors have not idled; time of virtual machines counts once."""
    user, nice, system, _idle, _wait, irq, softirq, *more = map(
        int, _text("/proc/stat").split("\n", 1)[0].split()[1:]
    )
    stolen = more[0] if more else 0
    ticks = user + nice + system + irq + softirq + stolen
    return ticks * (1_000_000_000 // os.sysconf("SC_CLK_TCK"))


def uptime() -> float:
    return float(_text("/proc/uptime").split()[0])


def network_devices() -> str:
    return _text("/proc/net/dev")


def _table(path: str) -> dict[str, int]:
    return {
        name: int(number)
        for name, _, number in (line.partition(" ") for line in _text(path).splitlines())
        if number.isdigit()
    }


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


def page_sizes() -> list[int]:
    """The sizes of huge pages that the kernel offers, in bytes."""
    return sorted(_hugepages())


def _hugepages() -> dict[int, int]:
    directory = Path("/sys/kernel/mm/hugepages")
    try:
        names = sorted(entry.name for entry in directory.iterdir())
    except OSError:
        return {}
    return {
        int(name.removeprefix("hugepages-").removesuffix("kB")) * 1024: int(
            _text(str(directory / name / "nr_hugepages")) or 0
        )
        for name in names
    }


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""

"""What else a cgroup tells of itself, for those who want every number: ``/metrics/cadvisor``.

Numbers that the machine's version of cgroups does not have are 0.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from podium.runtime.cgroup_limits import Read


class CgroupDetails(msgspec.Struct, frozen=True):
    """CPU in seconds, memory in bytes."""

    cpu_user: float = 0.0
    cpu_system: float = 0.0
    cpu_periods: int = 0
    cpu_throttled_periods: int = 0
    cpu_throttled: float = 0.0
    cache: int = 0
    mapped_file: int = 0
    highest_usage: int = 0
    limit_hits: int = 0
    oom_kills: int = 0
    threads: int = 0


def details_1(read: Read) -> CgroupDetails:
    ticks = os.sysconf("SC_CLK_TCK")
    used, cpu = table(read("cpuacct", "cpuacct.stat")), table(read("cpu", "cpu.stat"))
    memory = table(read("memory", "memory.stat"))
    return CgroupDetails(
        cpu_user=used.get("user", 0) / ticks,
        cpu_system=used.get("system", 0) / ticks,
        cpu_periods=cpu.get("nr_periods", 0),
        cpu_throttled_periods=cpu.get("nr_throttled", 0),
        cpu_throttled=cpu.get("throttled_time", 0) / 1e9,
        cache=memory.get("total_cache", 0),
        mapped_file=memory.get("total_mapped_file", 0),
        highest_usage=int(read("memory", "memory.max_usage_in_bytes") or 0),
        limit_hits=int(read("memory", "memory.failcnt") or 0),
        oom_kills=table(read("memory", "memory.oom_control")).get("oom_kill", 0),
        threads=int(read("pids", "pids.current") or 0),
    )


def details_2(read: Read) -> CgroupDetails:
    cpu, memory = table(read("", "cpu.stat")), table(read("", "memory.stat"))
    events = table(read("", "memory.events"))
    return CgroupDetails(
        cpu_user=cpu.get("user_usec", 0) / 1e6,
        cpu_system=cpu.get("system_usec", 0) / 1e6,
        cpu_periods=cpu.get("nr_periods", 0),
        cpu_throttled_periods=cpu.get("nr_throttled", 0),
        cpu_throttled=cpu.get("throttled_usec", 0) / 1e6,
        cache=memory.get("file", 0),
        mapped_file=memory.get("file_mapped", 0),
        highest_usage=int(read("", "memory.peak") or 0),
        limit_hits=events.get("max", 0),
        oom_kills=events.get("oom_kill", 0),
        threads=int(read("", "pids.current") or 0),
    )


def table(text: str) -> Mapping[str, int]:
    """Read lines of ``name value``."""
    return {
        name: int(value)
        for name, _, value in (line.partition(" ") for line in text.splitlines())
        if value.strip().isdigit()
    }

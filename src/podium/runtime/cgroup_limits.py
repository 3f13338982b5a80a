"""What a cgroup may use, as the files of both versions say it. Pure, but for reading them back.

Conversions are the kubelet's and runc's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

#: What version 1 says of memory without a limit is about as much as this, in pages.
_NO_LIMIT = 1 << 62

Read = Callable[[str, str], str]
"""Reads a file: the controller and the name; "" where there is none."""


class CgroupLimits(msgspec.Struct, frozen=True):
    """What to set; 0 leaves a value alone, -1 lifts a limit."""

    cpu_shares: int = 0
    cpu_quota: int = 0  #: microseconds a period
    cpu_period: int = 100_000
    memory_limit_bytes: int = 0
    pids_limit: int = 0
    memory_swap_limit_bytes: int = 0  #: of memory and swap together; in version 1 alone
    hugetlb: tuple[tuple[str, int], ...] = ()  #: bytes by page size (``2MB``); 0 is a limit here


def page_size(size: int) -> str:
    """Return how the kernel's and the OCI's names say a size of huge pages: ``2MB``."""
    for unit, factor in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if size >= factor:
            return f"{size // factor}{unit}"
    return f"{size}B"


def hugetlb_limits(
    wanted: Sequence[tuple[str, int]], sizes: Sequence[int]
) -> tuple[tuple[str, int], ...]:
    """Return the limit of each of the machine's page *sizes*: none at all where none is *wanted*,
    by ``2Mi`` and the like."""
    amounts = {f"{size[:-1]}B": amount for size, amount in wanted}
    return tuple((page_size(size), amounts.get(page_size(size), 0)) for size in sizes)


def shares_to_weight(shares: int) -> int:
    """Convert version 1's cpu.shares (2 to 262144) to version 2's cpu.weight (1 to 10000)."""
    return 1 + ((min(max(shares, 2), 262144) - 2) * 9999) // 262142


def weight_to_shares(weight: int) -> int:
    """Return the least shares that :func:`shares_to_weight` makes *weight* of."""
    return 2 - (-(weight - 1) * 262142 // 9999)


def settings_1(limits: CgroupLimits, read: Read) -> Iterator[tuple[str, str, str]]:
    """Yield controller, file and value, in an order that the kernel takes."""
    if limits.cpu_shares:
        yield "cpu", "cpu.shares", str(limits.cpu_shares)
    if limits.cpu_quota:
        yield "cpu", "cpu.cfs_period_us", str(limits.cpu_period)
        yield "cpu", "cpu.cfs_quota_us", str(limits.cpu_quota)
    if limits.memory_limit_bytes:
        memory = ("memory", "memory.limit_in_bytes", str(limits.memory_limit_bytes))
        swap = ("memory", "memory.memsw.limit_in_bytes", str(limits.memory_swap_limit_bytes))
        if not limits.memory_swap_limit_bytes:
            yield memory
        else:
            # Both together are never less than memory alone.
            now = int(read("memory", "memory.limit_in_bytes") or 0)
            wider = limits.memory_limit_bytes < 0 or limits.memory_limit_bytes > now
            yield from (swap, memory) if wider else (memory, swap)
    if limits.pids_limit:
        yield "pids", "pids.max", _or_max(limits.pids_limit)
    for size, amount in limits.hugetlb:
        yield "hugetlb", f"hugetlb.{size}.limit_in_bytes", str(amount)


def settings_2(limits: CgroupLimits, _read: Read) -> Iterator[tuple[str, str, str]]:
    if limits.cpu_shares:
        yield "", "cpu.weight", str(shares_to_weight(limits.cpu_shares))
    if limits.cpu_quota:
        yield "", "cpu.max", f"{_or_max(limits.cpu_quota)} {limits.cpu_period}"
    if limits.memory_limit_bytes:
        yield "", "memory.max", _or_max(limits.memory_limit_bytes)
    if limits.pids_limit:
        yield "", "pids.max", _or_max(limits.pids_limit)
    for size, amount in limits.hugetlb:
        yield "", f"hugetlb.{size}.max", str(amount)


def limits_1(read: Read) -> CgroupLimits:
    memory = int(read("memory", "memory.limit_in_bytes") or -1)
    return CgroupLimits(
        cpu_shares=int(read("cpu", "cpu.shares") or 0),
        cpu_quota=int(read("cpu", "cpu.cfs_quota_us") or -1),
        cpu_period=int(read("cpu", "cpu.cfs_period_us") or 100_000),
        memory_limit_bytes=-1 if memory >= _NO_LIMIT else memory,
        pids_limit=_number(read("pids", "pids.max")),
    )


def limits_2(read: Read) -> CgroupLimits:
    quota, _, period = (read("", "cpu.max").strip() or "max 100000").partition(" ")
    weight = int(read("", "cpu.weight") or 0)
    return CgroupLimits(
        cpu_shares=weight_to_shares(weight) if weight else 0,
        cpu_quota=_number(quota),
        cpu_period=int(period or 100_000),
        memory_limit_bytes=_number(read("", "memory.max")),
        pids_limit=_number(read("", "pids.max")),
    )


def _number(text: str) -> int:
    text = text.strip()
    return -1 if text in ("", "max") else int(text)


def _or_max(value: int) -> str:
    return "max" if value < 0 else str(value)

"""runtime.cgroups: both versions; version 2 on a directory that looks like one."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from podium.runtime.cgroup_details import CgroupDetails
from podium.runtime.cgroup_limits import (
    CgroupLimits,
    hugetlb_limits,
    settings_1,
    shares_to_weight,
    weight_to_shares,
)
from podium.runtime.cgroups import Cgroups, _version_1_mounts, version
from podium.runtime.port import RuntimeFailure
from podium.runtime.stats_port import CpuMemoryUsage

LIMITS = CgroupLimits(cpu_shares=512, cpu_quota=50_000, memory_limit_bytes=64 << 20, pids_limit=100)


@pytest.mark.parametrize(
    ("shares", "weight"),
    [
        pytest.param(2, 1, id="the-least"),
        pytest.param(0, 1, id="less-than-the-least"),
        pytest.param(1024, 39, id="one-cpu"),
        pytest.param(262144, 10000, id="the-most"),
        pytest.param(500000, 10000, id="more-than-the-most"),
    ],
)
def test_shares_to_weight(shares, weight):
    assert shares_to_weight(shares) == weight


@pytest.mark.parametrize("weight", [1, 2, 39, 100, 9999, 10000])
def test_weights_come_back(weight):
    assert shares_to_weight(weight_to_shares(weight)) == weight


def sleeping() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "100"])


@pytest.fixture
async def machine() -> AsyncIterator[tuple[Cgroups, str]]:
    """This machine's cgroups and a name that is free."""
    cgroups, path = Cgroups.detect(), f"/podium-c{secrets.token_hex(3)}"
    yield cgroups, path
    await cgroups.remove(path)
    assert not cgroups.exists(path)


@pytest.mark.e2e
async def test_limits_on_this_machine(machine: tuple[Cgroups, str]):
    cgroups, path = machine
    for _ in range(2):
        cgroups.create(f"{path}/burstable/pod1", LIMITS)
    assert cgroups.exists(f"{path}/burstable/pod1")
    usage = cgroups.usage(f"{path}/burstable/pod1")
    assert usage == CpuMemoryUsage(0, 0, 0)
    if not cgroups.unified:
        assert cgroups.limits(f"{path}/burstable/pod1") == LIMITS
    assert cgroups.limits(path).memory_limit_bytes == -1
    assert cgroups.oom_kills(f"{path}/burstable") == 0
    if not cgroups.unified:
        shares = cgroups.hierarchies["cpu"] / path[1:] / "burstable" / "pod1" / "cpu.shares"
        assert shares.read_text() == "512\n"
        cgroups.set_limits(f"{path}/burstable/pod1", CgroupLimits(cpu_quota=-1, pids_limit=-1))
        quota = shares.with_name("cpu.cfs_quota_us")
        assert quota.read_text() == "-1\n"


@pytest.mark.e2e
async def test_removing_kills_what_is_inside(machine: tuple[Cgroups, str]):
    cgroups, path = machine
    cgroups.create(f"{path}/pod1/c1")
    with sleeping() as process:
        # Not the cpuset controller of version 1: without CPUs it takes no process.
        mount = cgroups.hierarchies.get("pids") or cgroups.hierarchies[""]
        (mount / path[1:] / "pod1" / "c1" / "cgroup.procs").write_text(str(process.pid))
        assert cgroups.processes(path) == [process.pid]
        reaper = asyncio.create_task(asyncio.to_thread(process.wait))
        await cgroups.remove(path)
        assert await reaper == -9
    assert cgroups.kill(path) is False


@pytest.mark.e2e
async def test_only_what_is_idle_is_removed(machine: tuple[Cgroups, str]):
    cgroups, path = machine
    cgroups.create(f"{path}/busy")
    cgroups.create(f"{path}/idle/within")
    with sleeping() as process:
        cgroups.join(f"{path}/busy", process.pid)
        cgroups.remove_idle(path)
        assert cgroups.processes(path) == [process.pid]
        assert not cgroups.exists(f"{path}/idle")
        process.kill()
    cgroups.remove_idle(f"{path}/nothing")


async def test_removing_what_is_not_there(machine: tuple[Cgroups, str]):
    cgroups, path = machine
    await cgroups.remove(f"{path}/nosuch")
    with pytest.raises(RuntimeFailure, match="cannot read usage"):
        cgroups.usage(f"{path}/nosuch")
    with pytest.raises(RuntimeFailure, match="no such cgroup"):
        cgroups.set_limits(f"{path}/nosuch", LIMITS)
    assert cgroups.oom_kills(f"{path}/nosuch") == 0


@pytest.fixture
async def real_unified() -> AsyncIterator[Cgroups]:
    """A cgroup of a version 2 hierarchy, as a container sees its own: as the root of it."""
    mounts = dict(_version_1_mounts(Path("/proc/self/mountinfo").read_text()))
    mount = Path("/sys/fs/cgroup") if version() == 2 else mounts.get("unified")
    available = (mount / "cgroup.controllers").read_text().split() if mount is not None else []
    if mount is None or "hugetlb" not in available:
        pytest.skip("no version 2 hierarchy with a controller")
    above, name = Cgroups(True, {"": mount}), f"podium-c{secrets.token_hex(3)}"
    above.create(f"{name}/root")
    (mount / name / "cgroup.subtree_control").write_text("+hugetlb")
    yield Cgroups(True, {"": mount / name / "root"})
    await above.remove(name)


@pytest.mark.e2e
async def test_version_2_within_a_container_and_without_some_controllers(real_unified: Cgroups):
    cgroups, root = real_unified, real_unified.hierarchies[""]
    with sleeping() as own, sleeping() as contained:
        cgroups.join("", own.pid)
        cgroups.create("/podium/pod1/c1", CgroupLimits(hugetlb=(("2MB", 0),)))
        assert (root / "podium/pod1/c1/cgroup.controllers").read_text() == "hugetlb\n"
        assert (root / "podium/pod1/c1/hugetlb.2MB.max").read_text() == "0\n"
        assert (root / "init/cgroup.procs").read_text() == f"{own.pid}\n"
        if not cgroups.has("memory"):
            cgroups.set_limits("/podium/pod1/c1", LIMITS)  # there is nothing to set them for
            assert cgroups.usage("/podium/pod1/c1").memory_usage_bytes == 0
        with pytest.raises(RuntimeFailure, match="no such cgroup"):
            cgroups.set_limits("/podium/nosuch", LIMITS)

        cgroups.join("/podium/pod1/c1", contained.pid)
        assert cgroups.processes("/podium") == [contained.pid]
        (root / "podium/pod1/cgroup.freeze").write_text("1")
        reaper = asyncio.create_task(asyncio.to_thread(contained.wait))
        assert cgroups.kill("/podium") is True
        assert await reaper == -9, "whom the freezer holds is killed, too"
        await cgroups.remove("/podium")
        assert cgroups.kill("/podium") is False
        own.kill()


@pytest.fixture
def unified(tmp_path: Path) -> Cgroups:
    """A directory with the files of version 2 that are read."""
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    return Cgroups.detect(tmp_path)


def test_the_version_is_seen(tmp_path: Path, unified: Cgroups):
    assert unified.unified
    assert version(tmp_path) == 2
    assert version(tmp_path / "nosuch") == 1


def test_controllers_are_handed_down_and_limits_set_in_version_2(tmp_path: Path, unified: Cgroups):
    unified.create("/podium/pod1", LIMITS)
    for directory in (tmp_path, tmp_path / "podium"):
        assert (directory / "cgroup.subtree_control").read_text().startswith("+")
    assert not (tmp_path / "podium" / "pod1" / "cgroup.subtree_control").exists()
    written = {
        name: (tmp_path / "podium" / "pod1" / name).read_text()
        for name in ("cpu.weight", "cpu.max", "memory.max", "pids.max")
    }
    assert written == {
        "cpu.weight": "20",
        "cpu.max": "50000 100000",
        "memory.max": str(64 << 20),
        "pids.max": "100",
    }


@pytest.mark.parametrize("left", ["", "4242\n"])
def test_whom_the_kernel_has_killed_gets_no_signal(
    tmp_path: Path, unified: Cgroups, monkeypatch: pytest.MonkeyPatch, left: str
):
    """The pid may be another's by then."""
    (tmp_path / "c").mkdir()
    (tmp_path / "c/cgroup.procs").write_text("4241\n4242\n")
    write, signalled = Path.write_text, list[int]()

    def written(file: Path, text: str) -> int:
        if file.name == "cgroup.kill":
            write(tmp_path / "c/cgroup.procs", left)
        return write(file, text)

    monkeypatch.setattr(Path, "write_text", written)
    monkeypatch.setattr(os, "kill", lambda pid, _signal: signalled.append(pid))
    assert unified.kill("/c") is True
    assert signalled == [int(pid) for pid in left.split()]


def test_huge_pages_in_version_2(tmp_path: Path, unified: Cgroups):
    assert not unified.has("hugetlb")
    assert unified.has("memory")
    limits = hugetlb_limits([("2Mi", 4 << 20)], [2 << 20, 1 << 30])
    assert limits == (("2MB", 4 << 20), ("1GB", 0))
    unified.create("/p", CgroupLimits(hugetlb=limits))
    assert (tmp_path / "p" / "hugetlb.2MB.max").read_text() == "4194304"
    assert (tmp_path / "p" / "hugetlb.1GB.max").read_text() == "0"


def test_swap_is_widened_before_memory_and_narrowed_after_it(tmp_path: Path):
    """Version 1, whose kernel refuses less of both together than of memory alone."""
    files = {"memory.limit_in_bytes": "100"}

    def written(limit: int) -> list[str]:
        wish = CgroupLimits(memory_limit_bytes=limit, memory_swap_limit_bytes=limit)
        return [name for _, name, _ in settings_1(wish, lambda _c, name: files[name])]

    assert written(200) == ["memory.memsw.limit_in_bytes", "memory.limit_in_bytes"]
    assert written(50) == ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"]


def test_limits_are_lifted_in_version_2(tmp_path: Path, unified: Cgroups):
    unified.create("/p", CgroupLimits(cpu_quota=-1, memory_limit_bytes=-1, pids_limit=-1))
    assert (tmp_path / "p" / "cpu.max").read_text() == "max 100000"
    assert (tmp_path / "p" / "memory.max").read_text() == "max"
    assert (tmp_path / "p" / "pids.max").read_text() == "max"


def test_usage_and_kills_in_version_2(tmp_path: Path, unified: Cgroups):
    pod = tmp_path / "p"
    pod.mkdir()
    (pod / "memory.stat").write_text("anon 300\ninactive_file 100\n")
    (pod / "memory.current").write_text("1000\n")
    (pod / "cpu.stat").write_text("usage_usec 7\nuser_usec 1\n")
    (pod / "memory.events").write_text("low 0\noom 2\noom_kill 1\n")
    assert unified.usage("/p") == CpuMemoryUsage(7000, 900, 300, 1000)
    assert unified.oom_kills("/p") == 1


def test_all_else_in_version_2(tmp_path: Path, unified: Cgroups):
    pod = tmp_path / "p"
    pod.mkdir()
    (pod / "memory.stat").write_text("file 300\nfile_mapped 100\n")
    (pod / "memory.peak").write_text("1000\n")
    (pod / "cpu.stat").write_text(
        "user_usec 1500000\nsystem_usec 500000\nnr_periods 7\nnr_throttled 2\n"
        "throttled_usec 250000\n"
    )
    (pod / "memory.events").write_text("max 4\noom 2\noom_kill 1\n")
    (pod / "pids.current").write_text("9\n")
    assert unified.details("/p") == CgroupDetails(1.5, 0.5, 7, 2, 0.25, 300, 100, 1000, 4, 1, 9)
    assert unified.process_count("/p") == 9


def test_version_1_mounts_are_found_with_combined_controllers():

    mountinfo = (
        "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
        "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
        "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
        "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
    )
    assert dict(_version_1_mounts(mountinfo)) == {
        "cpu": Path("/sys/fs/cgroup/cpu,cpuacct"),
        "cpuacct": Path("/sys/fs/cgroup/cpu,cpuacct"),
        "name=systemd": Path("/sys/fs/cgroup/systemd"),
        "unified": Path("/sys/fs/cgroup/unified"),
    }

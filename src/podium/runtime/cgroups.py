"""Control groups, version 1 and 2 alike: made, limited, read, emptied and removed.

A cgroup is named by its path from the root of the hierarchy (``/podium-x/burstable/pod1``); in
version 1 the same path is used below every controller. Containers' own cgroups are made by the
low-level runtime; what stands above them (the Pod's, the QoS class's) is made here.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from podium.runtime.cgroup_details import CgroupDetails, details_1, details_2, table
from podium.runtime.cgroup_limits import CgroupLimits, limits_1, limits_2, settings_1, settings_2
from podium.runtime.port import RuntimeFailure
from podium.runtime.stats_port import CpuMemoryUsage

_ROOT = Path("/sys/fs/cgroup")
_CONTROLLERS = ("cpuset", "cpu", "io", "memory", "hugetlb", "pids")  # what runc wants in version 2
_REMOVE_PAUSES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def version(root: Path = _ROOT) -> int:
    """Return 2 where the unified hierarchy is mounted at *root*, else 1."""
    return 2 if (root / "cgroup.controllers").exists() else 1


class Cgroups(msgspec.Struct, frozen=True):
    """The cgroup file systems of this machine. Calls raise RuntimeFailure."""

    unified: bool
    #: Controller → mount point.
    hierarchies: Mapping[str, Path] = msgspec.field(default_factory=dict)

    @classmethod
    def detect(cls, root: Path = _ROOT) -> Cgroups:
        if version(root) == 2:
            return cls(True, {"": root})
        return cls(False, dict(_version_1_mounts(Path("/proc/self/mountinfo").read_text())))

    def has(self, controller: str) -> bool:
        """Whether the machine has that controller for cgroups of ours."""
        if not self.unified:
            return controller in self.hierarchies
        return controller in (self.hierarchies[""] / "cgroup.controllers").read_text().split()

    def create(self, path: str, limits: CgroupLimits | None = None) -> None:
        """Make *path* and what is missing above it, and set *limits*. Repeatable."""
        try:
            for mount in self._mounts():
                _below(mount, path).mkdir(parents=True, exist_ok=True)
            if self.unified:
                self._delegate(path)
        except OSError as exc:
            raise RuntimeFailure(f"cannot create cgroup {path}: {exc}") from exc
        if limits is not None:
            self.set_limits(path, limits)

    def set_limits(self, path: str, limits: CgroupLimits) -> None:
        """What this machine has no controller for is passed over."""
        read = partial(self._read, path)
        for controller, file, value in (settings_2 if self.unified else settings_1)(limits, read):
            target = self._file(controller, path, file)
            try:
                target.write_text(value)
            except OSError as exc:
                if not self._controls(path, controller or file.partition(".")[0]):
                    continue
                if isinstance(exc, FileNotFoundError):
                    raise RuntimeFailure(f"cannot set {target}: no such cgroup") from None
                raise RuntimeFailure(f"cannot set {target} to {value}: {exc.strerror}") from exc

    def limits(self, path: str) -> CgroupLimits:
        """What is set, with -1 where there is no limit."""
        if not self.exists(path):
            raise RuntimeFailure(f"cannot read limits of cgroup {path}: no such cgroup")
        try:
            return (limits_2 if self.unified else limits_1)(partial(self._read, path))
        except OSError as exc:
            raise RuntimeFailure(f"cannot read limits of cgroup {path}: {exc}") from exc

    def exists(self, path: str) -> bool:
        return any(_below(mount, path).exists() for mount in self._mounts())

    def usage(self, path: str) -> CpuMemoryUsage:
        """Raises RuntimeFailure when the cgroup is gone."""
        try:
            return self._usage_2(path) if self.unified else self._usage_1(path)
        except OSError as exc:
            raise RuntimeFailure(f"cannot read usage of cgroup {path}: {exc}") from exc

    def process_count(self, path: str) -> int:
        """How many processes and threads there are in *path* and below it."""
        return int(self._read(path, "pids", "pids.current") or 0)

    def details(self, path: str) -> CgroupDetails:
        """All else that the cgroup tells; nothing where it is gone."""
        try:
            return (details_2 if self.unified else details_1)(partial(self._read, path))
        except OSError:
            return CgroupDetails()

    def oom_kills(self, path: str) -> int:
        """How many processes below *path* the kernel has killed for memory; 0 when it is gone."""
        file = "memory.events" if self.unified else "memory.oom_control"
        try:
            return _table(self._file("memory", path, file)).get("oom_kill", 0)
        except OSError:
            return 0

    def processes(self, path: str) -> list[int]:
        """Process IDs in *path* and below it, in whichever hierarchy."""
        found: set[int] = set()
        for mount in self._mounts():
            for directory in _tree(_below(mount, path)):
                with contextlib.suppress(OSError):
                    found.update(map(int, (directory / "cgroup.procs").read_text().split()))
        found.discard(0)  # of a process namespace that is not ours: 0 would be our own group
        return sorted(found)

    def kill(self, path: str) -> bool:
        """Send SIGKILL to all processes in *path* and below it; tell whether there were any.

        In version 1 frozen ones would die when they are thawed: they are.
        """
        before = left = self.processes(path)
        if self.unified:
            with contextlib.suppress(OSError):  # kernels before 5.14 have no such file
                self._file("", path, "cgroup.kill").write_text("1")
            left = self.processes(path)  # of whom it has killed the pid may be another's by now
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not before and not left:
            return False
        self.thaw(path)
        return True

    def thaw(self, path: str) -> None:
        """Let the processes in *path* and below it go on that the freezer of version 1 has
        stopped there."""
        if "freezer" not in self.hierarchies:
            return
        for directory in _tree(_below(self.hierarchies["freezer"], path)):
            state = directory / "freezer.state"
            with contextlib.suppress(OSError):  # gone, or without a freezer
                if state.read_text() != "THAWED\n":
                    state.write_text("THAWED")

    def join(self, path: str, pid: int) -> None:
        """Move a process into *path*, which exists; raises RuntimeFailure.

        Hierarchies stay behind that take no processes yet, as cpuset without processors does.
        """
        for mount in self._mounts():
            try:
                (_below(mount, path) / "cgroup.procs").write_text(str(pid))
            except OSError as exc:
                if exc.errno != errno.ENOSPC:
                    raise RuntimeFailure(f"cannot join cgroup {path}: {exc}") from exc

    async def remove(self, path: str) -> None:
        """Kill what is in *path*, and remove it with all below it. Repeatable.

        Raises RuntimeFailure when processes do not go within two seconds.
        """
        for pause in (*_REMOVE_PAUSES, 0.0):
            try:
                for mount in self._mounts():
                    for directory in _tree(_below(mount, path)):
                        with contextlib.suppress(FileNotFoundError):
                            os.rmdir(directory)
                return
            except OSError as exc:
                if exc.errno != errno.EBUSY:
                    raise RuntimeFailure(f"cannot remove cgroup {path}: {exc}") from exc
            self.kill(path)
            await asyncio.sleep(pause)
        raise RuntimeFailure(f"cannot remove cgroup {path}: processes {self.processes(path)}")

    def remove_idle(self, path: str) -> None:
        """Remove what of *path* has no processes any more: its limits bind the cgroup above."""
        for mount in self._mounts():
            for directory in _tree(_below(mount, path)):
                with contextlib.suppress(OSError):  # busy, or gone meanwhile
                    os.rmdir(directory)

    def _mounts(self) -> Sequence[Path]:
        return list(dict.fromkeys(self.hierarchies.values()))

    def _file(self, controller: str, path: str, name: str) -> Path:
        mount = self.hierarchies.get("" if self.unified else controller, _ROOT / controller)
        return _below(mount, path) / name

    def _read(self, path: str, controller: str, name: str) -> str:
        """A file's text; "" where there is none."""
        try:
            return self._file(controller, path, name).read_text()
        except FileNotFoundError:
            return ""

    def _controls(self, path: str, controller: str) -> bool:
        """Whether *controller* counts for *path*: it is there, or the cgroup itself is not."""
        if not self.unified:
            return controller in self.hierarchies
        try:
            return controller in self._file("", path, "cgroup.controllers").read_text().split()
        except FileNotFoundError:
            return True

    def _delegate(self, path: str) -> None:
        """Let the cgroups above *path* hand their controllers down (cgroup.subtree_control)."""
        root = self.hierarchies[""]
        available = (root / "cgroup.controllers").read_text().split()
        parents = list(reversed(_below(Path(), path).parents))
        for parent in parents:
            for controller in set(_CONTROLLERS) & set(available):
                try:
                    _hand_down(root / parent, controller)
                except OSError as exc:
                    if exc.errno != errno.EBUSY or parent != parents[0]:
                        raise
                    _vacate(root)
                    _hand_down(root, controller)

    def _usage_1(self, path: str) -> CpuMemoryUsage:
        memory = _table(self._file("memory", path, "memory.stat"))
        used = int(self._file("memory", path, "memory.usage_in_bytes").read_text())
        return CpuMemoryUsage(
            cpu_usage_nanoseconds=int(self._file("cpuacct", path, "cpuacct.usage").read_text()),
            memory_working_set_bytes=max(used - memory.get("total_inactive_file", 0), 0),
            memory_rss_bytes=memory.get("total_rss", 0),
            memory_usage_bytes=used,
            page_faults=memory.get("total_pgfault", 0),
            major_page_faults=memory.get("total_pgmajfault", 0),
            swap_usage_bytes=memory.get("total_swap", 0),
        )

    def _usage_2(self, path: str) -> CpuMemoryUsage:
        cpu = _table(self._file("", path, "cpu.stat"))  # which is always there
        memory = table(self._read(path, "", "memory.stat"))
        used = int(self._read(path, "", "memory.current") or 0)
        swap = self._read(path, "", "memory.swap.current")
        return CpuMemoryUsage(
            cpu_usage_nanoseconds=cpu["usage_usec"] * 1000,
            memory_working_set_bytes=max(used - memory.get("inactive_file", 0), 0),
            memory_rss_bytes=memory.get("anon", 0),
            memory_usage_bytes=used,
            page_faults=memory.get("pgfault", 0),
            major_page_faults=memory.get("pgmajfault", 0),
            swap_usage_bytes=int(swap or 0),
        )


def _hand_down(directory: Path, controller: str) -> None:
    (directory / "cgroup.subtree_control").write_text(f"+{controller}")


def _vacate(root: Path) -> None:
    """Move the processes of *root* into a cgroup below it: those of version 2 have either processes
    or controllers that they hand down. The machine's own root may have both; what a container sees
    as the root, with ourselves in it, may not."""
    below = root / "init"
    below.mkdir(exist_ok=True)
    for pid in (root / "cgroup.procs").read_text().split():
        with contextlib.suppress(OSError):  # it has ended, or is the kernel's
            (below / "cgroup.procs").write_text(pid)


def _version_1_mounts(mountinfo: str) -> Iterator[tuple[str, Path]]:
    """Yield each controller (or ``name=…``) with its mount point.

    runc also uses a version 2 hierarchy that is mounted beside them; it has no controllers then.
    """
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        kind, _source, options = after.split(" ", 2)
        mount_point = Path(before.split()[4])
        if kind == "cgroup2":
            yield "unified", mount_point
        if kind != "cgroup":
            continue
        for option in options.split(","):
            if option not in ("rw", "ro") and not option.startswith(("release_agent=", "xattr")):
                yield option, mount_point


def _below(mount: Path, path: str) -> Path:
    return mount / path.lstrip("/")


def _tree(directory: Path) -> Iterator[Path]:
    """*directory* and all below it, children first; nothing when it is not there."""
    try:
        with os.scandir(directory) as entries:
            children = [entry.path for entry in entries if entry.is_dir()]
    except FileNotFoundError:
        return
    for child in children:
        yield from _tree(Path(child))
    yield directory


def _table(file: Path) -> Mapping[str, int]:
    """Read lines of ``name value``."""
    return table(file.read_text())
